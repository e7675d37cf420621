import Diagnostics
import FileStore
import GGUF

/// Takes the newest patch back.
///
/// - Returns: The files that were restored.
/// - Throws: `nothing-to-undo`, and a refusal when a file is no longer as the patch left it.
public func undoPatch(_ path: String) throws(FileError) -> [String] {
  let fileSystem = POSIXFileSystem()
  let isFolder = (try? fileSystem.kind(at: path)) == .folder
  func undo(_ record: String) throws(FileError) -> [String] {
    try Transaction(tool: tool, fileSystem: fileSystem).undo(record: record).map(\.path)
  }
  for record in isFolder ? [UndoRecord.path(forFolder: path)] : records(ofFile: path) {
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

/// Where the record of a patch may stand that changed a file, the nearest first.
private func records(ofFile path: String) -> [String] {
  let folder = Path.folder(of: path)
  var files = [path]
  // A patch named by a shard or by the weights stands beside the file that states the window.
  if let split = SplitName(fileName: Path.name(of: path)) { files.append(Path.joined(folder, split.name(of: 0))) }
  if [".safetensors", ".index.json"].contains(where: path.hasSuffix) {
    files.append(Path.joined(folder, "config.json"))
  }
  return files.map(UndoRecord.path(forFile:)) + [UndoRecord.path(forFolder: folder)]
}
