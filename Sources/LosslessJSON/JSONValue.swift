/// A value and where its text stands.
public struct JSONNode: Sendable {
  /// Bytes of the value's text in the document, without white space around it.
  public var range: Range<Int>
  /// What the text says.
  public var value: JSONValue
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
  /// The key with its escapes resolved.
  public var key: String
  /// Bytes of the key's text, with its quotes.
  public var keyRange: Range<Int>
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
