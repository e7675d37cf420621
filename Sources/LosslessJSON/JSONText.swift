/// JSON to be written: a value with the spelling of its numbers and the order of its members decided.
public enum JSONText: Sendable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A whole number, without a fraction.
  case integer(Int)
  /// The shortest text that reads back as the same double, whole numbers below 2^53 without a fraction: `4`, `1000000`,
  /// `0.1`. NaN and infinities are written as `null`.
  case number(Double)
  /// As Python writes a float: always recognisable as one, `4.0`, `1e-05`, `1e+16`. NaN and infinities are `null`.
  case float(Double)
  /// A string, escaped as ``quoted(_:)`` says.
  case string(String)
  /// Elements in order.
  case array([JSONText])
  /// Members in the order in which they are written; keys are not compared.
  case object([(key: String, value: JSONText)])
  /// JSON text taken as it is.
  case raw(String)
}

extension JSONText {
  /// The text on one line without spaces.
  public var compact: String { text(in: .compact) }

  /// The text with one member or element per line.
  ///
  /// - Parameters:
  ///   - indent: Added per level.
  ///   - newline: Ends a line.
  ///   - level: Levels around the text; its first line is not indented.
  public func pretty(indent: String = "  ", newline: String = "\n", level: Int = 0) -> String {
    text(
      in: JSONStyle(lineBreak: newline, indent: indent, colon: ": ", afterComma: " "),
      indentedBy: String(repeating: indent, count: level))
  }

  /// The text in a style; lines after the first begin with `indentation` and what the style adds per level.
  func text(in style: JSONStyle, indentedBy indentation: String = "") -> String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value): Self.shortest(value)
    case .float(let value): Self.float(value)
    case .string(let value): Self.quoted(value)
    case .raw(let text): text
    case .array(let elements):
      Self.enclosed("[", "]", in: style, indentedBy: indentation, elements) { element, inner in
        element.text(in: style, indentedBy: inner)
      }
    case .object(let members):
      Self.enclosed("{", "}", in: style, indentedBy: indentation, members) { member, inner in
        Self.quoted(member.key) + style.colon + member.value.text(in: style, indentedBy: inner)
      }
    }
  }

  /// A string in double quotes. Escapes what RFC 8259 demands, quotes, backslashes and control characters, and what does
  /// not show: other controls and invisible formatting. What turns the direction of writing could make a reader see other
  /// values than the ones that stand there.
  public static func quoted(_ string: String) -> String {
    func isPlain(_ byte: UInt8) -> Bool {
      0x20..<0x7f ~= byte && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }
    guard !string.utf8.allSatisfy(isPlain) else { return "\"\(string)\"" }
    var result = "\""
    for scalar in string.unicodeScalars {
      if let escape = JSONScanner.escapes.first(where: { UInt32($0.value) == scalar.value && $0.letter != 0x2f }) {
        result += "\\\(Unicode.Scalar(escape.letter))"
      } else if scalar.isHidden {
        for unit in UTF16.encode(scalar) ?? .init() {
          let digits = String(unit, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private static func enclosed<Item>(
    _ open: String, _ close: String, in style: JSONStyle, indentedBy indentation: String, _ items: [Item],
    _ text: (Item, _ indentation: String) -> String
  ) -> String {
    guard !items.isEmpty else { return open + close }
    guard let lineBreak = style.lineBreak else {
      return open + items.map { text($0, "") }.joined(separator: "," + style.afterComma) + close
    }
    let inner = lineBreak + indentation + style.indent
    return open + inner + items.map { text($0, indentation + style.indent) }.joined(separator: "," + inner)
      + lineBreak + indentation + close
  }

  private static func shortest(_ value: Double) -> String {
    let isWhole = abs(value) < 0x1p53 && value == value.rounded() && (value != 0 || value.sign == .plus)
    return isWhole ? String(Int(value)) : float(value)
  }

  /// Swift and Python agree on the digits; Python goes on without an exponent up to 1e16, Swift up to 2^53.
  private static func float(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    return 0x1p53..<1e16 ~= abs(value) ? "\(Int(value)).0" : value.description
  }
}

extension Unicode.Scalar {
  /// Whether the scalar does not show where it stands: a control, a line break, or formatting.
  package var isHidden: Bool {
    // Most text is ASCII.
    guard value >= 0x7f else { return value < 0x20 }
    return [.control, .format, .lineSeparator, .paragraphSeparator].contains(properties.generalCategory)
  }
}

/// `null` for what is not there.
extension JSONText {
  package static func optional(_ value: String?) -> JSONText { value.map(JSONText.string) ?? .null }
  package static func optional(_ value: Int?) -> JSONText { value.map(JSONText.integer) ?? .null }
  package static func optional(_ value: Double?) -> JSONText { value.map(JSONText.number) ?? .null }
  package static func optional(_ value: Bool?) -> JSONText { value.map(JSONText.bool) ?? .null }
}
