import LosslessJSON

/// A value of a config.json as Python code sees it after `json.load`: None is a value, and an integer is not a float.
enum PythonValue: Sendable {
  case none
  case bool(Bool)
  case int(Double)
  case float(Double)
  case string(String)
  case list([PythonValue])
  case dictionary(PythonDictionary)

  init(_ node: JSONNode) {
    switch node.value {
    case .null: self = .none
    case .bool(let flag): self = .bool(flag)
    case .number(let number): self = number.isInteger ? .int(number.double) : .float(number.double)
    case .string(let text): self = .string(text)
    case .array(let elements): self = .list(elements.map(PythonValue.init))
    case .object: self = .dictionary(PythonDictionary(node))
    }
  }

  var isNone: Bool { if case .none = self { true } else { false } }
  var string: String? { if case .string(let text) = self { text } else { nil } }
  var list: [PythonValue]? { if case .list(let values) = self { values } else { nil } }
  var dictionary: PythonDictionary? { if case .dictionary(let dictionary) = self { dictionary } else { nil } }

  /// What arithmetic sees: true and false are 1 and 0.
  var number: Double? {
    switch self {
    case .int(let value), .float(let value): value
    case .bool(let flag): flag ? 1 : 0
    default: nil
    }
  }

  /// `isinstance(x, int)`; a bool is one.
  var isInt: Bool {
    switch self {
    case .int, .bool: true
    default: false
    }
  }

  /// `isinstance(x, float)`.
  var isFloat: Bool { if case .float = self { true } else { false } }

  /// Whether `if x:` takes the branch.
  var isTruthy: Bool {
    switch self {
    case .none: false
    case .bool(let flag): flag
    case .int(let value), .float(let value): value != 0
    case .string(let text): !text.isEmpty
    case .list(let values): !values.isEmpty
    case .dictionary(let dictionary): !dictionary.isEmpty
    }
  }
}
