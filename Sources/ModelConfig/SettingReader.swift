import Diagnostics
import LosslessJSON

extension FileError.Code {
  package static let badBase: Self = "bad-base"
  package static let badNumber: Self = "bad-number"
  package static let badLength: Self = "bad-length"
  package static let badDictionary: Self = "bad-dictionary"
  package static let badRotaryDimension: Self = "bad-rotary-dimension"
}

/// Reads members of a config.json as the numbers they should be and collects what is wrong with them.
///
/// An absent or null member gives `nil`; a member that is there and unusable also gives `nil` and adds a problem.
struct SettingReader {
  let config: HuggingFaceConfig
  var problems: [FileError] = []

  init(_ config: HuggingFaceConfig) { self.config = config }

  /// A finite number in `range`.
  mutating func number(
    _ pointer: String, code: FileError.Code = .badNumber, nullIsAbsent: Bool = true, expected: String,
    where isUsable: (Double) -> Bool
  ) -> Declared<Double>? {
    guard let node = config.document[pointer] else { return nil }
    switch node.value {
    case .null where nullIsAbsent: return nil
    case .number(let number) where number.double.isFinite && isUsable(number.double):
      return Declared(number.double, at: config.place(pointer, node))
    default:
      report(code, pointer, found: node.value.phrase, expected: expected)
      return nil
    }
  }

  mutating func positive(_ pointer: String) -> Declared<Double>? {
    number(pointer, expected: "a finite number above 0") { $0 > 0 }
  }

  /// A scaling factor, which null does not stand for.
  mutating func factor(_ pointer: String) -> Declared<Double>? {
    number(pointer, nullIsAbsent: false, expected: "a finite factor above 0") { $0 > 0 }
  }

  mutating func base(_ pointer: String) -> Declared<Double>? {
    number(pointer, code: .badBase, nullIsAbsent: false, expected: "a RoPE base: a finite number above 1") { $0 > 1 }
  }

  /// A count of tokens or elements: a whole number from 1 to 2^53.
  mutating func length(_ pointer: String) -> Declared<Int>? {
    number(pointer, code: .badLength, expected: "a whole number of at least 1") {
      $0 >= 1 && $0 <= 0x1p53 && $0.rounded() == $0
    }?.map { Int($0) }
  }

  mutating func flag(_ pointer: String) -> Declared<Bool>? {
    guard let node = config.document[pointer] else { return nil }
    switch node.value {
    case .bool(let value): return Declared(value, at: config.place(pointer, node))
    case .null: return nil
    default:
      report(.badNumber, pointer, found: node.value.phrase, expected: "true or false")
      return nil
    }
  }

  mutating func text(_ pointer: String) -> Declared<String>? {
    guard let node = config.document[pointer] else { return nil }
    switch node.value {
    case .string(let value): return Declared(value, at: config.place(pointer, node))
    case .null: return nil
    default:
      report(.badNumber, pointer, found: node.value.phrase, expected: "text")
      return nil
    }
  }

  /// A list of finite numbers.
  mutating func numbers(
    _ pointer: String, expected: String = "a finite number", where isUsable: (Double) -> Bool = { _ in true }
  ) -> Declared<[Double]>? {
    guard let node = config.document[pointer], !node.value.isNull else { return nil }
    guard case .array(let elements) = node.value else {
      report(.badNumber, pointer, found: node.value.phrase, expected: "a list of numbers")
      return nil
    }
    var values: [Double] = []
    for (index, element) in elements.enumerated() {
      guard case .number(let number) = element.value, number.double.isFinite, isUsable(number.double) else {
        report(.badNumber, "\(pointer)/\(index)", found: element.value.phrase, expected: expected)
        return nil
      }
      values.append(number.double)
    }
    return Declared(values, at: config.place(pointer, node))
  }

  /// Reports a member that is neither an object nor null nor absent.
  mutating func expectDictionary(_ pointer: String) {
    guard let value = config.document[pointer]?.value, !value.isNull, value.members == nil else { return }
    report(.badDictionary, pointer, found: value.phrase, expected: "an object with the scaling's values, or null")
  }

  mutating func report(_ code: FileError.Code, _ pointer: String, found: String, expected: String) {
    problems.append(
      FileError(
        code, at: config.place(pointer), found: found, expected: expected,
        remedy: "correct the member by hand, or take it from the model's original config.json"))
  }
}

extension JSONValue {
  /// The value as a sentence for messages.
  package var phrase: String { "the value is \(noun)" }

  /// The value in a message.
  package var noun: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let number): String(number.text.prefix(40))
    case .string(let text): "the text \"\(text.prefix(40))\""
    case .array(let elements): "a list of \(elements.count)"
    case .object: "an object"
    }
  }
}
