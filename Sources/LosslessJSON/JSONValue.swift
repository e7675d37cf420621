/// A value and where its text stands.
public struct JSONNode: Sendable {
  let contents: JSONContents
  let index: Int
  private var tape: JSONTape { contents.tape }

  /// Bytes of the value's text in the document, without white space around it.
  public var range: Range<Int> { tape.range(index) }

  /// What the text says. Read at each call; the items of an array or object are read when they are asked in turn.
  public var value: JSONValue {
    switch tape.first(index) {
    case UInt8(ascii: "{"):
      .object(tape.items(of: index).map { JSONMember(keyNode: node($0), node: node($0 + 1)) })
    case UInt8(ascii: "["): .array(tape.items(of: index).map(node))
    case UInt8(ascii: "\""): .string(tape.text(index))
    case UInt8(ascii: "t"): .bool(true)
    case UInt8(ascii: "f"): .bool(false)
    case UInt8(ascii: "n"): .null
    default: .number(JSONNumber(text: String(decoding: tape.bytes[range], as: UTF8.self)))
    }
  }

  package var isObject: Bool { tape.isObject(index) }

  /// The member or element with this key or index; the last one when a key occurs twice.
  package func child(_ token: String) -> JSONNode? {
    switch tape.first(index) {
    case UInt8(ascii: "{"): return contents.value(of: token, in: index).map(node)
    case UInt8(ascii: "["):
      guard let place = JSONPointer.index(token) else { return nil }
      return tape.items(of: index).dropFirst(place).first { _ in true }.map(node)
    default: return nil
    }
  }

  private func node(_ index: Int) -> JSONNode { JSONNode(contents: contents, index: index) }
}

/// What a JSON text says.
public enum JSONValue: Sendable {
  case null
  case bool(Bool)
  case number(JSONNumber)
  case string(String)
  case array([JSONNode])
  /// Members in the order of the text, duplicates included.
  case object([JSONMember])
}

/// A key with its value.
public struct JSONMember: Sendable {
  let keyNode: JSONNode
  /// The key with its escapes resolved.
  public var key: String { keyNode.contents.tape.text(keyNode.index) }
  /// Bytes of the key's text, with its quotes.
  public var keyRange: Range<Int> { keyNode.range }
  /// The member's value.
  public var node: JSONNode
}

extension JSONValue {
  /// The value as a number, when it is one.
  public var number: JSONNumber? { if case .number(let number) = self { number } else { nil } }
  /// The value as a string, when it is one.
  public var string: String? { if case .string(let string) = self { string } else { nil } }
  /// The value as a truth value, when it is one.
  public var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }
  /// The elements, when the value is an array.
  public var elements: [JSONNode]? { if case .array(let elements) = self { elements } else { nil } }
  /// The members, when the value is an object.
  public var members: [JSONMember]? { if case .object(let members) = self { members } else { nil } }
  /// Whether the value is `null`.
  public var isNull: Bool { if case .null = self { true } else { false } }
}
