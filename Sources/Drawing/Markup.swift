/// A piece of SVG or HTML that is well-formed by construction: whatever enters as text or as an attribute is escaped.
package struct Markup: Sendable, Equatable {
  /// The markup as it is written to a document.
  package let source: String

  /// Plain text.
  package init(text: String) { source = Self.escaped(text) }

  /// An element; one without children is written as an empty tag.
  package init(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ children: [Markup] = []) {
    let tag = attributes.reduce(name) { "\($0) \($1.key)=\"\(Self.escaped($1.value))\"" }
    // One line for each part where white space means nothing, for those who compare documents.
    let gap = ["svg", "g"].contains(name) ? "\n" : ""
    source =
      children.isEmpty ? "<\(tag)/>" : "<\(tag)>\(gap)\(children.map { $0.source + gap }.joined())</\(name)>"
  }

  /// An element that holds a text.
  package init(_ name: String, _ attributes: KeyValuePairs<String, String> = [:], text: String) {
    self.init(name, attributes, [Markup(text: text)])
  }

  private static let hidden: Set<Unicode.GeneralCategory> = [.control, .format, .lineSeparator, .paragraphSeparator]

  /// Text for content and for attributes in double quotes. What XML 1.0 cannot hold at all becomes U+FFFD; what it holds
  /// and does not show, other controls and invisible formatting, is written as a reference.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      // As references: a parser would read them as spaces in an attribute, and a bare carriage return as a line feed.
      case "\t", "\n", "\r": result += "&#\(scalar.value);"
      case "\0"..<" ", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      case _ where scalar.value > 0x7e && hidden.contains(scalar.properties.generalCategory):
        result += "&#\(scalar.value);"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Double {
  /// A coordinate: at most two decimals, the same on every machine.
  package var coordinate: String {
    // No drawing is so large; what a file's numbers make of a place must not stop the command, so it is put at the edge.
    let place = isNaN ? 0 : Swift.min(Swift.max(self, -1e9), 1e9)
    let hundredths = Int((place * 100).rounded())
    let (whole, fraction) = hundredths.magnitude.quotientAndRemainder(dividingBy: 100)
    let decimals = fraction % 10 == 0 ? "\(fraction / 10)" : fraction < 10 ? "0\(fraction)" : "\(fraction)"
    return (hundredths < 0 ? "-" : "") + "\(whole)" + (fraction == 0 ? "" : ".\(decimals)")
  }
}
