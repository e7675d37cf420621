import Bytes
import Diagnostics
import FileStore
import Linting
import LosslessJSON
import ModelConfig
import PatchPlanning

/// What a lint is to look for and to do.
public struct LintOptions: Sendable {
  /// Longest sequence that is to be served, in tokens; wins over the policy's.
  public var serveLength: Int?
  /// Wins over the policy's.
  public var profile: LintProfile?
  /// Ids or beginnings of ids; empty for every rule.
  public var selected: [String] = []
  public var ignored: [String] = []
  /// The least severity that fails; wins over the profile's.
  public var failOn: Severity?
  /// Findings that are accepted.
  public var baseline: String?
  /// A baseline to write: of all findings when there is none yet, else with the entries that are still needed.
  public var newBaseline: String?
  /// Which fixes to make, `nil` for none.
  public var fixing: Fix.Safety?
  /// Whether fixes are only planned.
  public var plansOnly = false
  /// What the models were copied from, for one that no policy names.
  public var original: String?
  /// The model that these draft for.
  public var target: String?
  /// Command lines with which servers are started, beside the policy's.
  public var launches: [String] = []
  /// Whether texts and the new texts of fixes are wanted, for editors.
  public var needsReplacements = false

  public init() {}
}

/// What was found in one model.
public struct LintResult: Sendable {
  /// What names the model: its folder or file.
  public var path: String
  /// The name under which a cache keeps it, such as an Ollama model's.
  public var name: String?
  /// Number of files that were looked at.
  public var fileCount: Int
  public var findings: [Finding] = []
  /// Findings that the policy or the baseline accepts.
  public var acceptedCount = 0
  /// Fixes that were made or, in a dry run, planned: rule and what was done.
  public var fixes: [(rule: String, description: String)] = []
  /// The edits behind ``fixes``.
  public var plans: [FilePlan] = []
  /// For each finding with a fix of JSON files, what stands where afterwards; empty unless asked for.
  public var replacements: [Int: [TextReplacement]] = [:]
  /// Why the model or one of its files was not looked at, or fixes could not be made; the files are as the error says.
  public var refusal: FileError?
  /// The findings as a baseline keeps them.
  var entries: [LintBaseline.Entry] = []
}

/// A stretch of a text file and what is to stand there.
public struct TextReplacement: Sendable {
  public var path: String
  public var region: TextRegion
  public var text: String
}

/// The numbers of a whole lint.
public struct LintSummary: Sendable {
  public var models = 0
  public var files = 0
  public var errors = 0
  public var warnings = 0
  public var notes = 0
  public var accepted = 0
  public var fixed = 0
  /// Whether a finding is at or above what fails under its model's profile.
  public var fails = false
  /// Models that could not be looked at or fixed.
  public var refusals = 0
  /// Entries of the baseline that no finding needs any more.
  public var unneededEntries = 0
  /// What the search passed over, and what was written beside the models.
  public var remarks: [String] = []
}

/// Looks for what will go wrong with the models under some paths.
///
/// Models are looked at in parallel; their results come in the order of their paths.
/// - Parameter report: Takes the result of each model.
/// - Throws: A path that is not there, paths without any model, a baseline that cannot be read or written. What is wrong
///   with a model's files is a finding, a policy that cannot be read the refusal of the models below it.
public func lint(
  _ paths: [String], _ options: LintOptions = LintOptions(), report: (LintResult) -> Void
) throws(FileError) -> LintSummary {
  let fileSystem = POSIXFileSystem()
  let lint = try Lint(options, fileSystem)
  var search = ModelSearch(fileSystem)
  let models = try search.models(under: paths)
  guard !models.isEmpty else { throw noModel(paths, search.notes) }
  var summary = LintSummary()
  summary.remarks = search.notes
  var entries: Set<LintBaseline.Entry> = []
  forEachInOrder(models, make: lint.judged) { judged in
    summary.add(judged.result, failing: judged.failing)
    entries.formUnion(judged.result.entries)
    report(judged.result)
  }
  try lint.finish(entries, &summary)
  return summary
}

/// An answer about no model would pass for a clean one.
private func noModel(_ paths: [String], _ notes: [String]) -> FileError {
  FileError(
    .notAModel, at: SourceLocation(path: paths.joined(separator: ", ")), found: "there is no model here",
    expected: "a config.json, a GGUF or a safetensors file, or a folder with some at any depth",
    remedy: (["check the path"] + notes).joined(separator: "; "))
}

extension LintSummary {
  mutating func add(_ result: LintResult, failing: Severity?) {
    models += 1
    files += result.fileCount
    errors += result.findings.count { $0.severity == .error }
    warnings += result.findings.count { $0.severity == .warning }
    notes += result.findings.count { $0.severity == .note }
    accepted += result.acceptedCount
    fixed += result.fixes.count
    refusals += result.refusal == nil ? 0 : 1
    if let failing, result.findings.contains(where: { $0.severity >= failing }) { fails = true }
  }
}

/// A lint with what it needs for every model.
struct Lint: Sendable {
  let options: LintOptions
  let fileSystem: any FileSystem
  let policies: PolicySearch
  let distances = DistanceMemo()
  /// The accepted findings, with the folder that their paths start from.
  let baseline: LintBaseline?
  let baselineFolder: String?

  struct Judged: Sendable {
    var result: LintResult
    var failing: Severity?
  }

  init(_ options: LintOptions, _ fileSystem: any FileSystem) throws(FileError) {
    self.options = options
    self.fileSystem = fileSystem
    policies = PolicySearch(fileSystem)
    baseline = try options.baseline.map { path throws(FileError) in
      try LintBaseline(try ModelLoader(fileSystem).document(path))
    }
    baselineFolder = try (options.baseline ?? options.newBaseline).map { path throws(FileError) in
      try fileSystem.real(Path.folder(of: path))
    }
  }

  func judged(_ found: FoundModel) -> Judged {
    do throws(FileError) { return try ModelLint(found, self).judged() } catch {
      return Judged(result: LintResult(path: found.path, name: found.name, fileCount: 0, refusal: error))
    }
  }

  /// Writes the new baseline: all findings when there was none, else those entries of the old one that are still needed.
  func finish(_ entries: Set<LintBaseline.Entry>, _ summary: inout LintSummary) throws(FileError) {
    if let baseline { summary.unneededEntries = baseline.entries.subtracting(entries).count }
    guard let path = options.newBaseline else { return }
    let exists = (try? fileSystem.kind(at: path)) != nil
    let old = exists ? try LintBaseline(try ModelLoader(fileSystem).document(path)).entries : entries
    let kept = old.intersection(entries)
    try fileSystem.put(Array(LintBaseline(kept).text.utf8), at: path, replacing: exists)
    let number = exists ? "\(kept.count) of \(old.count) findings kept" : "\(kept.count) findings written"
    summary.remarks.append("\(path): \(number), as a baseline")
  }
}
