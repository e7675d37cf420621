import Diagnostics

/// How a change without a copy makes a file longer: blocks are inserted, then bytes written behind its end.
struct Growth: Sendable, Equatable {
  /// Length of the file without either.
  var oldSize: UInt64
  var gap: Gap?
  /// Bytes behind the end.
  var appended: UInt64

  /// Length of the file with the gap and without the bytes behind its end.
  var innerSize: UInt64 { oldSize + (gap?.length ?? 0) }
  var newSize: UInt64 { innerSize + appended }

  /// Gives the file the new layout; what stands in it is left to the caller.
  func open(in file: OpenFile) throws(FileError) { try gap?.open(in: file) }

  /// Gives the file the old layout, from wherever a change or its undoing stopped.
  func close(in file: OpenFile) throws(FileError) {
    if try file.status().identity.size > innerSize {
      try file.requireOnlyOpening()
      try file.truncate(to: innerSize)
      try file.sync()
    }
    try gap?.close(in: file)
  }

  /// Whether the file has the new layout.
  func isOpen(in file: OpenFile) throws(FileError) -> Bool {
    guard try file.status().identity.size == newSize else { return false }
    guard let gap else { return true }
    return try gap.place(in: file) == gap.offset
  }
}

extension OpenFile {
  /// Whether another opening of the file may exist: what maps the file is one.
  func isOpenElsewhere() throws(FileError) -> Bool {
    try fileSystem.attempt(at: path) { () throws(SystemError) in try fileSystem.isOpenElsewhere(descriptor) }
  }

  /// A program that has the file mapped is killed when it reads where the file was cut off.
  ///
  /// - Throws: `busy` when there may be one.
  func requireOnlyOpening() throws(FileError) {
    guard try isOpenElsewhere() else { return }
    throw FileError(
      .busy, at: SourceLocation(path: path), found: "another program has the file open, and may have it mapped",
      expected: "a file that can be cut", remedy: "end the other program and run the command again")
  }
}
