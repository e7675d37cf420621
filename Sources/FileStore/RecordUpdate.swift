import Diagnostics

/// The undo record's way through a transaction: before, during and after it.
final class RecordUpdate {
  let path: String
  private let before: UndoRecord?
  private let during: UndoRecord
  /// `nil` removes the record.
  private let after: UndoRecord?
  private let fileSystem: any FileSystem
  /// What stands on the disk.
  private var visible: UndoRecord?
  /// Keeps other runs away from what stands there, once it is ours.
  private var lock: OpenFile?

  init(
    at path: String, before: UndoRecord?, during: UndoRecord, after: UndoRecord?, in fileSystem: any FileSystem
  ) {
    self.path = path
    self.before = before
    self.during = during
    self.after = after
    self.fileSystem = fileSystem
    visible = before
  }

  /// Says that files are about to change. When this returns, a power cut does not lose the record.
  func begin() throws(FileError) { try write(during) }

  /// Says that all is done. Nothing can fail after the point of no return, which is the record's renaming.
  func commit() throws(FileError) { try settle(on: after) }

  /// Puts the record back that was there before.
  func abandon() throws(FileError) { try settle(on: before) }

  private func settle(on record: UndoRecord?) throws(FileError) {
    do throws(FileError) { try write(record) } catch {
      // When only the wait for the disk failed, a power cut can bring the pending record back; it leads back as well.
      if visible != record { throw error }
    }
  }

  private func write(_ record: UndoRecord?) throws(FileError) {
    guard record != visible else { return }
    if let record {
      let sibling = try Sibling.file(holding: record.text, beside: path, in: fileSystem)
      do throws(FileError) {
        _ = try sibling.take(path, visible == nil ? .new : .replacing, in: fileSystem)
      } catch {
        try? fileSystem.remove(sibling.path)
        throw visible == nil && error.code == .alreadyExists ? inUse : error
      }
      lock = sibling.file
    } else {
      try fileSystem.attempt(at: path) { () throws(SystemError) in try fileSystem.remove(path) }
    }
    visible = record
    try fileSystem.syncFolder(of: path)
  }

  /// There was no record to lock, and now there is one.
  private var inUse: FileError {
    FileError(
      .busy, at: SourceLocation(path: path), found: "another yarn-patch has just begun to change the model",
      expected: "no other at work on it", remedy: "run the command again")
  }
}
