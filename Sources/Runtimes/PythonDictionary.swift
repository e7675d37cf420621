import LosslessJSON

/// An object of a config.json as Python code sees it after `json.load`: absent, None and a value are three things.
struct PythonDictionary: Sendable {
  /// Values of the file are read when they are asked for: a config can hold megabytes that no runtime looks at here.
  private enum Stored: Sendable {
    case text(JSONValue)
    case value(PythonValue)

    var value: PythonValue {
      switch self {
      case .text(let value): PythonValue(value)
      case .value(let value): value
      }
    }
  }

  private var stored: [(key: String, value: Stored)] = []
  /// Where each key stands in ``stored``; objects of a config can have many thousand keys.
  private var positions: [String: Int] = [:]

  init(_ members: [(key: String, value: PythonValue)] = []) {
    for (key, value) in members { set(key, .value(value)) }
  }

  /// The members of an object, the last of equal keys winning; empty for every other value.
  init(_ value: JSONValue?) {
    let members = value?.members ?? []
    stored.reserveCapacity(members.count)
    positions.reserveCapacity(members.count)
    for member in members { set(member.key, .text(member.node.value)) }
  }

  /// The members of a value that is a dictionary; empty for every other one.
  init(_ value: PythonValue?) { self = value?.dictionary ?? PythonDictionary() }

  /// A value, `.none` for None, `nil` when the key is absent.
  subscript(key: String) -> PythonValue? {
    get { positions[key].map { stored[$0].value.value } }
    set {
      if let newValue { return set(key, .value(newValue)) }
      guard positions[key] != nil else { return }
      let kept = stored.filter { $0.key != key }
      self = PythonDictionary()
      for (key, value) in kept { set(key, value) }
    }
  }

  private mutating func set(_ key: String, _ value: Stored) {
    if let position = positions[key] {
      stored[position].value = value
    } else {
      positions[key] = stored.count
      stored.append((key, value))
    }
  }

  /// `d.update(other)`
  mutating func update(_ other: PythonDictionary) {
    for (key, value) in other.stored { set(key, value) }
  }

  var members: [(key: String, value: PythonValue)] { stored.map { ($0.key, $0.value.value) } }
  var isEmpty: Bool { stored.isEmpty }
  var keys: [String] { stored.map(\.key) }

  /// `d.setdefault(key, value)`; a None that is there stays.
  mutating func setDefault(_ key: String, _ value: PythonValue?) {
    if self[key] == nil { self[key] = value }
  }

  /// `d.get(key) is not None`
  func hasValue(_ key: String) -> Bool { self[key].map { !$0.isNone } ?? false }

  /// `d.get(key)` as a number: `nil` when absent or None.
  ///
  /// - Throws: `TypeError` for anything that is not a number (true and false count as 1 and 0, as in Python).
  func number(_ key: String) throws(RuntimeRefusal) -> Double? {
    guard let value = self[key], !value.isNone else { return nil }
    guard let number = value.number else { throw RuntimeRefusal("TypeError", "\(key) is not a number") }
    return number
  }

  /// `d[key]` as a number.
  ///
  /// - Throws: `KeyError` when absent, `TypeError` for None and for what is not a number.
  func requiredNumber(_ key: String) throws(RuntimeRefusal) -> Double {
    guard self[key] != nil else { throw RuntimeRefusal("KeyError", missing: key, "\(key) is missing") }
    guard let number = try number(key) else { throw RuntimeRefusal("TypeError", "\(key) is None") }
    return number
  }

  /// A number handed on as a keyword argument: its default when absent.
  ///
  /// - Throws: `TypeError` for None, which is handed on as well, and for what is not a number.
  func argument(_ key: String, default value: Double) throws(RuntimeRefusal) -> Double {
    self[key] == nil ? value : try requiredNumber(key)
  }

  /// `d[key]` as a list of numbers.
  ///
  /// - Throws: `KeyError` when absent, `TypeError` for anything but a list of numbers.
  func requiredNumbers(_ key: String) throws(RuntimeRefusal) -> [Double] {
    guard let value = self[key] else { throw RuntimeRefusal("KeyError", missing: key, "\(key) is missing") }
    guard let numbers = numbers(key), numbers.count == value.list?.count else {
      throw RuntimeRefusal("TypeError", "\(key) is not a list of numbers")
    }
    return numbers
  }

  /// `d.get(key)` as text.
  func string(_ key: String) -> String? { self[key]?.string }

  /// Whether Python's `if d.get(key):` takes the branch.
  func isTruthy(_ key: String) -> Bool { self[key]?.isTruthy ?? false }

  /// Whether the literal is an integer, which Python reads as `int`.
  func isInteger(_ key: String) -> Bool { self[key]?.isInt ?? false }

  /// The numbers of a list.
  func numbers(_ key: String) -> [Double]? { self[key]?.list?.compactMap(\.number) }
}
