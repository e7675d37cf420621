import Diagnostics

extension JSONScanner {
  /// Moves behind the string that stands next, checking escapes and UTF-8.
  ///
  /// - Returns: Its range with the quotes.
  package mutating func string(expecting expected: String = "a string") throws(FileError) -> Range<Int> {
    guard try peek(expecting: expected) == UInt8(ascii: "\"") else { throw failure(.jsonSyntax, expected: expected) }
    let start = position
    var i = start + 1
    while true {
      i = plainEnd(from: i)
      guard i < bytes.count else { throw failure(.jsonUnexpectedEnd, at: i, expected: "the end of the string") }
      switch bytes[i] {
      case UInt8(ascii: "\""):
        position = i + 1
        return start..<position
      case UInt8(ascii: "\\"): i = try escapeEnd(from: i)
      case ..<0x20: throw failure(.jsonControlCharacter, at: i, expected: "an escape such as \\n")
      case 0x80...: i = try characterEnd(from: i)
      default: i += 1  // One of the last seven bytes, which are too few for a whole word.
      }
    }
  }

  /// Moves behind the string, number, `true`, `false`, `null` or bare number that stands next.
  ///
  /// - Returns: The range of its text.
  @discardableResult
  package mutating func scalar() throws(FileError) -> Range<Int> {
    let byte = try peek()
    let start = position
    switch byte {
    case UInt8(ascii: "\""): _ = try string()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    case UInt8(ascii: "N"): try bareNumber("NaN", from: start)
    case UInt8(ascii: "I"): try bareNumber("Infinity", from: start)
    default: throw failure(.jsonSyntax, expected: "a value")
    }
    return start..<position
  }

  /// The number that stands next, or `nil` when it is not a plain non-negative integer below 2^64.
  package mutating func unsignedInteger() throws(FileError) -> UInt64? {
    if let value = shortInteger() { return value }
    var value: UInt64 = 0
    for i in try scalar() {
      let byte = bytes[i]
      guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      if overflow || carry { return nil }
      value = sum
    }
    return value
  }

  /// Reads digits that stand right here, 1 to 19 of them and without a leading zero, behind which the element ends.
  @inline(__always)
  private mutating func shortInteger() -> UInt64? {
    var value: UInt64 = 0
    var i = position
    while i < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[i], i - position < 19 {
      value = value &* 10 &+ UInt64(bytes[i] & 0xf)
      i += 1
    }
    guard i < bytes.count, bytes[i] == UInt8(ascii: ",") || bytes[i] == UInt8(ascii: "]"),
      i == position + 1 || i > position && bytes[position] != UInt8(ascii: "0")
    else { return nil }
    position = i
    return value
  }

  /// Whether two strings that were scanned are written with the same bytes.
  package func areWrittenAlike(_ a: Range<Int>, _ b: Range<Int>) -> Bool {
    guard a.count == b.count else { return false }
    for i in 0..<a.count where bytes[a.lowerBound + i] != bytes[b.lowerBound + i] { return false }
    return true
  }

  /// The value of a string that was scanned, escapes resolved.
  ///
  /// - Parameter string: Its range with the quotes, as ``string(expecting:)`` and ``nextKey()`` return it.
  package func text(of string: Range<Int>) -> String { Self.text(of: string, in: bytes) }

  /// Whether a string that was scanned says this. `wanted` has no backslash.
  package func text(of string: Range<Int>, is wanted: StaticString) -> Bool {
    let count = wanted.utf8CodeUnitCount
    // Only escapes make a text longer than what it says.
    guard string.count - 2 <= count else {
      return string.lowerBound <= lastEscape && text(of: string) == wanted.description
    }
    guard string.count - 2 == count else { return false }
    for i in 0..<count where bytes[string.lowerBound + 1 + i] != wanted.utf8Start[i] {
      // SAFETY: `i` is below the literal's length.
      return false
    }
    return true
  }

  static func text(of string: Range<Int>, in bytes: [UInt8]) -> String {
    let content = bytes[string.lowerBound + 1..<string.upperBound - 1]
    guard content.contains(UInt8(ascii: "\\")) else { return String(decoding: content, as: UTF8.self) }
    var units: [UInt16] = []
    var rest = content
    while let backslash = rest.firstIndex(of: UInt8(ascii: "\\")) {
      units += String(decoding: rest[..<backslash], as: UTF8.self).utf16
      let letter = bytes[backslash + 1]
      if let escape = Self.escapes.first(where: { $0.letter == letter }) {
        units.append(UInt16(escape.value))
        rest = rest[(backslash + 2)...]
      } else {
        units.append(UInt16(String(decoding: bytes[backslash + 2..<backslash + 6], as: UTF8.self), radix: 16) ?? 0)
        rest = rest[(backslash + 6)...]
      }
    }
    units += String(decoding: rest, as: UTF8.self).utf16
    return String(decoding: units, as: UTF16.self)
  }

  /// The escapes of one letter.
  static let escapes: [(letter: UInt8, value: UInt8)] = [
    (UInt8(ascii: "\""), 0x22), (UInt8(ascii: "\\"), 0x5c), (UInt8(ascii: "/"), 0x2f), (UInt8(ascii: "b"), 0x08),
    (UInt8(ascii: "f"), 0x0c), (UInt8(ascii: "n"), 0x0a), (UInt8(ascii: "r"), 0x0d), (UInt8(ascii: "t"), 0x09),
  ]

  /// Offset of the first byte from `start` on that needs a look (a quote, a backslash, a control character or one
  /// outside ASCII), by words of eight bytes; or of the last few bytes, which do not fill a word.
  @inline(__always)
  private func plainEnd(from start: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let raw = bytes.span.bytes
    var i = start
    while i + 8 <= raw.byteCount {
      // SAFETY: The load checks its bounds, and every bit pattern is a number.
      let word = UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self))
      let quotes = word ^ (ones &* 0x22)
      let backslashes = word ^ (ones &* 0x5c)
      // In each part the high bit of a byte tells that it is wanted; a borrow can spoil only the bytes behind one.
      let controls = (word &- ones &* 0x20) & ~word
      let wanted =
        ((quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | controls | word) & (ones &* 0x80)
      if wanted != 0 { return i + wanted.trailingZeroBitCount / 8 }
      i += 8
    }
    return i
  }

  /// Offset behind the escape whose backslash stands at `start`. Surrogates must come in pairs.
  private mutating func escapeEnd(from start: Int) throws(FileError) -> Int {
    lastEscape = start
    guard byte(start + 1) == UInt8(ascii: "u") else {
      guard Self.escapes.contains(where: { $0.letter == byte(start + 1) }) else {
        throw failure(.jsonEscape, at: start + 1, expected: "one of \" \\ / b f n r t u after the backslash")
      }
      return start + 2
    }
    let unit = try codeUnit(at: start + 2)
    if unit == 0 { firstNUL = firstNUL ?? start }
    guard 0xd800...0xdfff ~= unit else { return start + 6 }
    guard unit < 0xdc00, byte(start + 6) == UInt8(ascii: "\\"), byte(start + 7) == UInt8(ascii: "u"),
      0xdc00...0xdfff ~= (try codeUnit(at: start + 8))
    else { throw failure(.jsonEscape, at: start, expected: "both halves of a surrogate pair") }
    return start + 12
  }

  private func codeUnit(at start: Int) throws(FileError) -> UInt16 {
    var unit: UInt16 = 0
    for i in start..<start + 4 {
      let byte = byte(i)
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt16(byte & 0xf)
      case UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "a")...UInt8(ascii: "f"):
        unit = unit << 4 | UInt16(byte & 0xf + 9)
      default: throw failure(.jsonEscape, at: i, expected: "four hexadecimal digits")
      }
    }
    return unit
  }

  /// Offset behind the UTF-8 sequence at `start` (Unicode 15, table 3-7): no overlong form, no surrogate, nothing above
  /// U+10FFFF.
  private func characterEnd(from start: Int) throws(FileError) -> Int {
    let (length, second): (Int, ClosedRange<UInt8>) =
      switch bytes[start] {
      case 0xc2...0xdf: (2, 0x80...0xbf)
      case 0xe0: (3, 0xa0...0xbf)
      case 0xed: (3, 0x80...0x9f)
      case 0xe1...0xef: (3, 0x80...0xbf)
      case 0xf0: (4, 0x90...0xbf)
      case 0xf1...0xf3: (4, 0x80...0xbf)
      case 0xf4: (4, 0x80...0x8f)
      default: throw failure(.jsonNotUTF8, at: start, expected: "text in UTF-8")
      }
    guard second.contains(byte(start + 1)), (2..<length).allSatisfy({ 0x80...0xbf ~= byte(start + $0) }) else {
      throw failure(.jsonNotUTF8, at: start, expected: "text in UTF-8")
    }
    return start + length
  }

  private mutating func number() throws(FileError) {
    let start = position
    let integer = start + (bytes[start] == UInt8(ascii: "-") ? 1 : 0)
    if byte(integer) == UInt8(ascii: "I") { return try bareNumber("Infinity", from: start) }
    var end = try digitsEnd(from: integer)
    if bytes[integer] == UInt8(ascii: "0"), end > integer + 1 {
      throw failure(.jsonNumber, at: integer, expected: "a number without leading zeros")
    }
    if byte(end) == UInt8(ascii: ".") { end = try digitsEnd(from: end + 1) }
    if byte(end) | 0x20 == UInt8(ascii: "e") {
      let hasSign = byte(end + 1) == UInt8(ascii: "+") || byte(end + 1) == UInt8(ascii: "-")
      end = try digitsEnd(from: end + (hasSign ? 2 : 1))
    }
    position = end
  }

  private func digitsEnd(from start: Int) throws(FileError) -> Int {
    var i = start
    while UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte(i) { i += 1 }
    guard i > start else { throw failure(.jsonNumber, at: start, expected: "a digit") }
    return i
  }

  private mutating func bareNumber(_ name: StaticString, from start: Int) throws(FileError) {
    if bytes[start] == UInt8(ascii: "-") { position += 1 }
    try literal(name)
    firstBareNumber = firstBareNumber ?? start
  }

  private mutating func literal(_ name: StaticString) throws(FileError) {
    for i in 0..<name.utf8CodeUnitCount {
      // SAFETY: `i` is below the literal's length.
      guard byte(position + i) == name.utf8Start[i] else {
        throw failure(.jsonSyntax, at: position + i, expected: "\(name)")
      }
    }
    position += name.utf8CodeUnitCount
  }

  /// The byte at `offset`, or 0, which no rule accepts, behind the end.
  @inline(__always)
  private func byte(_ offset: Int) -> UInt8 { offset < bytes.count ? bytes[offset] : 0 }
}
