import Bytes
import Diagnostics
import FileStore
import GGUF
import ModelConfig
import PatchPlanning
import Runtimes

extension FileError.Code {
  package static let verificationFailed: Self = "verification-failed"
  package static let nothingToUndo: Self = "nothing-to-undo"
}

/// What became of a patch.
public struct PatchOutcome: Sendable {
  /// One file of the model, changed or not.
  public struct File: Sendable {
    public var path: String
    /// `none`, `in-place`, `insert-range`, `rewrite` or `clone`: how it was changed, or would be in a dry run.
    public var strategy: String
    public var bytesWritten: UInt64
    public var sizeBefore: UInt64
    public var sizeAfter: UInt64
    public var changes: [PlannedChange]
    public var notes: [String]
  }

  public var plan: PatchPlan
  /// Of the files' strategies the one that touches most of a file.
  public var strategy: String
  public var files: [File]
  /// Where `undo` finds the former bytes.
  public var undo: String?
  /// The checks after writing; `nil` in a dry run.
  public var verification: Verification?
}

/// A patch that is planned and not yet made.
struct PreparedPatch {
  let request: PatchRequest
  /// A new file, or for a folder a new folder, that takes the result.
  let output: String?
  let model: Model
  let plan: PatchPlan
  /// Files as they were when the plan was made.
  let identities: [FileIdentity]
  /// The files as runtimes will be given them, by path.
  let inputs: [String: RuntimeInput]
  let fileSystem: any FileSystem
  /// Names in the folder that its copy leaves out: links that lead nowhere.
  let danglingLinks: [String]

  init(_ path: String, _ request: PatchRequest, output: String? = nil, in fileSystem: any FileSystem) throws(FileError)
  {
    // A file torn by an interrupted change may not parse; the record tells what to do about it.
    try requireSettled(path, in: fileSystem)
    let transaction = Transaction(tool: tool, fileSystem: fileSystem)
    var loader = ModelLoader(fileSystem, section: request.section, replacesBase: request.base != nil)
    let model = try loader.load(path)
    let subjects = model.files.compactMap(\.subject)
    if request.base == nil { try Self.checkBases(model) }
    let settings = try RoPESettings(request, for: subjects)
    let forecast = Forecast(model, in: fileSystem)
    try Self.checkRuntimes(request, forecast)
    try Self.checkEncoding(request, model)
    var plans: [PortablePlan] = []
    var identities: [FileIdentity] = []
    for file in model.files {
      guard let declaration = file.declaration else { continue }
      // Asked while no source of ours is open: blocks are inserted only into a file that nobody else reads.
      let quantum = try transaction.growthQuantum(of: file.path, output: output)
      let source = try FileSource(file.path, in: fileSystem)
      plans.append(try Self.plan(file, declaration, settings, request, forecast, growingBy: quantum, in: source))
      identities.append(source.identity)
    }
    self.request = request
    self.output = output
    self.model = model
    self.identities = identities
    inputs = Dictionary(plans.map { ($0.file.path, $0.input) }) { first, _ in first }
    self.fileSystem = fileSystem
    danglingLinks =
      output == nil || model.kind != .folder ? [] : try Self.danglingLinks(in: model.path, fileSystem)
    let checked = Set(plans.flatMap { $0.runtimes.map(\.name) })
    plan = PatchPlan(
      settings: settings, files: plans.map(\.file), runtimes: Runtime.all.filter { checked.contains($0.name) },
      notes: model.notes + (subjects.first?.notes(request, settings) ?? []) + plans.flatMap(\.notes))
  }

  /// Who is named must run from one of the files.
  private static func checkRuntimes(_ request: PatchRequest, _ forecast: Forecast) throws(FileError) {
    guard let stranger = request.runtimes?.first(where: { forecast.file(for: $0) == nil }) else { return }
    throw FileError(
      .badRequest, at: SourceLocation(path: "--runtime"), found: "\(stranger.name) reads no file of the model",
      expected: forecast.runtimes(.all).map(\.name).joined(separator: ", "), remedy: "leave it out")
  }

  /// Factors are asked for where there is a file to hold them.
  private static func checkEncoding(_ request: PatchRequest, _ model: Model) throws(FileError) {
    guard request.encoding == .factors, !model.files.contains(where: { $0.gguf != nil }) else { return }
    throw FileError(
      .badRequest, at: SourceLocation(path: "--encoding"), found: "the model has no GGUF",
      expected: "a GGUF for factors", remedy: "leave it out")
  }

  private static func plan(
    _ file: ModelFile, _ declaration: RoPEDeclaration, _ settings: RoPESettings, _ request: PatchRequest,
    _ forecast: Forecast, growingBy quantum: UInt64?, in source: FileSource
  ) throws(FileError) -> PortablePlan {
    let runtimes = (request.runtimes ?? Runtime.engines).filter { forecast.file(for: $0)?.path == file.path }
    let areNamed = request.runtimes != nil
    switch forecast.input(file) {
    case .config(let config, let surroundings):
      return try PortablePlan(config, surroundings, declaration, settings, for: runtimes, areNamed: areNamed)
    case .gguf(let header, let tensors):
      // Whoever is asked for, a GGUF is for llama.cpp and is not written wrongly for it.
      let isNamed = runtimes.contains { $0.name == Runtime.llamaCpp.name }
      return try PortablePlan(
        header, tensors: tensors, declaration, settings, request.encoding,
        for: isNamed ? runtimes : runtimes + [.llamaCpp], areNamed: areNamed && isNamed, growingBy: quantum, in: source)
    }
  }

  /// The base is validated before anything is written; a base given with `--base` replaces what is wrong.
  private static func checkBases(_ model: Model) throws(FileError) {
    for file in model.files {
      guard let declaration = file.declaration else { continue }
      let report = BaseReport(declaration, stored: file.config == nil ? [] : model.storedTables, path: file.path)
      if let problem = report.problems.first { throw problem }
    }
  }

  // MARK: making it

  /// - Parameter keepsUndo: Whether the undo record stays.
  func apply(keepsUndo: Bool) throws(FileError) -> PatchOutcome {
    let changes = try self.changes()
    let record = try recordPath()
    if let output, model.kind == .folder { try fileSystem.createFolder(output) }
    var verification: Verification?
    let results: [FileResult]
    do throws(FileError) {
      results = try transaction.apply(changes, record: record, keepsRecord: keepsUndo) { () throws(FileError) in
        verification = try verify(output ?? model.path)
      }
    } catch {
      // A folder that holds what could not be removed stays, and the error says so.
      if let output, model.kind == .folder { try? fileSystem.removeFolder(output) }
      throw error
    }
    var outcome = outcome(results, undo: keepsUndo && output == nil && !plan.changesNothing ? record : nil)
    for result in results where result.bytesCompared > 0 {
      verification?.checks.append(
        Check(
          "untouched", "all bytes outside the edits are unchanged", passed: true,
          detail: "\(result.path): \(result.bytesCompared) bytes compared with the old file"))
    }
    outcome.verification = verification
    return outcome
  }

  /// What ``apply(keepsUndo:)`` would do.
  func rehearse() throws(FileError) -> PatchOutcome {
    _ = try recordPath()
    var strategies: [Strategy] = []
    var files: [PatchOutcome.File] = []
    for (change, file) in zip(try changes(), plan.files) {
      let size = change.identity.size
      let strategy = try transaction.strategy(for: change)
      strategies.append(strategy)
      files.append(
        PatchOutcome.File(
          path: change.output ?? change.path, strategy: strategy.rawValue, bytesWritten: 0, sizeBefore: size,
          sizeAfter: UInt64(Int64(size) + change.edits.sizeChange), changes: file.changes, notes: []))
    }
    return PatchOutcome(
      plan: planWithOmissions, strategy: Self.largest(strategies).rawValue, files: files, undo: nil, verification: nil)
  }

  private var transaction: Transaction { Transaction(tool: tool, fileSystem: fileSystem) }

  /// Beside the model: in its folder, or next to the file that states the window.
  private func recordPath() throws(FileError) -> String {
    try UndoRecord.path(
      for: model.kind == .folder ? model.path : model.primary?.path ?? model.path,
      changing: output == nil ? plan.files.filter { !$0.edits.isEmpty }.map(\.path) : [], in: fileSystem)
  }

  private func verify(_ path: String) throws(FileError) -> Verification {
    var loader = ModelLoader(fileSystem, section: request.section)
    var model = try loader.load(path)
    if request.allowed.contains("YP608") { model.passOverDivisors() }
    var verifier = Verifier(model, attention: .quick)
    verifier.require(plan.settings)
    let verification = verifier.verification
    if let failed = verification.checks.first(where: { !$0.passed }) {
      let numbers = failed.measured.map { "measured \($0)" } ?? failed.detail ?? "it does not hold"
      throw FileError(
        .verificationFailed, at: SourceLocation(path: path), found: "\(failed.id): \(numbers)",
        expected: failed.title + (failed.bound.map { " (at most \($0))" } ?? ""),
        remedy: "choose other settings; \(failed.detail ?? "")")
    }
    return verification
  }

  private func outcome(_ results: [FileResult], undo: String?) -> PatchOutcome {
    let files = zip(plan.files, results).map { file, result in
      PatchOutcome.File(
        path: result.path, strategy: result.strategy.rawValue, bytesWritten: result.bytesWritten,
        sizeBefore: result.sizeBefore, sizeAfter: result.sizeAfter, changes: file.changes, notes: result.notes)
    }
    return PatchOutcome(
      plan: planWithOmissions, strategy: Self.largest(results.map(\.strategy)).rawValue, files: files, undo: undo,
      verification: nil)
  }

  /// See ``PatchOutcome/strategy``.
  private static func largest(_ strategies: [Strategy]) -> Strategy {
    [.clone, .rewrite, .insertRange, .inPlace].first(where: strategies.contains) ?? .none
  }
}

extension Model {
  /// The equations know no scaling on top of divisors; who takes that on has the scaling itself verified.
  fileprivate mutating func passOverDivisors() {
    for file in files.indices {
      for declaration in files[file].declarations.indices {
        files[file].declarations[declaration].frequencyDivisors = nil
      }
    }
  }
}
