import Diagnostics

/// Bytes that can be read by window: a file, or an array in a test. Never mapped, so a file that shrinks while it is
/// read gives an error and not a signal.
package protocol ByteSource {
  /// The name that errors carry.
  var path: String { get }
  /// Length in bytes when the source was opened.
  var size: UInt64 { get }
  /// Fills as much of `buffer` as the source still holds from `offset` on.
  ///
  /// - Returns: The number of bytes read; less than `buffer.count` only at the end.
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int
}

extension FileError.Code {
  /// The file ends before something it promised.
  package static let truncated: Self = "truncated"
}

extension ByteSource {
  /// Exactly the bytes of `range`, in memory.
  ///
  /// - Throws: `truncated` when the source ends earlier; nothing is allocated before the range was compared with
  ///   ``size``.
  package func bytes(in range: Range<UInt64>) throws(FileError) -> [UInt8] {
    guard range.upperBound <= size, let count = Int(exactly: range.upperBound - range.lowerBound) else {
      throw endsEarly(wanted: range.upperBound)
    }
    var outcome = Result<Int, FileError>.success(0)
    let result = [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      // SAFETY: As many bytes as were read are initialised; with fewer than asked for the array is thrown away.
      let bytes = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count)
      outcome = Result { () throws(FileError) in try self.read(at: range.lowerBound, into: bytes) }
      initializedCount = (try? outcome.get()) ?? 0
    }
    guard try outcome.get() == count else { throw endsEarly(wanted: range.upperBound) }
    return result
  }

  private func endsEarly(wanted: UInt64) -> FileError {
    FileError(
      .truncated, at: SourceLocation(path: path, byteOffset: size), found: "the file ends after \(size) bytes",
      expected: "at least \(wanted) bytes", remedy: "download or copy the file again")
  }
}

/// A source over bytes in memory.
package struct MemorySource: ByteSource {
  package var path: String
  package var bytes: [UInt8]

  package init(_ bytes: [UInt8], path: String = "memory") {
    self.path = path
    self.bytes = bytes
  }

  package var size: UInt64 { UInt64(bytes.count) }

  package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    guard let start = Int(exactly: offset), start < bytes.count else { return 0 }
    let count = min(buffer.count, bytes.count - start)
    // SAFETY: `count` is at most the buffer's length and `start + count` at most the array's.
    buffer.copyBytes(from: bytes[start..<start + count])
    return count
  }
}
