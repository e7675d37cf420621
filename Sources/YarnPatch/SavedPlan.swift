import Diagnostics
import FileStore
import LosslessJSON
import ModelConfig
import PatchPlanning

extension FileError.Code {
  /// The file is no plan, or not as it was written.
  package static let badPlan: Self = "bad-plan"
  /// A file of the model is not the one that the plan was made for.
  package static let stalePlan: Self = "stale-plan"
  /// Planning anew gives something else than the plan says.
  package static let planDiffers: Self = "plan-differs"
}

/// A patch that was planned, saved for review, and is to be made.
///
/// The file holds what was asked, which bytes it was planned for, and what a reviewer reads; it holds no bytes to write.
/// To apply it is to plan anew and to compare the two plans, so what was reviewed and what is written cannot differ, and
/// a forged file does no more than `patch` would with the request that stands in it.
public struct SavedPlan: Sendable {
  /// The model's path, seen from here.
  public let model: String
  /// What was asked.
  public let request: PatchRequest
  private let document: JSONDocument
  private let fileSystem: any FileSystem

  static let schema = "yarn-patch.plan/1"
  /// Of a longer header only this many bytes are compared; no real one comes near.
  static let headerLimit: UInt64 = 1 << 28

  /// Reads a plan.
  ///
  /// - Throws: `bad-plan` with the member's place, and what reading a file and JSON throws.
  public init(_ path: String) throws(FileError) { try self.init(path, in: POSIXFileSystem()) }

  init(_ path: String, in fileSystem: any FileSystem) throws(FileError) {
    let document = try ModelLoader(fileSystem).document(path)
    self.document = document
    self.fileSystem = fileSystem
    guard document["/schema"]?.value.string == Self.schema else {
      throw Self.bad(document, "/schema", expected: "a plan of the form \(Self.schema)")
    }
    if let duplicate = document.duplicates.first {
      throw Self.bad(document, duplicate.pointer, expected: "each member once")
    }
    guard let model = document["/model"]?.value.string, !model.isEmpty else {
      throw Self.bad(document, "/model", expected: "the model's path")
    }
    let place = Path.joined(Path.folder(of: path), model)
    // As the user would name it: `plans/../model` is `model`.
    self.model = model.hasPrefix("..") ? (try? fileSystem.path(place, seenFrom: ".")) ?? place : place
    guard let node = document["/request"] else { throw Self.bad(document, "/request", expected: "what was asked") }
    var request = PatchRequest(node)
    let table = document["/request/knownModels"]?.value.string
    let again = try JSONDocument(Array(request.json(knownModels: table).compact.utf8), path: path)
    if let place = again.root.firstDifference(from: node) {
      throw Self.bad(document, "/request\(place)", expected: again[place]?.value.noun ?? "an option of patch")
    }
    if let table {
      request.knownModels = try KnownModels(
        try ModelLoader(fileSystem).document(Path.joined(Path.folder(of: path), table)))
    }
    self.request = request
  }

  static func isPlan(_ path: String, in fileSystem: any FileSystem) -> Bool {
    (try? ModelLoader(fileSystem).document(path))?["/schema"]?.value.string == schema
  }

  private static func bad(_ document: JSONDocument, _ pointer: String, expected: String) -> FileError {
    FileError(
      .badPlan, at: document.location(of: pointer), found: document[pointer]?.value.phrase ?? "the member is missing",
      expected: expected, remedy: "save the plan again with `yarn-patch patch --save-plan`, and review it")
  }

  // MARK: making it

  /// Makes the patch, with the transaction, the checks and the undo record of ``patch(_:_:output:keepsUndo:)``.
  ///
  /// A plan that is already applied changes nothing.
  /// - Throws: `stale-plan`, `plan-differs`, and what a patch throws.
  public func apply(output: String? = nil, keepsUndo: Bool = true) throws(FileError) -> PatchOutcome {
    try prepare(output: output).apply(keepsUndo: keepsUndo)
  }

  /// What ``apply(output:keepsUndo:)`` would do, with the same refusals. Writes nothing.
  public func rehearse(output: String? = nil) throws(FileError) -> PatchOutcome {
    try prepare(output: output).rehearse()
  }

  private func prepare(output: String?) throws(FileError) -> PreparedPatch {
    let prepared: PreparedPatch
    do throws(FileError) { prepared = try PreparedPatch(model, request, output: output, in: fileSystem) } catch {
      // What is wrong with a file that was changed since is best told by saying so.
      if error.code != .interrupted { try requireFresh() }
      throw error
    }
    let json = try prepared.json(
      tool: string("/tool") ?? tool, model: string("/model") ?? "", knownModels: string("/request/knownModels"))
    let fresh = try JSONDocument(Array(json.compact.utf8), path: document.path)
    if prepared.plan.changesNothing, states(fresh["/settings"]) { return prepared }
    try requireFresh()
    if let place = fresh.root.firstDifference(from: document.root) { throw differs(at: place, from: fresh) }
    return prepared
  }

  private func states(_ settings: JSONNode?) -> Bool {
    guard let settings, let stated = document["/settings"] else { return false }
    return settings.firstDifference(from: stated) == nil
  }

  private func string(_ pointer: String) -> String? { document[pointer]?.value.string }

  private func differs(at pointer: String, from fresh: JSONDocument) -> FileError {
    let maker = string("/tool") ?? "something unknown"
    return FileError(
      .planDiffers, at: document.location(of: pointer),
      found: document[pointer]?.value.phrase ?? "the member is missing",
      expected: "\(fresh[pointer]?.value.noun ?? "no such member"), as planning anew gives",
      remedy: maker == tool
        ? "the plan was altered, or what stands beside the model's files was: save it again and review it"
        : "the plan was made by \(maker), and this is \(tool): save it again and review it")
  }

  // MARK: staleness

  /// Compares each file's size and header with the ones that the plan was made for.
  ///
  /// - Throws: `stale-plan` for another file, `bad-plan` for an entry that cannot be one of ours.
  private func requireFresh() throws(FileError) {
    let folder = try fileSystem.kind(at: model) == .folder ? model : Path.folder(of: model)
    for (index, file) in (document["/files"]?.value.elements ?? []).enumerated() {
      func bad(_ member: String, expected: String) -> FileError {
        Self.bad(document, "/files/\(index)/\(member)", expected: expected)
      }
      func size(_ member: String, upTo limit: UInt64) throws(FileError) -> UInt64 {
        let size = file.child(member)?.value.number?.integer.flatMap(UInt64.init(exactly:))
        guard let size, size <= limit else { throw bad(member, expected: "a number of bytes, at most \(limit)") }
        return size
      }
      // A plan does not lead out of the model's folder.
      guard let path = file.child("path")?.value.string, Path.relative(path, to: ".") == path else {
        throw bad("path", expected: "a path inside the model's folder")
      }
      let wholeSize = try size("size", upTo: UInt64(Int64.max))
      let headerSize = try size("headerSize", upTo: min(wholeSize, Self.headerLimit))
      let source = try FileSource(Path.joined(folder, path), in: fileSystem)
      guard source.size == wholeSize else {
        throw stale(source.path, found: "the file has \(source.size) bytes", expected: "\(wholeSize)")
      }
      let expected = file.child("headerSHA256")?.value.string ?? "none"
      let found = try source.digest(of: 0..<headerSize)
      guard found == expected else {
        throw stale(
          source.path, found: "SHA-256 of the first \(headerSize) bytes is \(found)", expected: expected)
      }
    }
  }

  private func stale(_ path: String, found: String, expected: String) -> FileError {
    FileError(
      .stalePlan, at: SourceLocation(path: path), found: found,
      expected: "\(expected) as when \(document.path) was saved",
      remedy: "the file was changed since: save the plan again with `yarn-patch patch --save-plan`, and review it")
  }
}
