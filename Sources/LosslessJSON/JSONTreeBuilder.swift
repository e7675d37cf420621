import Diagnostics

/// Reads a document's tree from the scanner.
struct JSONTreeBuilder {
  private var scanner: JSONScanner
  private let path: String
  /// Keys and indices that lead to the value being read.
  private var tokens: [String] = []
  private(set) var duplicates: [JSONDuplicate] = []
  private(set) var bareNumbers: [String] = []

  init(_ bytes: [UInt8], path: String) {
    scanner = JSONScanner(bytes, path: path)
    self.path = path
  }

  mutating func document() throws(FileError) -> JSONNode {
    let root = try value()
    try scanner.end()
    return root
  }

  /// Reads the next value. The recursion is as deep as the text, which the scanner limits.
  private mutating func value() throws(FileError) -> JSONNode {
    let first = try scanner.peek()
    let start = scanner.position
    let value: JSONValue =
      switch first {
      case UInt8(ascii: "{"): .object(try members())
      case UInt8(ascii: "["): .array(try elements())
      case UInt8(ascii: "\""): .string(try text(of: scanner.string()))
      default: scalar(try scanner.scalar())
      }
    return JSONNode(range: start..<scanner.position, value: value)
  }

  private mutating func members() throws(FileError) -> [JSONMember] {
    try scanner.beginObject()
    var members: [JSONMember] = []
    var places = KeyPlaces()
    while let keyRange = try scanner.nextKey() {
      let key = try text(of: keyRange)
      tokens.append(key)
      if let earlier = places.place(of: key, among: members), duplicates.count < JSONDocument.maximumRemarks {
        duplicates.append(
          JSONDuplicate(
            pointer: JSONPointer.joining(tokens), first: members[earlier].keyRange.lowerBound,
            second: keyRange.lowerBound))
      }
      members.append(JSONMember(key: key, keyRange: keyRange, node: try value()))
      tokens.removeLast()
    }
    return members
  }

  private mutating func elements() throws(FileError) -> [JSONNode] {
    try scanner.beginArray()
    var elements: [JSONNode] = []
    while try scanner.nextElement() {
      tokens.append(String(elements.count))
      elements.append(try value())
      tokens.removeLast()
    }
    return elements
  }

  private mutating func scalar(_ range: Range<Int>) -> JSONValue {
    let text = String(decoding: scanner.bytes[range], as: UTF8.self)
    switch text {
    case "true": return .bool(true)
    case "false": return .bool(false)
    case "null": return .null
    default:
      let number = JSONNumber(text: text)
      if number.isBare, bareNumbers.count < JSONDocument.maximumRemarks {
        bareNumbers.append(JSONPointer.joining(tokens))
      }
      return .number(number)
    }
  }

  /// A string's value. NUL is refused here, before json-c, which would cut a key at it, sees the text.
  private func text(of range: Range<Int>) throws(FileError) -> String {
    let text = scanner.text(of: range)
    // Only an escape, which makes the text longer than its value, can give one.
    guard text.utf8.count + 2 < range.count, text.utf8.contains(0) else { return text }
    throw FileError(
      .jsonNUL, at: SourceLocation(path: path, byteOffset: UInt64(range.lowerBound)),
      found: "a string contains an escaped NUL character", expected: "text without it",
      remedy: "remove \\u0000; many programs would read the string only up to there")
  }
}
