import Diagnostics

/// The files of one transaction, its undo record too, each open and locked once.
struct LockedSources {
  let fileSystem: any FileSystem
  private var opened: [(source: FileSource, isCopied: Bool)] = []

  init(fileSystem: any FileSystem) { self.fileSystem = fileSystem }

  /// Opens and locks a file. Links to one blob share one opening, since a second lock would wait for the first.
  ///
  /// - Parameter isCopied: Whether the file itself stays as it is.
  /// - Returns: The file, and a note when it could not be locked for want of locks.
  /// - Throws: `busy` when another process holds the file, `namedTwice` when this transaction does.
  mutating func open(_ path: String, _ mode: OpenMode, isCopied: Bool) throws(FileError) -> (FileSource, [String]) {
    let source = try FileSource(path, mode, in: fileSystem)
    if let earlier = opened.first(where: { $0.source.identity.isSameFile(as: source.identity) }) {
      guard isCopied, earlier.isCopied else { throw .namedTwice(path, and: earlier.source.path) }
      return (earlier.source, [])
    }
    let isLocked = try source.file.lock()
    // Between opening and locking the name may have gone to another file, or the file may have been written.
    let now = try fileSystem.attempt(at: path) { () throws(SystemError) in
      try fileSystem.status(at: path, followingLinks: mode.followsLinks)
    }
    guard now.identity == source.identity else { throw .changedSincePlanning(path) }
    opened.append((source, isCopied))
    return (source, isLocked ? [] : ["the file system knows no locks: no other program may change the file now"])
  }

  /// Opens, locks and reads an undo record, `nil` when there is none.
  mutating func record(at path: String) throws(FileError) -> UndoRecord? {
    do throws(FileError) { return try UndoRecord(open(path, .entry(writing: false), isCopied: false).0) } catch {
      if error.code == .notFound { return nil }
      throw error
    }
  }
}

extension FileError {
  fileprivate static func namedTwice(_ path: String, and other: String) -> FileError {
    FileError(
      .namedTwice, at: SourceLocation(path: path), found: "this is the same file as \(other)",
      expected: "each file once", remedy: "name one of the two")
  }
}
