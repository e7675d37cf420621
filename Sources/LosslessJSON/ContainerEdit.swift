import Bytes

/// Items leaving and joining one array or object, turned into changes of the white space and commas between the items
/// that stay. The text of an item that stays is never part of a change.
struct ContainerEdit {
  /// What stands between the brackets afterwards, in order; removed items keep their place until the end.
  enum Entry {
    case kept(Int)
    case removed(Int)
    case new(key: String, value: JSONText)
  }

  let layout: ContainerLayout
  let style: JSONStyle
  /// Indentation of the line that the container starts on.
  let outerIndentation: String
  var entries: [Entry]

  /// One edit for each gap between items that stay in which something changes.
  func edits(of bytes: [UInt8]) -> [ByteEdit] {
    var edits: [ByteEdit] = []
    var gap = Gap()
    func finish(_ next: Int?) {
      defer { gap = Gap(previous: next) }
      guard gap.hasChanged else { return }
      gap.next = next
      let start = gap.previous.map { layout.items[$0].upperBound } ?? layout.open
      let end = next.map { layout.items[$0].lowerBound } ?? layout.close
      let text = next == nil ? ending(gap) : separation(gap)
      edits.append(ByteEdit(at: UInt64(start), expected: Array(bytes[start..<end]), replacement: text))
    }
    for entry in entries {
      switch entry {
      case .kept(let index): finish(index)
      case .removed: gap.hasChanged = true
      case .new(let key, let value):
        gap.hasChanged = true
        gap.new.append((key, value))
      }
    }
    finish(nil)
    return edits
  }

  /// What lies between two items that stay; `nil` stands for the brackets.
  private struct Gap {
    var previous: Int?
    var next: Int?
    var new: [(key: String, value: JSONText)] = []
    var hasChanged = false
  }

  /// Indentation of new items: that of the line before, or else of the line behind, since some files mix several.
  private func indentation(_ gap: Gap) -> String {
    [gap.previous, gap.next].lazy.compactMap { $0.flatMap(layout.indentation) }.first
      ?? layout.indentation ?? outerIndentation + style.indent
  }

  /// White space in front of a new item.
  private func lead(_ gap: Gap) -> [UInt8] {
    Array((style.lineBreak.map { $0 + indentation(gap) } ?? style.afterComma).utf8)
  }

  private func texts(_ gap: Gap) -> [[UInt8]] {
    let indentation = indentation(gap)
    let style = style.stepping(from: outerIndentation, to: indentation)
    return gap.new.map { key, value in
      Array((JSONText.quoted(key) + style.colon + value.text(in: style, indentedBy: indentation)).utf8)
    }
  }

  /// The new text between two items that stay, or between the opening bracket and the first one.
  ///
  /// Whole lines come and go where items have lines of their own; so the comma of the item before and the indentation of
  /// the item behind stay as they are.
  private func separation(_ gap: Gap) -> [UInt8] {
    let first = layout.lead(gap.previous.map { $0 + 1 } ?? 0)
    let last = gap.next.map(layout.lead) ?? []
    var text = gap.previous.map { Array(layout.separator($0)) } ?? []
    if last.contains(0x0a), gap.previous != nil || first.contains(0x0a) {
      for item in texts(gap) { text += lead(gap) + item + comma }
      text += last
    } else {
      text += first
      for item in texts(gap) { text += item + comma + lead(gap) }
    }
    return text
  }

  /// The new text between the last item that stays, or the opening bracket, and the closing bracket.
  private func ending(_ gap: Gap) -> [UInt8] {
    guard !gap.new.isEmpty else { return gap.previous == nil ? [] : Array(layout.tail) }
    let start: [UInt8]
    if let previous = gap.previous {
      start = (previous < layout.commas.count ? Array(layout.separator(previous)) : comma) + lead(gap)
    } else {
      start = layout.items.isEmpty ? (style.lineBreak == nil ? [] : lead(gap)) : Array(layout.lead(0))
    }
    let lineEnd = style.lineBreak.map { $0 + outerIndentation } ?? ""
    let end = layout.items.isEmpty ? Array(lineEnd.utf8) : Array(layout.tail)
    return start + texts(gap).joined(separator: comma + lead(gap)) + end
  }

  private var comma: [UInt8] { [UInt8(ascii: ",")] }
}
