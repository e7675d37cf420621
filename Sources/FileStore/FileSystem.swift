/// The operating system's file calls, one method each, so that each can be made to fail in a test.
///
/// A method does what the call does and no more: it may be interrupted, and may read or write less than asked.
/// ``OpenFile`` and the functions of `FileSystem+Retrying.swift` go on from there.
package protocol FileSystem: Sendable {
  /// Gives a descriptor, which ``OpenFile`` owns.
  func open(_ path: String, _ mode: OpenMode) throws(SystemError) -> Int32
  /// Closes the file, also when it throws.
  func close(_ file: Int32) throws(SystemError)
  /// - Returns: Bytes read, 0 at the end of the file.
  func read(_ file: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SystemError) -> Int
  /// - Returns: Bytes written.
  func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) -> Int
  /// Copies inside the kernel, which may share the blocks of the two files instead.
  func copy(_ count: Int, of source: Int32, at start: UInt64, to file: Int32, at offset: UInt64) throws(SystemError)
    -> Int
  /// Lets a range of a file share the source's blocks. Offsets are multiples of a block, so is the count unless the source
  /// ends there.
  func share(_ count: UInt64, of source: Int32, at start: UInt64, to file: Int32, at offset: UInt64)
    throws(SystemError)
  /// Moves all bytes from the offset on up by the count without copying them; both are multiples of a block.
  func insert(_ count: UInt64, into file: Int32, at offset: UInt64) throws(SystemError)
  /// Takes a range out that ends before the file does, and moves the bytes behind it down.
  func collapse(_ count: UInt64, of file: Int32, at offset: UInt64) throws(SystemError)
  /// Sets the length of a file.
  func truncate(_ file: Int32, to size: UInt64) throws(SystemError)
  /// Where the file's bytes stand on the device, in order, once they are there; the first may begin before the offset.
  func extents(of file: Int32, from offset: UInt64) throws(SystemError) -> [Extent]
  /// What can be done with the blocks of a file that stands in this folder. Changes neither.
  func blockAbilities(of file: Int32, in folder: String) throws(SystemError) -> BlockAbilities
  /// Whether the file may also be open, or mapped, by another process or through another opening.
  func isOpenElsewhere(_ file: Int32) throws(SystemError) -> Bool
  /// Bytes that a user may still write into the folder.
  func freeSpace(in folder: String) throws(SystemError) -> UInt64
  /// The process that holds the advisory lock, where the system tells.
  func lockHolder(of file: Int32) throws(SystemError) -> Int32?
  /// Waits until the file, or the names in a folder, are on the disk.
  func sync(_ file: Int32) throws(SystemError)
  /// Takes the advisory lock of the whole file without waiting; closing the file gives it back.
  func lock(_ file: Int32) throws(SystemError)
  /// What an open file is.
  func status(of file: Int32) throws(SystemError) -> FileStatus
  /// What a path names; a link itself unless links are followed.
  func status(at path: String, followingLinks: Bool) throws(SystemError) -> FileStatus
  /// Sets the permission bits.
  func setMode(of file: Int32, _ mode: UInt32) throws(SystemError)
  /// Sets user and group.
  func setOwner(of file: Int32, user: UInt32, group: UInt32) throws(SystemError)
  /// Copies all extended attributes that can be; fails with the first error.
  func copyExtendedAttributes(of source: Int32, to file: Int32) throws(SystemError)
  /// The absolute path without any symbolic link.
  func realPath(of path: String) throws(SystemError) -> String
  /// What a symbolic link says, which need not exist.
  func linkText(at path: String) throws(SystemError) -> String
  /// Makes a symbolic link.
  func makeLink(at path: String, to text: String) throws(SystemError)
  /// Gives a file or link another name.
  func rename(_ path: String, to target: String, _ kind: Renaming) throws(SystemError)
  /// Removes a name of a file, or a link.
  func remove(_ path: String) throws(SystemError)
  /// What stands in a folder, in no order, without the folder itself and the one above.
  func entries(of folder: String) throws(SystemError) -> [FolderEntry]
  /// Makes a folder, which must not exist.
  func makeFolder(_ path: String) throws(SystemError)
  /// Removes a folder, which must be empty.
  func removeFolder(_ path: String) throws(SystemError)
}

/// A name in a folder.
package struct FolderEntry: Sendable, Equatable {
  package var name: String
  /// What the name stands for, a link for itself; `nil` where the file system tells only when asked about the name.
  package var kind: FileKind?

  package init(_ name: String, _ kind: FileKind?) {
    self.name = name
    self.kind = kind
  }
}

/// A stretch of a file and its place on the device, in bytes.
package struct Extent: Sendable, Equatable {
  /// First byte in the file.
  package var logical: UInt64
  /// First byte on the device.
  package var physical: UInt64
  package var length: UInt64

  package init(logical: UInt64, physical: UInt64, length: UInt64) {
    self.logical = logical
    self.physical = physical
    self.length = length
  }
}

/// What a file system can do with a file's blocks.
package struct BlockAbilities: Sendable, Equatable {
  /// Bytes of a block.
  package var blockSize: UInt64
  /// Whether blocks can be inserted into the file.
  package var inserts: Bool
  /// Whether two files can share blocks.
  package var shares: Bool

  package init(blockSize: UInt64, inserts: Bool, shares: Bool) {
    self.blockSize = blockSize
    self.inserts = inserts
    self.shares = shares
  }
}

/// What a file is opened for.
package enum OpenMode: Sendable, Equatable {
  /// Reading, never waiting for the other end of a pipe.
  case read
  case readWrite
  /// The same for what the path itself names; opening a link fails.
  case entry(writing: Bool)
  /// Reading and writing a file that must not exist yet.
  case create(permissions: UInt32)
  /// A folder, to be synced.
  case folder
}

/// What becomes of a file that already has the new name.
package enum Renaming: Sendable {
  /// It loses the name, in one step.
  case replacing
  /// The call fails.
  case new
  /// It gets the old name, in one step.
  case exchanging
}

/// A system call that failed.
package struct SystemError: Error, Equatable {
  /// Name of the call.
  package var call: String
  /// The value of `errno`.
  package var code: Int32

  package init(_ call: String, _ code: Int32) {
    self.call = call
    self.code = code
  }
}
