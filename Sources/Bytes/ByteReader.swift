import Diagnostics

/// The order of the bytes of a multi-byte number in a file.
public enum ByteOrder: String, Sendable { case little, big }

/// Reads a file's header front to back through a sliding window, so that memory does not follow what the file claims.
///
/// Every length is compared with ``remaining`` before anything is reserved or skipped; a read past the end throws
/// `truncated` with the offset at which the missing value starts.
package struct ByteReader: ~Copyable {
  /// Bytes fetched at once; a header of many megabytes passes through a buffer of this size.
  private static let windowSize = 256 * 1024

  package let source: any ByteSource
  package var byteOrder = ByteOrder.little
  private let window: UnsafeMutableRawBufferPointer
  private var windowStart: UInt64 = 0
  private var windowCount = 0
  private var cursor = 0

  package init(_ source: any ByteSource) {
    self.source = source
    window = .allocate(byteCount: Self.windowSize, alignment: 8)
  }

  deinit { window.deallocate() }

  /// Offset of the next byte, from the start of the file.
  package var offset: UInt64 { windowStart + UInt64(cursor) }
  /// Bytes between ``offset`` and the end of the file.
  package var remaining: UInt64 { source.size - offset }

  /// A number of a fixed width in the file's byte order.
  @inline(__always)
  package mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(FileError) -> T {
    let width = MemoryLayout<T>.size
    if windowCount - cursor < width { try refill(width, for: "a \(width)-byte number") }
    // SAFETY: `refill` made sure that `width` bytes stand at the cursor.
    let raw = window.loadUnaligned(fromByteOffset: cursor, as: T.self)
    cursor += width
    return byteOrder == .little ? T(littleEndian: raw) : T(bigEndian: raw)
  }

  /// Appends the next `count` bytes to `result`.
  package mutating func append(_ count: UInt64, to result: inout [UInt8], for what: String) throws(FileError) {
    guard count <= remaining else { throw truncated(count, for: what) }
    var rest = Int(count)
    while rest > 0 {
      let step = min(rest, Self.windowSize)
      if windowCount - cursor < step { try refill(step, for: what) }
      // SAFETY: `refill` made sure that `step` bytes stand at the cursor.
      result.append(contentsOf: UnsafeRawBufferPointer(rebasing: window[cursor..<cursor + step]))
      cursor += step
      rest -= step
    }
  }

  /// Moves past `count` bytes without reading them.
  @inline(__always)
  package mutating func skip(_ count: UInt64, for what: String) throws(FileError) {
    if count <= UInt64(windowCount - cursor) {
      cursor += Int(count)
    } else {
      guard count <= remaining else { throw truncated(count, for: what) }
      move(to: offset + count)
    }
  }

  /// Moves past `count` runs of bytes, each behind its length in 8 bytes.
  ///
  /// A tokenizer has hundreds of thousands of these; the loop stands here so that its steps are inlined.
  package mutating func skipRuns(_ count: UInt64, for what: String) throws(FileError) {
    for _ in 0..<count { try skip(integer(UInt64.self), for: what) }
  }

  private mutating func move(to offset: UInt64) {
    windowStart = offset
    windowCount = 0
    cursor = 0
  }

  private mutating func refill(_ count: Int, for what: String) throws(FileError) {
    guard UInt64(count) <= remaining else { throw truncated(UInt64(count), for: what) }
    windowStart += UInt64(cursor)
    cursor = 0
    windowCount = 0
    windowCount = try source.read(at: windowStart, into: window)
    guard windowCount >= count else { throw truncated(UInt64(count), for: what) }
  }

  private func truncated(_ wanted: UInt64, for what: String) -> FileError {
    FileError(
      .truncated, at: SourceLocation(path: source.path, byteOffset: offset),
      found: "the file ends after \(source.size) bytes, \(remaining) from here",
      expected: "\(wanted) more bytes for \(what)", remedy: "download or copy the file again")
  }
}
