import Diagnostics

/// Walks over strict JSON text (RFC 8259) once, front to back, giving byte ranges.
///
/// The scanner is the authority on syntax. It allocates nothing while all is well and never recurses, so it serves
/// headers of many megabytes without a tree:
///
/// ```
/// try scanner.beginObject()
/// while let key = try scanner.nextKey() { let value = try scanner.skipValue() }
/// try scanner.end()
/// ```
///
/// Beyond the standard it accepts the bare tokens `NaN`, `Infinity` and `-Infinity`, which Python writes, and remembers
/// the first in ``firstBareNumber``. Errors carry the exact byte.
package struct JSONScanner: Sendable {
  /// Deepest nesting accepted. Real files stay below ten; the cap keeps walks over the tree within the stack.
  package static let maximumDepth = 64

  /// The text.
  package let bytes: [UInt8]
  /// Offset in ``bytes`` of the next byte to look at; may be set to where a value was met before.
  package var position = 0
  /// Offset of the first `NaN`, `Infinity` or `-Infinity` met so far.
  package internal(set) var firstBareNumber: Int?
  /// Offset of the escape met last, -1 before the first.
  package internal(set) var lastEscape = -1
  /// Offset of the first escape met so far that stands for a NUL.
  package internal(set) var firstNUL: Int?

  private let path: String
  private let fileOffset: UInt64
  private let remedy: String?
  private var depth = 0
  /// An opening bracket was the last thing read, so no comma comes first.
  private var isAtStart = false

  /// - Parameters:
  ///   - path: The file's name, for errors.
  ///   - fileOffset: Where `bytes` start in the file; added to the offsets in errors.
  ///   - remedy: What errors advise; by default to repair the line and column.
  package init(_ bytes: [UInt8], path: String, fileOffset: UInt64 = 0, remedy: String? = nil) {
    self.bytes = bytes
    self.path = path
    self.fileOffset = fileOffset
    self.remedy = remedy
  }

  /// The next byte that is not white space; ``position`` then is its offset.
  ///
  /// - Parameter expected: What should stand there, should the text end instead.
  @inline(__always)
  package mutating func peek(expecting expected: String = "a value") throws(FileError) -> UInt8 {
    skipWhitespace()
    guard position < bytes.count else { throw failure(.jsonUnexpectedEnd, at: position, expected: expected) }
    return bytes[position]
  }

  /// Enters the object that stands next; ``nextKey()`` follows.
  package mutating func beginObject() throws(FileError) { try begin(UInt8(ascii: "{"), "an object") }

  /// Enters the array that stands next; ``nextElement()`` follows.
  package mutating func beginArray() throws(FileError) { try begin(UInt8(ascii: "["), "an array") }

  /// Moves to the value of the next member of the object entered last, which must be read or skipped before the next
  /// call.
  ///
  /// - Returns: The key's range with its quotes, or `nil` when the object ends here and was left.
  package mutating func nextKey() throws(FileError) -> Range<Int>? {
    guard try advance(until: UInt8(ascii: "}"), expecting: "a comma or '}'") else { return nil }
    let key = try string(expecting: "a key in double quotes")
    guard try peek(expecting: "':'") == UInt8(ascii: ":") else { throw failure(.jsonSyntax, expected: "':'") }
    position += 1
    return key
  }

  /// Moves to the next value of the array entered last, which must be read or skipped before the next call.
  ///
  /// - Returns: `false` when the array ends here and was left.
  package mutating func nextElement() throws(FileError) -> Bool {
    try advance(until: UInt8(ascii: "]"), expecting: "a comma or ']'")
  }

  /// Checks the value that stands next, whatever it is, and moves behind it.
  ///
  /// - Returns: The range of its text.
  @discardableResult
  package mutating func skipValue() throws(FileError) -> Range<Int> {
    _ = try peek()
    let start = position
    let outerDepth = depth
    var isObject: UInt64 = 0  // One bit per level; the lowest is the innermost.
    repeat {
      switch try peek() {
      case UInt8(ascii: "{"):
        try beginObject()
        isObject = isObject << 1 | 1
      case UInt8(ascii: "["):
        try beginArray()
        isObject <<= 1
      default: try scalar()
      }
      while depth > outerDepth {
        let continues = isObject & 1 == 1 ? try nextKey() != nil : try nextElement()
        if continues { break }
        isObject >>= 1
      }
    } while depth > outerDepth
    return start..<position
  }

  /// Makes sure that nothing but white space is left.
  package mutating func end() throws(FileError) {
    skipWhitespace()
    guard position == bytes.count else { throw failure(.jsonTrailingText, expected: "the end of the text") }
  }

  /// The error for something wrong at `offset`, or at the current position; the end of the text has a code of its own.
  @inline(never)
  package func failure(_ code: FileError.Code, at offset: Int? = nil, expected: String) -> FileError {
    let offset = offset ?? position
    let isEnd = offset >= bytes.count
    let place = TextPosition(of: offset, in: bytes)
    let found =
      if isEnd {
        "the text ends"
      } else if 0x21...0x7e ~= bytes[offset] {
        "the character \(Unicode.Scalar(bytes[offset]))"
      } else {
        "the byte 0x\(String(bytes[offset], radix: 16))"
      }
    return FileError(
      isEnd ? .jsonUnexpectedEnd : code, at: SourceLocation(path: path, byteOffset: fileOffset + UInt64(offset)),
      found: found, expected: expected, remedy: remedy ?? "repair line \(place.line), column \(place.column)")
  }

  @inline(__always)
  private mutating func skipWhitespace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x0a, 0x0d, 0x09: position += 1
      default: return
      }
    }
  }

  private mutating func begin(_ opening: UInt8, _ expected: String) throws(FileError) {
    guard try peek(expecting: expected) == opening else { throw failure(.jsonSyntax, expected: expected) }
    guard depth < Self.maximumDepth else {
      throw failure(.jsonDepth, expected: "no more than \(Self.maximumDepth) arrays and objects inside each other")
    }
    depth += 1
    position += 1
    isAtStart = true
  }

  private mutating func advance(until closing: UInt8, expecting expected: String) throws(FileError) -> Bool {
    let byte = try peek(expecting: expected)
    let needsComma = !isAtStart
    isAtStart = false
    if byte == closing {
      position += 1
      depth -= 1
      return false
    }
    guard needsComma else { return true }
    guard byte == UInt8(ascii: ",") else { throw failure(.jsonSyntax, expected: expected) }
    position += 1
    return true
  }
}
