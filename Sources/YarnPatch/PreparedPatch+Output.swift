import Bytes
import Diagnostics
import FileStore
import PatchPlanning

extension PreparedPatch {
  func changes() throws(FileError) -> [FileChange] {
    if let output, model.kind == .gguf, let set = model.primary?.gguf, set.shards.count > 1 {
      throw FileError(
        .badRequest, at: SourceLocation(path: output), found: "the model is a set of \(set.shards.count) files",
        expected: "a model of one file for an output of one file",
        remedy: "name the folder of the set; the output is a folder then")
    }
    var changes = zip(plan.files, identities).map { file, identity in
      FileChange(
        path: file.path, identity: identity, file.edits, output: output.map { outputPath(of: file.path, in: $0) },
        atomic: file.texts != nil, splitsHardLinks: request.allowed.contains("hard-links"))
    }
    guard let output, model.kind == .folder else { return changes }
    // A folder's copy is the whole model, not only what changed.
    let names = try fileSystem.sortedNames(in: model.path)
    for name in names where !UndoRecord.isOurs(name) && !danglingLinks.contains(name) {
      let path = Path.joined(model.path, name)
      guard try fileSystem.kind(at: path) == .regular, !plan.files.contains(where: { $0.path == path }) else {
        continue
      }
      changes.append(
        FileChange(try FileSource(path, in: fileSystem), EditList([]), output: Path.joined(output, name)))
    }
    return changes
  }

  private func outputPath(of path: String, in output: String) -> String {
    model.kind == .folder ? Path.joined(output, Path.name(of: path)) : output
  }

  /// The plan, with a note for each name that the output leaves out.
  var planWithOmissions: PatchPlan {
    var plan = plan
    plan.notes += danglingLinks.map { "\($0): not copied, the link leads nowhere" }
    return plan
  }

  static func danglingLinks(in folder: String, _ fileSystem: any FileSystem) throws(FileError) -> [String] {
    try fileSystem.sortedNames(in: folder).filter { name in
      let path = Path.joined(folder, name)
      let isLink = (try? fileSystem.status(at: path, followingLinks: false).kind) == .symbolicLink
      return isLink && (try? fileSystem.kind(at: path)) == nil
    }
  }
}
