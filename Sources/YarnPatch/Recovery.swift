import Diagnostics
import FileStore

/// A model's file that was put back, and what the user should know of it.
public struct RestoredFile: Sendable {
  public var path: String
  public var notes: [String]
}

/// What became of one thing that a crash left.
public enum Recovery: Sendable {
  /// A patch was interrupted; the files are as before it.
  case rolledBack(model: String, [RestoredFile])
  /// An `undo` was interrupted; it is complete now.
  case finishedUndo(model: String, [RestoredFile])
  /// An interrupted change that could not be ended.
  case failed(FileError)
  /// A copy on its way to another name was removed.
  case removed(String)
  /// Such a copy stays: no file has the name, so it may be all that there is of it.
  case kept(String)
}

/// Ends all that a crash interrupted, and removes what it left: rolls patches back, or finishes their undoing.
///
/// - Returns: What was found, each by itself; empty for nothing.
public func recoverModel(_ path: String) -> [Recovery] {
  let fileSystem = POSIXFileSystem()
  let transaction = Transaction(tool: tool, fileSystem: fileSystem)
  let surroundings = Surroundings(of: path, in: fileSystem)
  let before = surroundings.leftovers(transaction)
  var recoveries: [Recovery] = []
  for record in surroundings.records {
    do throws(FileError) {
      guard let (interrupted, files) = try transaction.recover(record: record) else { continue }
      let (model, restored) = (UndoRecord.model(of: record), files.map(RestoredFile.init))
      recoveries.append(
        interrupted == .undoing ? .finishedUndo(model: model, restored) : .rolledBack(model: model, restored))
    } catch { recoveries.append(.failed(error)) }
  }
  // A copy may be needed as long as a file is not whole.
  let isSettled = !recoveries.contains { if case .failed = $0 { true } else { false } }
  let kept = isSettled ? transaction.remove(leftovers: surroundings.leftovers(transaction)) : []
  let after = Set(surroundings.leftovers(transaction))
  return recoveries + before.filter { !after.contains($0) }.map(Recovery.removed) + kept.map(Recovery.kept)
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
  for record in Surroundings(of: path, in: fileSystem).records { try transaction.requireSettled(record: record) }
}

extension RestoredFile {
  init(_ result: FileResult) { self.init(path: result.path, notes: result.notes) }
}
