import Foundation
import FoundationXML
import Linting
import LosslessJSON
import Reporting
import TestSupport
import Testing
import YarnPatch

/// What the reporters of a lint make of places and names that are hard to write down.
@Suite struct LintFormatTests {
  /// A name that means something to every format: separators, markup, an escape, a line break with a command behind it.
  private static let hostile = "a,b: 100%25<&\"\u{1B}[31m\r\n::error::é"
  /// Two members of a scaling dictionary, of which rule YP102 finds the first.
  private static let members = #""type": "yarn", "factor": 4.0"#

  private let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder()
    let scaling = #"{"model_type": "llama", "rope_scaling": {\#(Self.members)}}"#
    try folder.write(Array(scaling.utf8), to: "\(Self.hostile)/config.json")
    var gguf = GGUFBuilder(metadata: [("general.architecture", .string("llama"))])
    gguf.metadata.append(("llama.rope.scaling.type", .string(Self.hostile)))
    try folder.write(gguf.bytes(), to: "gguf/m.gguf")
    try folder.write(Array("{}".utf8), to: "clean/config.json")
    try folder.write(Array("{}".utf8), to: "refused/config.json")
    try folder.write(Array("{".utf8), to: "refused/.yarn-patch.json")
  }

  /// The lint of a folder by the rules that these tests are about.
  private func report(_ reporter: some LintReporter, on path: String? = nil) throws -> String {
    var options = LintOptions()
    (options.selected, options.needsReplacements) = (["YP102", "YP602"], true)
    var reporter = reporter
    var text = reporter.beginning()
    let summary = try lint([path ?? folder.path], options) { text += reporter.text(of: $0) }
    return text + reporter.ending(summary)
  }

  // MARK: text

  static let layouts = [
    "{\n\t\"rope_scaling\":\t{\t\(members)}\n}\n",
    "{\r\n  \"rope_scaling\": {\r\n    \(members)\r\n  }\r\n}\r\n",
    "{\"名前\": \"日本語 é😀 e\u{301}\", \"rope_scaling\": {\(members)}}",
    "{\"filler\":\"\(String(repeating: "é ", count: 20_000))\",\"rope_scaling\":{\(members)},\"after\":\"\(String(repeating: "日", count: 500))\"}",
  ]

  @Test(arguments: layouts) func `the caret stands below the place, and line and column are an editor's`(
    layout: String
  ) throws {
    let folder = try ScratchFolder()
    let path = try folder.write(Array(layout.utf8), to: "config.json")
    let lines = try report(LintText(), on: path).split(separator: "\n")
    let shown = lines.filter { $0.hasPrefix("    | ") }.map { Array($0.dropFirst(6).unicodeScalars) }
    try #require(shown.count == 2)
    let caret = try #require(shown[1].firstIndex(of: "^"))
    #expect(shown[1].count == caret + 1 && shown[1].dropLast().allSatisfy { $0 == " " })
    #expect(String(String.UnicodeScalarView(shown[0][caret...])).hasPrefix(#""yarn""#))
    #expect(shown[0].count <= 200)
    let before = try #require(layout.range(of: #""yarn""#)).lowerBound
    let above = layout.unicodeScalars[..<before].split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[1].hasPrefix("  \(above.count):\((above.last?.count ?? 0) + 1)  warning  YP102 "))
  }

  @Test func `text obeys nothing that a file's name or content says`() throws {
    let text = try report(LintText())
    #expect(!text.contains("\u{1B}") && !text.contains("\r"))
    #expect(text.contains("YP102") && text.contains("YP602"))
    #expect(!text.split(separator: "\n").contains { $0.hasPrefix("::error") })
    #expect(try report(LintText(isColoured: true)).contains("\u{1B}[33mwarning\u{1B}[0m"))
  }

  @Test(arguments: [(Fix.Safety.safe, "after --fix: "), (.unsafe, "after --fix --unsafe-fixes: ")])
  func `a difference tells which options would make it`(_ safety: Fix.Safety, _ told: String) throws {
    var options = LintOptions()
    (options.selected, options.fixing, options.plansOnly) = (["YP102"], safety, true)
    var reporter = LintText(showingDifferences: safety)
    let summary = try lint([folder.path], options) { _ = reporter.text(of: $0) }
    #expect(reporter.ending(summary).hasPrefix("1 change shown and not made; \(told)"))
  }

  // MARK: JSON

  @Test func `JSON gives names back as they are`() throws {
    let document = try JSONDocument(Array(try report(LintJSON()).utf8), path: "lint.json")
    #expect(document["/schema"]?.value.string == "yarn-patch.lint/1")
    #expect(document["/findings"]?.value.elements?.count == 2)
    #expect(document["/findings/0/file"]?.value.string == folder["\(Self.hostile)/config.json"])
    #expect(document["/findings/0/pointer"]?.value.string == "/rope_scaling/type")
    #expect(document["/findings/0/fix/safety"]?.value.string == "safe")
    #expect(document["/findings/1/key"]?.value.string == "llama.rope.scaling.type")
    #expect(document["/findings/1/fix"]?.value.isNull == true)
    #expect(document["/summary/models"]?.value.number?.integer == 4)
  }

  // MARK: SARIF

  @Test func `SARIF's addresses lead back to the files, and what was refused is no success`() throws {
    let document = try JSONDocument(Array(try report(LintSARIF()).utf8), path: "lint.sarif")
    let results = "/runs/0/results"
    let place = "locations/0/physicalLocation"
    #expect(document[results]?.value.elements?.count == 2)
    let uri = try #require(document["\(results)/0/\(place)/artifactLocation/uri"]?.value.string)
    #expect(URL(string: uri)?.path == folder["\(Self.hostile)/config.json"])
    #expect(uri.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
    #expect(document["\(results)/0/\(place)/region/startColumn"]?.value.number?.integer == 50)
    #expect(document["\(results)/0/fixes/0/artifactChanges/0/artifactLocation/uri"]?.value.string == uri)
    let bytes = try folder.bytes("gguf/m.gguf")
    let offset = try #require(document["\(results)/1/\(place)/region/byteOffset"]?.value.number?.integer)
    // A text of GGUF starts with its length.
    #expect(bytes[(offset + 8)...].starts(with: Self.hostile.utf8))
    #expect(document["/runs/0/invocations/0/executionSuccessful"]?.value.bool == false)
    let notice = "/runs/0/invocations/0/toolExecutionNotifications/0"
    #expect(document["\(notice)/message/text"]?.value.string?.contains(".yarn-patch.json") == true)
    let clean = try JSONDocument(Array(try report(LintSARIF(), on: folder["clean"]).utf8), path: "lint.sarif")
    #expect(clean["/runs/0/invocations/0/executionSuccessful"]?.value.bool == true)
  }

  // MARK: GitHub

  @Test func `annotations say the same after the runner has undone their escapes`() throws {
    let lines = try report(LintGitHub()).split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    try #require(lines.count == 3)
    #expect(lines.allSatisfy { $0.hasPrefix("::") && !$0.contains("\r") && !$0.contains("\u{1B}") })
    let (warning, error, refusal) = (try Annotation(lines[0]), try Annotation(lines[1]), try Annotation(lines[2]))
    #expect(warning.command == "warning" && error.command == "error" && refusal.command == "error")
    // What no runner undoes stays spelled out.
    let spelled = Self.hostile.replacing("\u{1B}", with: #"\u{1B}"#)
    #expect(warning.properties["file"] == folder["\(spelled)/config.json"])
    #expect(warning.properties["title"] == "YP102 legacy kind key only")
    #expect(warning.properties["line"] == "1" && warning.properties["col"] == "50")
    #expect(error.message.contains(spelled))
    #expect(refusal.properties["file"] == folder["refused/.yarn-patch.json"])
  }

  /// A workflow command as the runner reads it.
  private struct Annotation {
    var command: String
    var properties: [String: String] = [:]
    var message: String

    init(_ line: Substring) throws {
      let parts = try #require(line.wholeMatch(of: /::(\w+) ([^:]*(?:[^:]|:(?!:))*?)::(.*)/)).output
      command = String(parts.1)
      message = Self.unescaped(parts.3)
      for property in parts.2.split(separator: ",") {
        let pair = property.split(separator: "=", maxSplits: 1)
        try #require(pair.count == 2)
        properties[String(pair[0])] = Self.unescaped(pair[1])
      }
    }

    private static func unescaped(_ text: Substring) -> String {
      [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")].reduce(String(text)) {
        $0.replacingOccurrences(of: $1.0, with: $1.1)
      }
    }
  }

  // MARK: JUnit

  @Test(arguments: [Severity.warning, .error, nil]) func `JUnit counts what fails, and a refusal is an error`(
    failing: Severity?
  ) throws {
    let elements = try parsed(try report(LintJUnit(failing: failing)))
    let suites = elements.filter { $0.name == "testsuite" }
    #expect(suites.count == 4)
    #expect(Set(suites.compactMap { $0.attributes["name"] }).contains(folder[Self.hostile].xmlText))
    let counts = suites.map {
      "\($0.attributes["tests"] ?? "") \($0.attributes["failures"] ?? "") \($0.attributes["errors"] ?? "")"
    }
    let warning = failing == .warning ? 1 : 0
    let error = failing == nil ? 0 : 1
    #expect(counts.sorted() == ["1 0 0", "1 0 1", "1 \(error) 0", "1 \(warning) 0"].sorted())
    #expect(elements.count { $0.name == "testcase" } == 4)
    #expect(elements.count { $0.name == "failure" } == warning + error)
    #expect(elements.count { $0.name == "error" } == 1)
    let told = elements.filter { $0.name == "failure" || $0.name == "system-out" }.map(\.text)
    #expect(told.count == 2 && told.contains { $0.contains(Self.hostile.xmlText) })
  }

  @Test func `JUnit shows what does not show, and gives it back`() throws {
    let name = "a\u{7F}\u{9B}\u{202E}b\u{2028}c"
    try folder.write(Array("{}".utf8), to: "\(name)/config.json")
    let text = try report(LintJUnit(failing: .error), on: folder[name])
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || 0x20..<0x7f ~= $0.value })
    #expect(try parsed(text).contains { $0.attributes["name"] == folder[name] })
  }

  private struct Element {
    var name: String
    var attributes: [String: String]
    var text = ""
  }

  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [Element] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) { elements.append(Element(name: name, attributes: attributes)) }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
      if !elements.isEmpty { elements[elements.count - 1].text += text }
    }
  }

  private func parsed(_ xml: String) throws -> [Element] {
    let parser = XMLParser(data: Data(xml.utf8))
    let reader = Reader()
    parser.delegate = reader
    try #require(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "") \(xml)")
    return reader.elements
  }
}

extension String {
  /// The text as XML can hold it.
  fileprivate var xmlText: String { replacing("\u{1B}", with: "\u{FFFD}") }
}
