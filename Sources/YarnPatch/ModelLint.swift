import Bytes
import Diagnostics
import FileStore
import Linting
import LosslessJSON
import ModelConfig
import PatchPlanning

/// The lint of one model: its files, the policy that it is under, and what is accepted there.
struct ModelLint {
  private let found: FoundModel
  private let lint: Lint
  /// The model's folder without links.
  private let folder: String
  private let policy: LintPolicy
  private let profile: LintProfile
  private let loader: LintLoader
  private let original: String?
  private let target: String?

  init(_ found: FoundModel, _ lint: Lint) throws(FileError) {
    self.found = found
    self.lint = lint
    let options = lint.options
    if let seen = found.folder {
      folder = seen.real
    } else {
      folder = try lint.fileSystem.real(found.files.first.map(Path.folder(of:)) ?? found.path)
    }
    let folder = folder
    let policy: LintPolicy
    do throws(FileError) { policy = try lint.policies.policy(for: folder, found.folder?.names) ?? LintPolicy() } catch {
      var error = error
      let place = Path.folder(of: error.location.path)
      if let named = Self.asNamed(place, from: found, folder, in: lint.fileSystem) {
        error.location.path = Path.joined(named, Path.name(of: error.location.path))
      }
      throw error
    }
    self.policy = policy
    profile = options.profile ?? policy.profile ?? .portable
    var deployment = policy.deployment
    deployment.serveLength = options.serveLength ?? deployment.serveLength
    deployment.launches = deployment.launches.filter { line in
      !Self.starts(line, besides: found, folder, from: policy.folder, in: lint.fileSystem)
    }
    deployment.launches += options.launches
    if case .runtime(let runtime) = profile { deployment.targets = [runtime] }
    var loader = LintLoader(lint.fileSystem, deployment)
    loader.distances = lint.distances
    self.loader = loader
    let policyFolder = Self.asNamed(policy.folder, from: found, folder, in: lint.fileSystem)
    func partner(_ pairs: [String: String]) -> String? {
      policy.partner(of: folder, in: pairs).flatMap { name in policyFolder.map { Path.joined($0, name) } }
    }
    original = options.original ?? partner(policy.copies)
    target = options.target ?? partner(policy.drafts)
  }

  /// Whether a command line of the policy starts another model: one that is there, as seen from the policy's folder.
  private static func starts(
    _ line: String, besides found: FoundModel, _ folder: String, from policyFolder: String?,
    in fileSystem: any FileSystem
  ) -> Bool {
    guard let policyFolder, let name = LaunchCommand.model(in: line),
      let place = try? fileSystem.real(Path.joined(policyFolder, name)), let kind = try? fileSystem.kind(at: place)
    else { return false }
    // A folder above the model may be where the server is started from, or be mounted.
    if kind == .folder { return place != "/" && folder != place && !folder.hasPrefix(place + "/") }
    return !found.files.contains { (try? fileSystem.real($0)) == place }
  }

  /// The policy's folder on the way by which the user named the model, as far as that leads there.
  private static func asNamed(
    _ policyFolder: String?, from found: FoundModel, _ folder: String, in fileSystem: any FileSystem
  ) -> String? {
    guard let policyFolder else { return nil }
    var named = found.files.first.map(Path.folder(of:)) ?? found.path
    var real = folder
    while real != policyFolder, real != "/" { (named, real) = (Path.folder(of: named), Path.folder(of: real)) }
    return (try? fileSystem.real(named)) == policyFolder ? named : policyFolder
  }

  /// The longest chain of fixes that make each other possible.
  private static let longestChain = 8

  func judged() throws(FileError) -> Lint.Judged {
    let options = lint.options
    let judgement = LintJudgement(
      profile: profile, severities: policy.severities, selected: options.selected, ignored: options.ignored)
    let linter = Linter(rules: judgement.rules)
    var draft = FixDraft()
    var model = try model(after: draft)
    var findings = linter.findings(in: model)
    if let safety = options.fixing {
      // A fix may open or close another rule's finding, so the rules are asked again until nothing is left to do.
      for _ in 0..<Self.longestChain {
        let open = findings.filter { !isAccepted($0) }
        guard draft.make(open, of: model, allowing: { safety == .unsafe || $0.safety == .safe }) else { break }
        model = try self.model(after: draft)
        findings = linter.findings(in: model)
      }
    }
    var result = LintResult(path: found.path, name: found.name, fileCount: model.fileCount)
    if options.baseline != nil || options.newBaseline != nil { result.entries = findings.map(entry) }
    let open = findings.filter { !isAccepted($0) }
    result.acceptedCount = findings.count - open.count
    result.findings = open.map(judgement.judged)
    if options.needsReplacements {
      for (index, finding) in result.findings.enumerated() {
        result.replacements[index] = finding.fix.flatMap { TextReplacement.all(of: $0, in: model) }
      }
    }
    // A file that could not be read at all, and of which no rule says so, would pass for a clean one.
    result.refusal = model.refusals.first { refusal in
      [.permissionDenied, .ioError].contains(refusal.code)
        && !findings.contains { $0.location.path == refusal.location.path }
    }
    if !draft.isEmpty { make(draft, &result) }
    return Lint.Judged(result: result, failing: options.failOn ?? profile.failing)
  }

  // MARK: the model

  func model(after draft: FixDraft) throws(FileError) -> LintedModel {
    var loader = loader
    loader.draft = draft
    let model = loader.load(found)
    model.base = try original.map { path throws(FileError) in try relative(at: path) }
    model.target = try target.map { path throws(FileError) in try relative(at: path) }
    return model
  }

  /// Another model that this one is held against.
  private func relative(at path: String) throws(FileError) -> LintedModel {
    var search = ModelSearch(lint.fileSystem)
    guard let first = try search.models(under: [path]).first else {
      throw FileError(
        .notAModel, at: SourceLocation(path: path), found: "there is no model", expected: "the model to compare with",
        remedy: "correct the path")
    }
    return loader.load(first)
  }

  // MARK: what is accepted

  private func isAccepted(_ finding: Finding) -> Bool {
    if let baseline = lint.baseline, baseline.entries.contains(entry(finding)) { return true }
    return !policy.ignores.isEmpty && policy.accepts(finding, file: file(finding))
  }

  private func entry(_ finding: Finding) -> LintBaseline.Entry {
    let path = file(finding)
    return LintBaseline.Entry(finding, file: lint.baselineFolder.flatMap { Path.relative(path, to: $0) } ?? path)
  }

  /// The finding's file, without links.
  private func file(_ finding: Finding) -> String { "\(folder)/\(Path.name(of: finding.location.path))" }

  // MARK: fixes

  /// Makes the fixes as one transaction, or plans them.
  private func make(_ draft: FixDraft, _ result: inout LintResult) {
    do throws(FileError) {
      try requireSettled(found.path, in: lint.fileSystem)
      let plans = try draft.plans(in: lint.fileSystem)
      (result.plans, result.fixes) = (plans.map(\.plan), draft.made)
      guard !lint.options.plansOnly else { return }
      let changes = plans.map { plan, identity in
        FileChange(path: plan.path, identity: identity, plan.edits, atomic: plan.texts != nil)
      }
      let record = try UndoRecord.path(for: found.path, changing: changes.map(\.path), in: lint.fileSystem)
      _ = try Transaction(tool: tool, fileSystem: lint.fileSystem).apply(changes, record: record)
    } catch {
      result.fixes = []
      result.refusal = error
    }
  }
}

extension LintPolicy {
  /// The folder that the policy's paths start from.
  fileprivate var folder: String? { path.map(Path.folder(of:)) }

  /// Whether a finding is one that the policy lives with.
  ///
  /// - Parameter file: Its file, without links.
  fileprivate func accepts(_ finding: Finding, file: String) -> Bool {
    ignores.contains { ignore in
      guard ignore.rules.isEmpty || ignore.rules.contains(where: finding.rule.hasPrefix) else { return false }
      guard !ignore.paths.isEmpty else { return true }
      guard let folder, let relative = Path.relative(file, to: folder) else { return false }
      let names = relative.split(separator: "/").map { Array($0.utf8) }
      // A pattern that names a folder accepts what is in it, as in a .gitignore.
      return ignore.paths.compactMap { IgnorePattern(line: Array($0.utf8)[...]) }.contains { pattern in
        names.indices.contains { pattern.matches(names[...$0], isFolder: $0 < names.count - 1) }
      }
    }
  }

  /// The name of another model that a folder's model is paired with, from the policy's folder.
  fileprivate func partner(of model: String, in pairs: [String: String]) -> String? {
    guard let folder else { return nil }
    return (model == folder ? "." : Path.relative(model, to: folder)).flatMap { pairs[$0] }
  }
}

extension LintedModel {
  var fileCount: Int {
    configs.count + unusable.count + ggufs.reduce(0) { $0 + $1.shards.count } + weights.count + siblings.count
      + (index == nil ? 0 : 1)
  }
}

extension TextReplacement {
  /// What a fix does to the texts of a model; `nil` when it changes a file that is no text.
  static func all(of fix: Fix, in model: LintedModel) -> [TextReplacement]? {
    do throws(FileError) {
      switch fix.action {
      case .edit(let path, let edits):
        return model.document(at: path).map { document in edits.edits.map { TextReplacement($0, in: document) } }
      case .change(let changes):
        var all: [TextReplacement] = []
        for path in Set(changes.map(\.path)).sorted() {
          guard let document = model.document(at: path) else { return nil }
          let edits = try document.edits(for: changes.filter { $0.path == path }).edits
          all += edits.map { TextReplacement($0, in: document) }
        }
        return all
      }
    } catch { return nil }
  }

  private init(_ edit: ByteEdit, in document: JSONDocument) {
    path = document.path
    region = TextRegion(Int(edit.offset)..<Int(edit.end), in: document.bytes)
    text = String(decoding: edit.replacement, as: UTF8.self)
  }
}
