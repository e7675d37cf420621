import Diagnostics
import Foundation
import Linting
import TestSupport
import Testing

@testable import YarnPatch

@Suite struct LintTests {
  /// A config whose kind has the old spelling alone, which is one warning with a safe fix.
  static let legacy = """
    {
      "model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32,
      "max_position_embeddings": 131072, "rope_theta": 1000000.0,
      "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
    }

    """
  /// Without the trained length: an error.
  static let unscaledRamp = Fixture.replacing(
    legacy, [("\"type\": \"yarn\"", "\"rope_type\": \"yarn\""), (", \"original_max_position_embeddings\": 32768", "")])

  /// The results of a lint and its numbers.
  private func linted(
    _ paths: [String], _ change: (inout LintOptions) -> Void = { _ in }
  ) throws -> (results: [LintResult], summary: LintSummary) {
    var options = LintOptions()
    options.selected = ["YP102", "YP106", "YP203"]
    change(&options)
    var results: [LintResult] = []
    let summary = try lint(paths, options) { results.append($0) }
    return (results, summary)
  }

  private func folder(_ configs: [String: String]) throws -> ScratchFolder {
    let folder = try ScratchFolder()
    for (name, text) in configs { try folder.write(Array(text.utf8), to: name) }
    return folder
  }

  @Test func `models are reported in the order of their paths, whatever the number of processors`() throws {
    var configs: [String: String] = [:]
    for index in 0..<1200 { configs["m\(1000 + index)/config.json"] = index % 3 == 0 ? Self.legacy : Self.unscaledRamp }
    let folder = try folder(configs)
    let (results, summary) = try linted([folder.path])
    #expect(results.map(\.path) == (0..<1200).map { folder["m\(1000 + $0)"] })
    #expect((summary.models, summary.files, summary.errors, summary.warnings) == (1200, 1200, 800, 400))
    #expect(results.allSatisfy { $0.findings.count == 1 })
  }

  @Test(
    arguments: [
      ("a", ["a"]), ("./b", ["b"]), ("b/config.json", ["b"]), (".", ["a", "b"]), ("elsewhere", ["a", "b"]),
      ("org/name", ["a", "b"]), ("$MODEL", ["a", "b"]),
    ])
  func `a launch is judged for the model that it names, or for all where it names none that is there`(
    name: String, judged: [String]
  ) throws {
    let folder = try folder([
      "a/config.json": Self.legacy, "b/config.json": Self.legacy,
      ".yarn-patch.json": #"{"launch": ["vllm serve \#(name) --rope-scaling x"]}"#,
    ])
    let results = try linted([folder.path]) { $0.selected = ["YP804"] }.results
    #expect(results.filter { !$0.findings.isEmpty }.map(\.path) == judged.map { folder[$0] })
  }

  @Test func `a failing severity decides, the profile's where none is named`() throws {
    let folder = try folder(["config.json": Self.legacy])
    #expect(try !linted([folder.path]).summary.fails)
    #expect(try linted([folder.path]) { $0.profile = .strict }.summary.fails)
    #expect(try linted([folder.path]) { $0.failOn = .warning }.summary.fails)
    #expect(try !linted([folder.path]) { $0.profile = .advisory }.summary.fails)
    let wrong = try self.folder(["config.json": Self.unscaledRamp])
    #expect(try linted([wrong.path]).summary.fails)
    #expect(try !linted([wrong.path]) { $0.profile = .advisory }.summary.fails)
    #expect(try !linted([wrong.path]) { $0.ignored = ["YP1"] }.summary.fails)
    #expect(try !linted([wrong.path]) { $0.selected = ["YP2"] }.summary.fails)
  }

  @Test func `a fix is one transaction that undo takes back, and a second finds nothing to do`() throws {
    let folder = try folder(["config.json": Self.legacy])
    let before = folder.contents
    let planned = try linted([folder.path]) { ($0.fixing, $0.plansOnly) = (.safe, true) }
    #expect(folder.contents == before)
    #expect(planned.results[0].plans.count == 1)
    let (results, summary) = try linted([folder.path]) { $0.fixing = .safe }
    #expect(results[0].findings.isEmpty && results[0].fixes.map(\.rule) == ["YP102"] && summary.fixed == 1)
    #expect(try folder.text("config.json").contains("\"type\": \"yarn\", \"rope_type\": \"yarn\", \"factor\""))
    let fixed = try folder.bytes("config.json")
    #expect(Array(try #require(planned.results[0].plans[0].texts).new.utf8) == fixed)
    #expect(try linted([folder.path]) { $0.fixing = .unsafe }.summary.fixed == 0)
    #expect(try folder.bytes("config.json") == fixed)
    _ = try undoPatch(folder.path)
    #expect(folder.contents == before)
  }

  @Test func `a change of behaviour is made only when it was asked for`() throws {
    let folder = try folder([
      "config.json": Fixture.replacing(
        Self.legacy, [("131072", "40960"), ("\"type\": \"yarn\"", "\"rope_type\": \"yarn\"")])
    ])
    func fixed(_ safety: Fix.Safety) throws -> LintResult {
      try linted([folder.path]) { ($0.selected, $0.fixing) = (["YP201"], safety) }.results[0]
    }
    let before = folder.contents
    let safe = try fixed(.safe)
    #expect(safe.fixes.isEmpty && safe.findings.map(\.fix?.safety) == [.unsafe])
    #expect(folder.contents == before)
    let unsafe = try fixed(.unsafe)
    #expect(unsafe.fixes.map(\.rule) == ["YP201"] && unsafe.findings.isEmpty)
    #expect(try folder.text("config.json").contains("131072"))
  }

  @Test func `a fix that cannot be written leaves the file and says why`() throws {
    let folder = try folder(["config.json": Self.legacy, ".yarn-patch-undo": "torn"])
    let before = folder.contents
    let (results, summary) = try linted([folder.path]) { $0.fixing = .safe }
    let refusal = try #require(results[0].refusal)
    #expect(summary.refusals == 1 && summary.fixed == 0 && !refusal.remedy.isEmpty)
    #expect(folder.contents == before)
  }

  // MARK: policy

  @Test func `the nearest policy above a model counts, up to the top of the repository`() throws {
    let folder = try folder([
      ".yarn-patch.json": #"{"serveLength": 262144}"#,
      "near/.yarn-patch.json": #"{"serveLength": 1024, "severities": {"YP102": "error"}}"#,
      "near/model/config.json": Self.legacy, "far/model/config.json": Self.legacy,
      "repository/.git/HEAD": "ref", "repository/model/config.json": Self.legacy,
    ])
    let (results, _) = try linted([folder.path])
    let found = Dictionary(
      uniqueKeysWithValues: results.map { result in
        (String(result.path.dropFirst(folder.path.count + 1)), result.findings.map { "\($0.rule) \($0.severity)" })
      })
    #expect(
      found == [
        "far/model": ["YP203 error", "YP102 warning"], "near/model": ["YP102 error"],
        "repository/model": ["YP102 warning"],
      ])
    // What is asked for on the command line wins.
    let (asked, _) = try linted([folder["near/model"]]) { $0.serveLength = 262144 }
    #expect(asked[0].findings.map(\.rule) == ["YP203", "YP102"])
  }

  @Test func `findings are accepted by rule and path, with a reason`() throws {
    let folder = try folder([
      ".yarn-patch.json": """
      {"ignores": [{"rules": ["YP102"], "paths": ["old/**"], "reason": "kept as published"}], "severities": {"YP106": "off"}}
      """,
      "old/a/config.json": Self.legacy, "new/config.json": Self.legacy, "new2/config.json": Self.unscaledRamp,
    ])
    let (results, summary) = try linted([folder.path])
    #expect(results.map(\.findings.count) == [1, 0, 0])
    #expect(summary.accepted == 1)
  }

  @Test(arguments: [
    (#"{"serveLenght": 1}"#, "/serveLenght"), (#"{"serveLength": 0}"#, "/serveLength"),
    (#"{"targets": ["vlm"]}"#, "/targets/0"), (#"{"targets": "vllm"}"#, "/targets"),
    (#"{"features": ["caching"]}"#, "/features/0"), (#"{"profile": "loose"}"#, "/profile"),
    (#"{"severities": {"YP999": "off"}}"#, "/severities/YP999"),
    (#"{"severities": {"YP102": "fatal"}}"#, "/severities/YP102"),
    (#"{"ignores": [{"rules": ["YP102"]}]}"#, "/ignores/0"), (#"{"ignores": [{"rule": []}]}"#, "/ignores/0/rule"),
    (#"{"drafts": {"a": 1}}"#, "/drafts/a"), (#"{"profile": "strict", "profile": "strict"}"#, "/profile"), ("[]", ""),
  ])
  func `a policy with anything unknown in it is refused by place`(_ text: String, _ place: String) throws {
    let folder = try folder([".yarn-patch.json": text, "config.json": Self.legacy])
    let (results, summary) = try linted([folder.path])
    let refusal = try #require(results[0].refusal)
    #expect(refusal.code == .badPolicy && refusal.location.key == place)
    #expect(summary.refusals == 1 && results[0].findings.isEmpty)
  }

  // MARK: profiles

  @Test func `of another runtime's findings a runtime's profile makes notes`() throws {
    var finding = Finding(.error, at: SourceLocation(path: "config.json"), "x", runtimes: ["vllm"])
    let judgement = try LintJudgement(profile: LintProfile("llama.cpp"))
    #expect(judgement.judged(finding).severity == .note)
    #expect(try LintJudgement(profile: LintProfile("vllm@0.33")).judged(finding).severity == .error)
    finding.runtimes = []
    #expect(judgement.judged(finding).severity == .error)
    #expect(throws: (any Error).self) { try LintProfile("vllm@0.1") }
  }

  // MARK: baseline

  @Test func `a baseline accepts what it holds until the value changes, and only shrinks`() throws {
    let folder = try folder(["a/config.json": Self.legacy, "b/config.json": Self.unscaledRamp])
    let path = folder["baseline.json"]
    func linted() throws -> (results: [LintResult], summary: LintSummary) {
      try self.linted([folder.path]) { ($0.baseline, $0.profile) = (path, .strict) }
    }
    func write(_ told: String) throws {
      let (_, summary) = try self.linted([folder.path]) { $0.newBaseline = path }
      #expect(summary.remarks == ["\(path): \(told), as a baseline"])
    }
    try write("2 findings written")
    let whole = try folder.text("baseline.json")
    #expect(whole.contains(#""file":"a/config.json""#) && whole.contains("YP106"))
    let (_, summary) = try linted()
    #expect(!summary.fails && summary.accepted == 2 && summary.unneededEntries == 0)

    // Another kind at the same place is another finding.
    try folder.write(Array(Fixture.replacing(Self.legacy, [("\"yarn\"", "\"linear\"")]).utf8), to: "a/config.json")
    #expect(try linted().summary.fails)
    try write("1 of 2 findings kept")
    let shrunk = try folder.text("baseline.json")
    #expect(!shrunk.contains("YP102") && shrunk.contains("YP106"))
    try folder.write(Array(Self.legacy.utf8), to: "a/config.json")
    try write("1 of 1 findings kept")
    #expect(try folder.text("baseline.json") == shrunk)

    try folder.write(Array(Self.legacy.utf8), to: "b/config.json")
    #expect(try linted().summary.unneededEntries == 1)
  }

  @Test(arguments: ["[]", "{}", #"{"findings": [{"rule": "YP102"}]}"#, "{"])
  func `a file that is no baseline is refused and stays`(_ text: String) throws {
    let folder = try folder(["config.json": Self.legacy, "baseline.json": text])
    #expect(throws: FileError.self) { try linted([folder.path]) { $0.baseline = folder["baseline.json"] } }
    #expect(throws: FileError.self) { try linted([folder.path]) { $0.newBaseline = folder["baseline.json"] } }
    #expect(try folder.text("baseline.json") == text)
  }

  // MARK: what cannot be read

  @Test func `weights that are pointers and files that are broken stop nothing`() throws {
    let folder = try folder([
      "a/config.json": Self.legacy, "a/model.safetensors": "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
      "b/config.json": "{\"rope_scaling\": {", "c/config.json": Self.unscaledRamp,
    ])
    let (results, summary) = try linted([folder.path])
    #expect(results.map { $0.findings.map(\.rule) } == [["YP102"], [], ["YP106"]])
    #expect(summary.refusals == 0)
    #expect(throws: FileError.self) { try linted([folder["nowhere"]]) }
  }

  @Test func `places of findings are those of an editor`() throws {
    let lines = Self.legacy.split(separator: "\n", omittingEmptySubsequences: false)
    let line = try #require(lines.firstIndex { $0.contains("\"type\"") })
    let folder = try folder([
      "lf/config.json": Self.legacy, "one/config.json": Self.legacy.replacingOccurrences(of: "\n", with: ""),
      "crlf/config.json": Self.legacy.replacingOccurrences(of: "\n", with: "\r\n"),
      "wide/config.json": Self.legacy.replacingOccurrences(of: "{\"type\"", with: "{\"é😀\": 1, \"type\""),
    ])
    let (results, _) = try linted([folder.path])
    let regions = try results.map { try #require($0.findings.first?.region) }
    let column =
      lines[line].unicodeScalars.count - "\"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 32768}".count
      + 1
    #expect(regions.map(\.startLine) == [line + 1, line + 1, 1, line + 1])
    #expect(regions[0].startColumn == column && regions[1].startColumn == column)
    #expect(regions[3].startColumn == column + "\"é😀\": 1, ".unicodeScalars.count)
    for region in regions {
      let marked = region.excerpt.unicodeScalars.dropFirst(region.startColumn - region.excerptColumn)
      #expect(String(String.UnicodeScalarView(marked)).hasPrefix("\"yarn\""))
      #expect(!region.excerpt.contains("\r"))
      #expect(region.endColumn - region.startColumn == 6)
    }
  }
}
