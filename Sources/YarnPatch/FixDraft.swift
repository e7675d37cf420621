import Bytes
import Diagnostics
import FileStore
import GGUF
import Linting
import LosslessJSON
import ModelConfig
import PatchPlanning

/// Fixes of a model's files, made in thought: the texts and keys as they will be.
struct FixDraft {
  /// New texts of JSON files by path.
  private(set) var texts: [String: [UInt8]] = [:]
  /// Values of GGUF keys by path, the newest for each key.
  private(set) var keys: [String: [SettingChange]] = [:]
  /// What changes in JSON files, as a reviewer reads it.
  private var changes: [String: [PlannedChange]] = [:]
  /// What was fixed: rule and description, in the order in which it was made.
  private(set) var made: [(rule: String, description: String)] = []

  var isEmpty: Bool { texts.isEmpty && keys.isEmpty }

  /// Makes those of some findings' fixes that a caller allows and that touch none of the others' places; the rest is left
  /// for another round, which sees the files as they are then.
  ///
  /// - Returns: Whether anything was made.
  mutating func make(_ findings: [Finding], of model: LintedModel, allowing isAllowed: (Fix) -> Bool) -> Bool {
    var taken: [(path: String, key: String)] = []
    let before = made.count
    for finding in findings {
      guard let fix = finding.fix, isAllowed(fix) else { continue }
      let places =
        switch fix.action {
        case .change(let changes): changes.map { ($0.path, $0.key) }
        // Its offsets hold only while nothing else of the file has changed.
        case .edit(let path, _): [(path, "")]
        }
      let isFree = places.allSatisfy { place in
        !taken.contains { $0.path == place.0 && Self.touch($0.key, place.1) }
      }
      guard isFree, apply(fix, in: model, isFirst: { path in !taken.contains { $0.path == path } }) else { continue }
      taken += places
      made.append((finding.rule, fix.description))
    }
    return made.count > before
  }

  /// Whether one pointer is the other or leads to it. Keys of a GGUF hold no slash and touch only themselves.
  private static func touch(_ one: String, _ other: String) -> Bool {
    one == other || other.hasPrefix("\(one)/") || one.hasPrefix("\(other)/")
  }

  private mutating func apply(_ fix: Fix, in model: LintedModel, isFirst: (String) -> Bool) -> Bool {
    var draft = self
    do throws(FileError) {
      switch fix.action {
      case .edit(let path, let edits):
        guard isFirst(path), let text = draft.texts[path] ?? model.document(at: path)?.bytes,
          let new = edits.apply(to: text)
        else { return false }
        draft.texts[path] = new
      case .change(let changes):
        for path in Set(changes.map(\.path)).sorted() {
          let its = changes.filter { $0.path == path }
          if model.ggufs.contains(where: { $0.path == path }) {
            draft.keys[path, default: []].removeAll { old in its.contains { $0.key == old.key } }
            draft.keys[path, default: []] += its
          } else {
            try draft.change(path, its, model)
          }
        }
      }
    } catch {
      // A document that two readers take differently, or a change that does not fit: the finding stays.
      return false
    }
    self = draft
    return true
  }

  private mutating func change(_ path: String, _ changes: [SettingChange], _ model: LintedModel) throws(FileError) {
    guard let old = texts[path] ?? model.document(at: path)?.bytes else { return }
    let document = try JSONDocument(old, path: path)
    guard let new = try document.edits(for: changes).apply(to: old) else { return }
    texts[path] = new
    let after = try JSONDocument(new, path: path)
    func text(_ document: JSONDocument, _ key: String) -> String? {
      document[key].map { String(decoding: document.bytes[$0.range], as: UTF8.self) }
    }
    for change in changes {
      // Of a place that is changed twice, what stood there at first.
      let first = self.changes[path]?.first { $0.at == change.key }
      let before = first.map(\.before) ?? text(document, change.key)
      self.changes[path, default: []].removeAll { $0.at == change.key }
      self.changes[path]?.append(PlannedChange(at: change.key, before: before, after: text(after, change.key)))
    }
  }

  // MARK: seeing and making it

  /// A JSON file's bytes as they will be, else `nil`.
  func text(of path: String) -> [UInt8]? { texts[path] }

  /// A GGUF's header as it will be.
  func imagining(_ file: GGUFFile) -> GGUFFile {
    (keys[file.path] ?? []).reduce(file) { file, change in
      switch change.value {
      case .gguf(let value): file.imagining(change.key, value)
      case .absent: file.imagining(change.key, nil)
      case .json: file
      }
    }
  }

  /// The edits of each file that changes, with the file as it was when they were planned.
  func plans(in fileSystem: any FileSystem) throws(FileError) -> [(plan: FilePlan, identity: FileIdentity)] {
    var plans: [(FilePlan, FileIdentity)] = []
    for (path, text) in texts.sorted(by: { $0.key < $1.key }) {
      let source = try FileSource(path, in: fileSystem)
      let old = try source.bytes(in: 0..<source.size)
      let edits = EditList([ByteEdit(at: 0, expected: old, replacement: text)])
      plans.append((FilePlan(path: path, changes: changes[path] ?? [], edits: edits, oldText: old), source.identity))
    }
    for (path, changes) in keys.sorted(by: { $0.key < $1.key }) {
      let quantum = try Transaction(tool: tool, fileSystem: fileSystem).growthQuantum(of: path)
      let source = try FileSource(path, in: fileSystem)
      let plan = try GGUFPlanner.plan(try GGUFFile(source), changes, growingBy: quantum, in: source)
      plans.append((plan, source.identity))
    }
    return plans.filter { !$0.0.edits.isEmpty }
  }
}
