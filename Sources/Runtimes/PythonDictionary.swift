import LosslessJSON

/// An object of a config.json as Python code sees it after `json.load`: absent, None and a value are three things, and
/// an integer literal is not a float.
struct PythonDictionary {
  private(set) var members: [(key: String, value: JSONValue)]

  init(_ members: [(key: String, value: JSONValue)] = []) { self.members = members }

  /// The members of an object, the last of equal keys winning; empty for every other value.
  init(_ value: JSONValue?) {
    self.init()
    for member in value?.members ?? [] { self[member.key] = member.node.value }
  }

  /// The members of an object that a runtime's code spells out, given as JSON; empty when the text is not an object.
  init(json text: String) { self.init((try? JSONDocument(Array(text.utf8), path: ""))?.root.value) }

  /// A value, `.null` for None, `nil` when the key is absent.
  subscript(key: String) -> JSONValue? {
    get { members.first { $0.key == key }?.value }
    set {
      let index = members.firstIndex { $0.key == key }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append((key, value))
      case (nil, nil): break
      }
    }
  }

  var isEmpty: Bool { members.isEmpty }
  var keys: [String] { members.map(\.key) }

  /// `d.get(key)` as a number: `nil` when absent or None.
  ///
  /// - Throws: `TypeError` for anything that is not a number (true and false count as 1 and 0, as in Python).
  func number(_ key: String) throws(RuntimeRefusal) -> Double? {
    switch self[key] {
    case nil, .null: return nil
    case .number(let number): return number.double
    case .bool(let flag): return flag ? 1 : 0
    default: throw RuntimeRefusal("TypeError", "\(key) is not a number")
    }
  }

  /// `d[key]` as a number.
  ///
  /// - Throws: `KeyError` when absent, `TypeError` for None and for what is not a number.
  func requiredNumber(_ key: String) throws(RuntimeRefusal) -> Double {
    guard self[key] != nil else { throw RuntimeRefusal("KeyError", missing: key, "\(key) is missing") }
    guard let number = try number(key) else { throw RuntimeRefusal("TypeError", "\(key) is None") }
    return number
  }

  /// `d.get(key)` as text.
  func string(_ key: String) -> String? { self[key]?.string }

  /// Whether Python's `if d.get(key):` takes the branch.
  func isTruthy(_ key: String) -> Bool {
    switch self[key] {
    case nil, .null: false
    case .bool(let flag): flag
    case .number(let number): number.double != 0
    case .string(let text): !text.isEmpty
    case .array(let elements): !elements.isEmpty
    case .object(let members): !members.isEmpty
    }
  }

  /// Whether the literal is an integer, which Python reads as `int`.
  func isInteger(_ key: String) -> Bool { self[key]?.number?.isInteger ?? false }

  /// A list of numbers.
  func numbers(_ key: String) -> [Double]? { self[key]?.elements?.compactMap { $0.value.number?.double } }
}
