import LosslessJSON

/// An object of a config.json as Python code sees it after `json.load`: absent, None and a value are three things.
///
/// Members of the file are looked up in its text when they are asked for: a config can hold megabytes that no runtime
/// looks at here.
struct PythonDictionary: Sendable {
  /// The object in the file, if the dictionary was read from one. Its keys differ: a config that repeats one is refused.
  private var file: JSONNode?
  /// Members of the file that were given another value, or taken away.
  private var replaced: [String: PythonValue] = [:]
  private var removed: Set<String> = []
  /// Members that are not in the file, or were taken away and came back, in their order.
  private var added: [(key: String, value: PythonValue)] = []
  private var addedPlaces: [String: Int] = [:]

  init(_ members: [(key: String, value: PythonValue)] = []) {
    for (key, value) in members { self[key] = value }
  }

  /// The members of an object; empty for every other value.
  init(_ node: JSONNode?) { file = node?.isObject == true ? node : nil }

  /// The members of a value that is a dictionary; empty for every other one.
  init(_ value: PythonValue?) { self = value?.dictionary ?? PythonDictionary() }

  /// A value, `.none` for None, `nil` when the key is absent.
  subscript(key: String) -> PythonValue? {
    get {
      if let place = addedPlaces[key] { return added[place].value }
      if let value = replaced[key] { return value }
      return removed.contains(key) ? nil : file?.child(key).map(PythonValue.init)
    }
    set {
      let isFromFile = !removed.contains(key) && file?.child(key) != nil
      switch (newValue, addedPlaces[key]) {
      case (let value?, _) where isFromFile: replaced[key] = value
      case (let value?, let place?): added[place].value = value
      case (let value?, nil):
        addedPlaces[key] = added.count
        added.append((key, value))
      case (nil, _) where isFromFile:
        removed.insert(key)
        replaced[key] = nil
      case (nil, let place?):
        added.remove(at: place)
        addedPlaces = Dictionary(uniqueKeysWithValues: added.enumerated().map { ($1.key, $0) })
      case (nil, nil): break
      }
    }
  }

  /// `d.update(other)`
  mutating func update(_ other: PythonDictionary) {
    for (key, value) in other.members { self[key] = value }
  }

  var members: [(key: String, value: PythonValue)] { keys.compactMap { key in self[key].map { (key, $0) } } }
  var isEmpty: Bool { keys.isEmpty }
  var keys: [String] {
    (file?.value.members ?? []).map(\.key).filter { !removed.contains($0) } + added.map(\.key)
  }

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
