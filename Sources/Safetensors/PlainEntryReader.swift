import Glibc

/// Reads a tensor's entry that is written as writers write them, with every byte looked at once and no state to undo:
///
/// ```
/// {"dtype":"BF16","shape":[2048,7168],"data_offsets":[0,29360128]}
/// ```
///
/// That is, without white space and escapes, with the fields in this order and numbers of at most 19 digits. Any other
/// entry is the scanner's, which alone knows what is wrong with it.
struct PlainEntryReader {
  private let text: UnsafeRawBufferPointer
  /// Offset of the next byte to look at.
  private(set) var position: Int

  /// - Parameter text: The header, which the caller keeps in place while the reader is used.
  init(_ text: UnsafeRawBufferPointer, at position: Int) {
    self.text = text
    self.position = position
  }

  /// The entry that stands here, ``position`` then is behind it; `nil` when it is written in another way.
  mutating func entry() -> HeaderReader.Entry? {
    guard skip("{\"dtype\":"), let dtype = word(), skip(",\"shape\":") else { return nil }
    let shape = position
    guard skip("["), let elements = product(), skip(",\"data_offsets\":["), let begin = integer(), skip(","),
      let end = integer(), skip("]}")
    else { return nil }
    return HeaderReader.Entry(dtype: dtype, shape: shape, begin: begin, end: end, elements: elements)
  }

  /// Product of the numbers up to the bracket, `nil` also when it does not fit.
  private mutating func product() -> UInt64? {
    var product: UInt64 = 1
    if skip("]") { return product }
    repeat {
      guard let size = integer(), let next = product.multiplied(by: size) else { return nil }
      product = next
    } while skip(",")
    return skip("]") ? product : nil
  }

  /// The range, with its quotes, of a string of the characters that element types have.
  private mutating func word() -> Range<Int>? {
    let start = position
    guard skip("\"") else { return nil }
    while position < text.count {
      switch text[position] {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        position += 1
        continue
      default: return skip("\"") ? start..<position : nil
      }
    }
    return nil
  }

  private mutating func integer() -> UInt64? {
    let start = position
    var value: UInt64 = 0
    while position < text.count, case let digit = text[position] &- UInt8(ascii: "0"), digit < 10 {
      value = value &* 10 &+ UInt64(digit)
      position += 1
    }
    let count = position - start
    return 1...19 ~= count && (count == 1 || text[start] != UInt8(ascii: "0")) ? value : nil
  }

  /// Moves behind the literal if it stands here.
  @inline(__always)
  private mutating func skip(_ literal: StaticString) -> Bool {
    let count = literal.utf8CodeUnitCount
    // SAFETY: `count` bytes stand at `position` of the text, and the literal has as many.
    guard text.count - position >= count, let start = text.baseAddress,
      memcmp(start + position, literal.utf8Start, count) == 0
    else { return false }
    position += count
    return true
  }
}
