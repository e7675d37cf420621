import Diagnostics
import FileStore
import GGUF

/// Takes the newest patch back.
///
/// - Parameter full: Whether to compare all of the data with the record instead of samples, where the patch read it all.
/// - Returns: The files that were restored.
/// - Throws: `nothing-to-undo`, and a refusal when a file is no longer as the patch left it.
public func undoPatch(_ path: String, full: Bool = false) throws(FileError) -> [RestoredFile] {
  let fileSystem = POSIXFileSystem()
  let isFolder = (try? fileSystem.kind(at: path)) == .folder
  func undo(_ record: String) throws(FileError) -> [RestoredFile] {
    try Transaction(tool: tool, fileSystem: fileSystem).undo(record: record, full: full).map(RestoredFile.init)
  }
  for record in isFolder ? [UndoRecord.path(forFolder: path)] : UndoRecord.candidates(forFile: path) {
    if try UndoRecord.read(at: record, in: fileSystem) != nil { return try undo(record) }
  }
  let single = isFolder ? UndoRecord.files(patchedIn: path, try fileSystem.sortedNames(in: path)) : []
  // Patched as a file, named as the model it belongs to. Of several it is not clear which one is meant.
  if single.count == 1 { return try undo(UndoRecord.path(forFile: single[0])) }
  let expected = isFolder ? UndoRecord.path(forFolder: path) : UndoRecord.path(forFile: path)
  throw FileError(
    .nothingToUndo, at: SourceLocation(path: path),
    found: single.isEmpty ? "there is no undo record beside it" : "\(single.count) files in it were patched one by one",
    expected: single.isEmpty ? expected : "one of them to be named",
    remedy: single.isEmpty
      ? "nothing was patched here, or it was patched with --no-undo or already undone"
      : single.map { "yarn-patch undo \($0)" }.joined(separator: "; or "))
}

extension UndoRecord {
  /// Where the record of a patch may stand that changed a file, the nearest first.
  static func candidates(forFile path: String) -> [String] {
    let folder = Path.folder(of: path)
    var files = [path]
    // A patch named by a shard or by the weights stands beside the file that states the window.
    if let split = SplitName(fileName: Path.name(of: path)) { files.append(Path.joined(folder, split.name(of: 0))) }
    if [".safetensors", ".index.json"].contains(where: path.hasSuffix) {
      files.append(Path.joined(folder, "config.json"))
    }
    return files.map(Self.path(forFile:)) + [Self.path(forFolder: folder)]
  }
}
