import Bytes
import Diagnostics

/// A regular file, read by window with `pread`. Symbolic links are followed, unless it is opened as an
/// ``OpenMode/entry(writing:)``.
package struct FileSource: ByteSource, Sendable {
  package let path: String
  /// What the file was when it was opened.
  package let status: FileStatus
  let file: OpenFile

  package var size: UInt64 { status.identity.size }
  package var identity: FileIdentity { status.identity }

  /// Opens a file for reading.
  ///
  /// - Throws: `isADirectory` or `notARegularFile` for anything else than a file, and the codes of the system's calls.
  package init(_ path: String, in fileSystem: any FileSystem = POSIXFileSystem()) throws(FileError) {
    try self.init(path, .read, in: fileSystem)
  }

  init(_ path: String, _ mode: OpenMode, in fileSystem: any FileSystem) throws(FileError) {
    // Asked before opening too: opening a device can act on it, and a socket cannot be opened at all.
    let kind = try fileSystem.attempt(at: path) { () throws(SystemError) in
      try fileSystem.status(at: path, followingLinks: mode.followsLinks).kind
    }
    try Self.requireRegular(kind, at: path)
    self.path = path
    file = try OpenFile(path, mode, in: fileSystem)
    status = try file.status()
    try Self.requireRegular(status.kind, at: path)
  }

  package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    try file.read(at: offset, into: buffer)
  }

  /// Where two files first differ, both read from an offset of their own.
  ///
  /// - Returns: Bytes from the offsets to the difference, `nil` when `count` bytes are equal.
  package func firstDifference(
    from other: FileSource, at offset: UInt64, and otherOffset: UInt64, count: UInt64
  ) throws(FileError) -> UInt64? {
    var done: UInt64 = 0
    while done < count {
      let length = min(count - done, 1 << 20)
      let mine = try bytes(in: offset + done..<offset + done + length)
      let theirs = try other.bytes(in: otherOffset + done..<otherOffset + done + length)
      if mine != theirs {
        let index = zip(mine, theirs).enumerated().first { $1.0 != $1.1 }?.offset ?? 0
        return done + UInt64(index)
      }
      done += length
    }
    return nil
  }

  private static func requireRegular(_ kind: FileKind, at path: String) throws(FileError) {
    guard kind != .regular else { return }
    throw FileError(
      kind == .folder ? .isADirectory : .notARegularFile, at: SourceLocation(path: path),
      found: "this is \(kind.rawValue)", expected: FileKind.regular.rawValue,
      remedy: kind == .symbolicLink
        ? "move the link away, or put the file that it leads to in its place" : "name the model's file")
  }
}

extension OpenMode {
  /// Whether a link is opened as what it leads to.
  var followsLinks: Bool { if case .entry = self { false } else { true } }
}

extension FileError.Code {
  /// A pipe, a socket or a device.
  package static let notARegularFile: Self = "not-a-regular-file"
}
