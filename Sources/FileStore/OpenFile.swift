import Diagnostics
import Glibc

/// An open file, closed once: when the last reference goes. A lock goes with it.
final class OpenFile: Sendable {
  /// The name that errors carry.
  let path: String
  let descriptor: Int32
  let fileSystem: any FileSystem

  /// Takes over a descriptor.
  init(_ descriptor: Int32, path: String, in fileSystem: any FileSystem) {
    self.path = path
    self.descriptor = descriptor
    self.fileSystem = fileSystem
  }

  convenience init(_ path: String, _ mode: OpenMode, in fileSystem: any FileSystem) throws(FileError) {
    let descriptor = try fileSystem.attempt(at: path) { () throws(SystemError) in try fileSystem.open(path, mode) }
    self.init(descriptor, path: path, in: fileSystem)
  }

  // An error of closing says nothing new: what had to reach the disk was synced before.
  deinit { try? fileSystem.close(descriptor) }

  /// Reads on until the buffer is full or the file ends.
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    var count = 0
    while count < buffer.count {
      let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
      let step = try attempt { file throws(SystemError) in
        try fileSystem.read(file, into: rest, at: offset + UInt64(count))
      }
      if step == 0 { break }
      count += step
    }
    return count
  }

  /// Writes until nothing is left.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(FileError) {
    var count = 0
    while count < bytes.count {
      let rest = UnsafeRawBufferPointer(rebasing: bytes[count...])
      count += try attempt { file throws(SystemError) in
        let step = try fileSystem.write(file, rest, at: offset + UInt64(count))
        if step == 0 { throw SystemError("pwrite", EIO) }
        return step
      }
    }
  }

  func write(_ bytes: [UInt8], at offset: UInt64) throws(FileError) {
    try bytes.span.bytes.withUnsafeBytes { buffer throws(FileError) in try write(buffer, at: offset) }
  }

  func sync() throws(FileError) {
    try attempt { file throws(SystemError) in try fileSystem.sync(file) }
  }

  func insert(_ count: UInt64, at offset: UInt64) throws(FileError) {
    try attempt { file throws(SystemError) in try fileSystem.insert(count, into: file, at: offset) }
  }

  func collapse(_ count: UInt64, at offset: UInt64) throws(FileError) {
    try attempt { file throws(SystemError) in try fileSystem.collapse(count, of: file, at: offset) }
  }

  func truncate(to size: UInt64) throws(FileError) {
    try attempt { file throws(SystemError) in try fileSystem.truncate(file, to: size) }
  }

  /// The extents of a range, cut off at its ends.
  func extents(in range: Range<UInt64>) throws(FileError) -> [Extent] {
    let extents = try attempt { file throws(SystemError) in try fileSystem.extents(of: file, from: range.lowerBound) }
    return extents.compactMap { $0.part(in: range) }
  }

  func status() throws(FileError) -> FileStatus {
    try attempt { file throws(SystemError) in try fileSystem.status(of: file) }
  }

  /// Keeps every other process of ours away until the file is closed.
  ///
  /// - Returns: `false` where the file system knows no locks, or (network file systems: `EBADF`) not for a file that is
  ///   open for reading.
  /// - Throws: `busy` when another process holds the lock.
  func lock() throws(FileError) -> Bool {
    do throws(SystemError) {
      try fileSystem.retrying { () throws(SystemError) in try fileSystem.lock(descriptor) }
      return true
    } catch {
      guard [ENOLCK, ENOSYS, EOPNOTSUPP, EBADF].contains(error.code) else {
        var failure = FileError(error, at: path)
        if error.code == EWOULDBLOCK, let holder = try? fileSystem.lockHolder(of: descriptor) {
          failure.found += "; process \(holder) holds the file"
        }
        throw failure
      }
      return false
    }
  }

  private func attempt<T>(_ call: (Int32) throws(SystemError) -> T) throws(FileError) -> T {
    try fileSystem.attempt(at: path) { () throws(SystemError) in try call(descriptor) }
  }
}
