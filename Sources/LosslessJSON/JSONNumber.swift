/// A number as it is spelled.
public struct JSONNumber: Sendable, Equatable {
  /// The literal, or `NaN`, `Infinity`, `-Infinity`.
  public var text: String

  /// Whether the literal has neither a fraction nor an exponent. Python reads such a literal as an `int`.
  public var isInteger: Bool {
    !isBare && !text.utf8.contains { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }
  }

  /// Whether this is one of the tokens that JSON does not know and Python writes.
  public var isBare: Bool { text.utf8.contains { $0 == UInt8(ascii: "N") || $0 == UInt8(ascii: "I") } }

  /// The nearest double; infinite when the literal is too large.
  public var double: Double { Double(text) ?? .nan }

  /// The exact value when it is integral, however it is spelled (`32768`, `32768.0`, `1e6`), and fits.
  public var integer: Int? {
    if isInteger { return Int(text) }
    let parts = text.utf8.split { $0 | 0x20 == UInt8(ascii: "e") }
    let mantissa = parts[0].split(separator: UInt8(ascii: "."))
    var digits = Array(mantissa.joined())
    guard !isBare, let exponent = parts.count == 1 ? 0 : Int(String(decoding: parts[1], as: UTF8.self)) else {
      return nil
    }
    guard digits.contains(where: { UInt8(ascii: "1")...UInt8(ascii: "9") ~= $0 }) else { return 0 }
    // The value is `digits` followed by `zeros` noughts; an `Int` has at most 19 digits.
    var (zeros, overflow) = exponent.subtractingReportingOverflow(mantissa.count == 1 ? 0 : mantissa[1].count)
    while zeros < 0, digits.last == UInt8(ascii: "0") {
      digits.removeLast()
      zeros += 1
    }
    guard !overflow, 0...19 ~= zeros else { return nil }
    digits += repeatElement(UInt8(ascii: "0"), count: zeros)
    return Int(String(decoding: digits, as: UTF8.self))
  }
}
