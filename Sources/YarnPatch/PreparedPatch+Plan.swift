import Bytes
import Diagnostics
import FileStore
import GGUF
import LosslessJSON
import PatchPlanning

// A plan as a file:
//
//   schema      yarn-patch.plan/1
//   tool        what made it; with the paths the only member that may be another when it is applied
//   model       its path, seen from the plan's folder
//   request     what was asked, see PatchRequest+JSON.swift; planning starts from it
//   settings    what every file is to state
//   checkedFor  the runtimes that compute this from the planned files
//   notes       what a reviewer should know
//   files       each with its path seen from the model's folder, its size, the size and SHA-256 of its header (of a
//               config.json the whole text), the SHA-256 of a config.json afterwards, and each value before and after
//
// What a GGUF will be as a whole is left out, and so is its filler key: how much room a header takes depends on the
// file system.

extension PreparedPatch {
  /// The plan as a document.
  ///
  /// - Parameters:
  ///   - tool: What makes the plan, or made it.
  ///   - model: The model's path as the plan names it.
  ///   - knownModels: The same of the user's table of known models.
  func json(tool: String, model: String, knownModels: String?) throws(FileError) -> JSONText {
    let folder = self.model.kind == .folder ? self.model.path : Path.folder(of: self.model.path)
    let modelFiles = self.model.files.filter { $0.declaration != nil }
    var files: [JSONText] = []
    for ((file, identity), modelFile) in zip(zip(plan.files, identities), modelFiles) {
      let source = try FileSource(file.path, in: fileSystem)
      guard source.identity == identity else { throw .changedSincePlanning(file.path) }
      let header = min(modelFile.gguf?.first.dataOffset ?? source.size, source.size, SavedPlan.headerLimit)
      files.append(
        .object([
          ("path", .string(Path.relative(file.path, to: folder) ?? file.path)), ("size", .raw("\(source.size)")),
          ("headerSize", .raw("\(header)")), ("headerSHA256", .string(try source.digest(of: 0..<header))),
          ("textSHA256After", .optional(file.texts.map { SHA256.hexadecimal(of: $0.new.utf8) })),
          ("changes", .array(file.changes.filter { $0.at != GGUFFile.fillerKey }.map(\.json))),
        ]))
    }
    return .object([
      ("schema", .string(SavedPlan.schema)), ("tool", .string(tool)), ("model", .string(model)),
      ("request", request.json(knownModels: knownModels)), ("settings", plan.settings.json),
      ("checkedFor", .array(plan.runtimes.map { .string($0.exactName) })),
      ("notes", .array(planningNotes.map(JSONText.string))), ("files", .array(files)),
    ])
  }

  /// Without the notes of loading, which tell of other files and name them as the user did.
  private var planningNotes: ArraySlice<String> { plan.notes.dropFirst(model.notes.count) }

  /// Writes the plan for review, and nothing else.
  ///
  /// - Throws: `alreadyExists` for a file that is no plan, and the codes of writing.
  func save(to path: String) throws(FileError) {
    let exists = (try? fileSystem.kind(at: path)) != nil
    if exists, !SavedPlan.isPlan(path, in: fileSystem) {
      throw FileError(
        .alreadyExists, at: SourceLocation(path: path), found: "something that is no plan has this name",
        expected: "a name that is free, or a plan to replace", remedy: "choose another name, or move it away")
    }
    let folder = Path.folder(of: path)
    var knownModels: String?
    if let table = request.knownModels.path { knownModels = try fileSystem.path(table, seenFrom: folder) }
    let json = try json(
      tool: tool, model: try fileSystem.path(model.path, seenFrom: folder), knownModels: knownModels)
    try fileSystem.put(Array("\(json.pretty())\n".utf8), at: path, replacing: exists)
  }
}
