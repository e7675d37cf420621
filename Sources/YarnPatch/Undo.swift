import Diagnostics
import FileStore

/// Takes the newest patch back.
///
/// - Parameter full: Whether to compare all of the data with the record instead of samples, where the patch read it all.
/// - Returns: The files that were restored.
/// - Throws: `nothing-to-undo`, and a refusal when a file is no longer as the patch left it.
public func undoPatch(_ path: String, full: Bool = false) throws(FileError) -> [RestoredFile] {
  let fileSystem = POSIXFileSystem()
  let isFolder = (try? fileSystem.kind(at: path)) == .folder
  let records = Surroundings(of: path, in: fileSystem).records
  let own = isFolder ? UndoRecord.path(forFolder: path) : UndoRecord.path(forFile: path)
  // Of several files that were patched by themselves it is not clear which one is meant.
  if let nearest = records.first, !isFolder || nearest == own || records.count == 1 {
    return try Transaction(tool: tool, fileSystem: fileSystem).undo(record: nearest, full: full).map(RestoredFile.init)
  }
  throw FileError(
    .nothingToUndo, at: SourceLocation(path: path),
    found: records.isEmpty
      ? "there is no undo record beside it" : "\(records.count) files in it were patched one by one",
    expected: records.isEmpty ? own : "one of them to be named",
    remedy: records.isEmpty
      ? "nothing was patched here, or it was patched with --no-undo or already undone"
      : records.map { "yarn-patch undo \(UndoRecord.model(of: $0))" }.joined(separator: "; or "))
}
