// How names and bytes stand in the text of an undo record.

extension String {
  /// Printable ASCII as it is, every other byte of the UTF-8 form, space and `%` as `%20`.
  var percentEncoded: String {
    var result = ""
    for byte in utf8 {
      if byte > 0x20, byte < 0x7f, byte != UInt8(ascii: "%") {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        result += "%\([byte].hexadecimal)"
      }
    }
    return result
  }

  /// `nil` when an escape is not complete or the bytes are not UTF-8.
  var percentDecoded: String? {
    var bytes: [UInt8] = []
    var rest = utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let decoded = [UInt8](hexadecimal: Substring(rest.prefix(2))), decoded.count == 1 else { return nil }
      bytes += decoded
      rest = rest.dropFirst(2)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}

extension [UInt8] {
  /// Two lower-case digits per byte, `-` for none.
  var hexadecimal: String {
    if isEmpty { return "-" }
    let digits = [UInt8]("0123456789abcdef".utf8)
    return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  init?(hexadecimal text: Substring) {
    self = []
    guard text != "-" else { return }
    var rest = text.utf8[...]
    while let high = rest.popFirst() {
      guard let low = rest.popFirst(), let high = Self.digit(high), let low = Self.digit(low) else { return nil }
      append(high << 4 | low)
    }
  }

  private static func digit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    default: nil
    }
  }
}
