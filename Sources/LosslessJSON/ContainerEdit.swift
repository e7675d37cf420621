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
    var previous: Int?
    var new: [[UInt8]] = []
    var hasChanged = false
    func finish(_ next: Int?) {
      defer { (previous, new, hasChanged) = (next, [], false) }
      guard hasChanged else { return }
      let start = previous.map { layout.items[$0].upperBound } ?? layout.open
      let end = next.map { layout.items[$0].lowerBound } ?? layout.close
      let text = next.map { gap(after: previous, before: $0, new) } ?? ending(after: previous, new)
      edits.append(ByteEdit(at: UInt64(start), expected: Array(bytes[start..<end]), replacement: text))
    }
    for entry in entries {
      switch entry {
      case .kept(let index): finish(index)
      case .removed: hasChanged = true
      case .new(let key, let value):
        hasChanged = true
        let text = JSONText.quoted(key) + style.colon + value.text(in: style, indentedBy: itemIndentation)
        new.append(Array(text.utf8))
      }
    }
    finish(nil)
    return edits
  }

  private var itemIndentation: String { layout.indentation ?? outerIndentation + style.indent }

  /// White space in front of a new item.
  private var lead: [UInt8] { Array((style.lineBreak.map { $0 + itemIndentation } ?? style.afterComma).utf8) }

  /// What stands between two items that stay, or between the opening bracket and the first one.
  ///
  /// Whole lines come and go where items have lines of their own; so the comma of the item before and the indentation of
  /// the item behind stay as they are.
  private func gap(after previous: Int?, before next: Int, _ new: [[UInt8]]) -> [UInt8] {
    let first = layout.lead(previous.map { $0 + 1 } ?? 0)
    let last = layout.lead(next)
    var text = previous.map { Array(layout.separator($0)) } ?? []
    if last.contains(0x0a), previous != nil || first.contains(0x0a) {
      for item in new { text += lead + item + comma }
      text += last
    } else {
      text += first
      for item in new { text += item + comma + lead }
    }
    return text
  }

  /// What stands between the last item that stays, or the opening bracket, and the closing bracket.
  private func ending(after previous: Int?, _ new: [[UInt8]]) -> [UInt8] {
    guard let firstNew = new.first else { return previous == nil ? [] : Array(layout.tail) }
    let start: [UInt8]
    if let previous {
      start = (previous < layout.commas.count ? Array(layout.separator(previous)) : comma) + lead
    } else {
      start = layout.items.isEmpty ? (style.lineBreak == nil ? [] : lead) : Array(layout.lead(0))
    }
    let more = new.dropFirst().flatMap { comma + lead + $0 }
    let tail =
      layout.items.isEmpty ? Array((style.lineBreak.map { $0 + outerIndentation } ?? "").utf8) : Array(layout.tail)
    return start + firstNew + more + tail
  }

  private var comma: [UInt8] { [UInt8(ascii: ",")] }
}
