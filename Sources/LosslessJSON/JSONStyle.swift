/// How new text is set, taken from the text around it.
struct JSONStyle {
  /// Ends a line; `nil` when everything stands on one line.
  var lineBreak: String?
  /// What a level adds to the indentation.
  var indent: String
  /// Between key and value.
  var colon: String
  /// White space after a comma on the same line.
  var afterComma: String

  static let compact = JSONStyle(lineBreak: nil, indent: "", colon: ":", afterComma: "")

  /// The style with the step of indentation seen between two lines. Unchanged when the inner line is not deeper or mixes
  /// tabs and spaces otherwise, since the difference means nothing then.
  func stepping(from outer: String, to inner: String) -> JSONStyle {
    guard inner.utf8.count > outer.utf8.count, inner.utf8.starts(with: outer.utf8) else { return self }
    var style = self
    style.indent = String(inner.dropFirst(outer.count))
    return style
  }
}

extension JSONDocument {
  /// The line break used, judged by the first; `nil` when there is none.
  package var lineBreak: String? {
    guard let newline = bytes.firstIndex(of: 0x0a) else { return nil }
    return newline > 0 && bytes[newline - 1] == 0x0d ? "\r\n" : "\n"
  }

  /// White space in front of the top-level members; `nil` when they stand on one line.
  package var indentation: String? { ContainerLayout(root, in: bytes)?.indentation }

  /// Whether the top-level keys ascend, as Python's `sort_keys` writes them; `false` for fewer than two.
  package var keysAreSorted: Bool { areSorted(root.value.members?.map(\.key) ?? []) }

  /// The style in which items of the innermost of some containers are set.
  ///
  /// - Parameter containers: Arrays and objects from the outermost to the innermost, not empty.
  func style(inside containers: [JSONNode]) -> JSONStyle {
    guard let container = containers.last, let layout = ContainerLayout(container, in: bytes) else { return .compact }
    let around = containers.count > 1 ? style(inside: containers.dropLast()) : nil
    let colon = layout.colon ?? around?.colon ?? ": "
    let gap = layout.afterComma ?? around?.afterComma ?? (colon.utf8.last == 0x20 ? " " : "")
    guard let indentation = layout.indentation else {
      let isOpen = layout.items.isEmpty && (around?.lineBreak != nil || layout.spansLines)
      return JSONStyle(
        lineBreak: isOpen ? lineBreak : nil, indent: around?.indent ?? "  ", colon: colon, afterComma: gap)
    }
    return JSONStyle(lineBreak: lineBreak, indent: around?.indent ?? "", colon: colon, afterComma: gap)
      .stepping(from: lineIndentation(at: container.range.lowerBound), to: indentation)
  }

  /// White space at the start of the line on which a byte stands.
  func lineIndentation(at offset: Int) -> String {
    let start = bytes[..<offset].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    return String(decoding: bytes[start...].prefix { $0 == 0x20 || $0 == 0x09 }, as: UTF8.self)
  }
}

/// Whether keys ascend as Python sorts them, by code points; two at least, as fewer show nothing.
func areSorted(_ keys: [String]) -> Bool {
  keys.count > 1 && zip(keys, keys.dropFirst()).allSatisfy { !$1.utf8.lexicographicallyPrecedes($0.utf8) }
}
