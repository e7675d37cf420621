/// Where the parts of an array or object stand.
///
/// ```
/// {  "a": 1 ,  "b": 2  }
///  ^^      ^ ^^        ^ close
///  lead(0) │ lead(1)
///          commas[0]
/// ```
struct ContainerLayout {
  private let bytes: [UInt8]
  /// First byte after the opening bracket, and the closing bracket.
  let open: Int, close: Int
  /// Elements, or members from key to value.
  let items: [Range<Int>]
  /// The comma after each item but the last.
  let commas: [Int]
  /// White space, colon and white space between a member's key and value, when on one line.
  let colon: String?

  /// `nil` when the node is neither an array nor an object.
  init?(_ node: JSONNode, in bytes: [UInt8]) {
    switch node.value {
    case .array(let elements):
      items = elements.map(\.range)
      colon = nil
    case .object(let members):
      items = members.map { $0.keyRange.lowerBound..<$0.node.range.upperBound }
      colon = members.lazy.map { bytes[$0.keyRange.upperBound..<$0.node.range.lowerBound] }
        .first { !$0.contains(0x0a) }.map { String(decoding: $0, as: UTF8.self) }
    default: return nil
    }
    self.bytes = bytes
    open = node.range.lowerBound + 1
    close = node.range.upperBound - 1
    commas = zip(items, items.dropFirst()).compactMap { item, next in
      bytes[item.upperBound..<next.lowerBound].firstIndex(of: UInt8(ascii: ","))
    }
  }

  /// White space in front of an item, from the comma or bracket on.
  func lead(_ index: Int) -> ArraySlice<UInt8> {
    bytes[(index == 0 ? open : commas[index - 1] + 1)..<items[index].lowerBound]
  }

  /// White space behind an item, with the comma.
  func separator(_ index: Int) -> ArraySlice<UInt8> { bytes[items[index].upperBound...commas[index]] }

  /// White space between the last item, or the opening bracket, and the closing bracket.
  var tail: ArraySlice<UInt8> { bytes[(items.last?.upperBound ?? open)..<close] }

  /// Indentation of an item that begins a line; `nil` when it does not.
  func indentation(_ index: Int) -> String? {
    let lead = lead(index)
    return lead.lastIndex(of: 0x0a).map { String(decoding: lead[($0 + 1)...], as: UTF8.self) }
  }

  /// Indentation of the first item that begins a line; `nil` when none does.
  var indentation: String? { items.indices.lazy.compactMap(indentation).first }

  /// White space after the first comma that is followed by an item on the same line.
  var afterComma: String? {
    items.indices.dropFirst().lazy.map(lead).first { !$0.contains(0x0a) }.map { String(decoding: $0, as: UTF8.self) }
  }

  /// Whether there is a line break between the brackets.
  var spansLines: Bool { bytes[open..<close].contains(0x0a) }
}
