import Diagnostics
import FileStore

/// A model's file that was put back, and what the user should know of it.
public struct RestoredFile: Sendable {
  public var path: String
  public var notes: [String]
}

/// How an interrupted change was ended.
public enum Recovery: Sendable {
  /// No change was interrupted.
  case nothing
  /// A patch was interrupted; the files are as before it.
  case rolledBack([RestoredFile])
  /// An `undo` was interrupted; it is complete now.
  case finishedUndo([RestoredFile])
}

/// Ends what a crash interrupted: rolls a patch back, or finishes its undoing.
public func recoverModel(_ path: String) throws(FileError) -> Recovery {
  let fileSystem = POSIXFileSystem()
  for record in UndoRecord.neighbours(of: path, in: fileSystem) {
    guard let (interrupted, files) = try Transaction(tool: tool, fileSystem: fileSystem).recover(record: record) else {
      continue
    }
    let restored = files.map(RestoredFile.init)
    return interrupted == .undoing ? .finishedUndo(restored) : .rolledBack(restored)
  }
  return .nothing
}

/// The change that was begun on a model and not ended, as an error that names the command to run; `nil` for none.
///
/// Until then the model's files may be in any state between, and what is read from them says little.
public func interruptedChange(of path: String) -> FileError? {
  do throws(FileError) { try requireSettled(path, in: POSIXFileSystem()) } catch { return error }
  return nil
}

/// - Throws: `interrupted` while a change of the model waits for recovery.
func requireSettled(_ path: String, in fileSystem: any FileSystem) throws(FileError) {
  let transaction = Transaction(tool: tool, fileSystem: fileSystem)
  for record in UndoRecord.neighbours(of: path, in: fileSystem) { try transaction.requireSettled(record: record) }
}

extension RestoredFile {
  init(_ result: FileResult) { self.init(path: result.path, notes: result.notes) }
}

extension UndoRecord {
  /// Where a record may stand that has to do with the model's files: of a folder also those of single files in it.
  fileprivate static func neighbours(of path: String, in fileSystem: any FileSystem) -> [String] {
    guard (try? fileSystem.kind(at: path)) == .folder else { return candidates(forFile: path) }
    let names = (try? fileSystem.sortedNames(in: path)) ?? []
    return [Self.path(forFolder: path)] + files(patchedIn: path, names).map(Self.path(forFile:))
  }
}
