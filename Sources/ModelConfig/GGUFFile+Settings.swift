import Diagnostics
import GGUF

/// Keys read as the numbers they should be.
///
/// An absent key gives `nil`. So does 0 where it stands for a value that does not apply, as llama.cpp takes it.
extension GGUFFile {
  /// A finite number.
  ///
  /// - Throws: `code` for any other value.
  func number(
    _ key: String, code: FileError.Code = .badNumber, zeroIsAbsent: Bool = false,
    expected: String = "a finite number above 0", where isUsable: (Double) -> Bool = { $0 > 0 }
  ) throws(FileError) -> Declared<Double>? {
    guard let value = self[key], !(zeroIsAbsent && value.doubleValue == 0) else { return nil }
    guard let number = value.doubleValue, number.isFinite, isUsable(number) else {
      throw unusable(key, code, expected: expected)
    }
    return Declared(number, at: place(key))
  }

  /// A whole number from 1 on.
  ///
  /// - Throws: `bad-length` for any other value.
  func length(
    _ key: String, zeroIsAbsent: Bool = false, atMost limit: Int = .max
  ) throws(FileError) -> Declared<Int>? {
    guard let value = self[key], !(zeroIsAbsent && value.doubleValue == 0) else { return nil }
    guard let number = value.integerValue, 1...limit ~= number else {
      throw unusable(
        key, .badLength, expected: limit == .max ? "a whole number of at least 1" : "a whole number from 1 to \(limit)")
    }
    return Declared(number, at: place(key))
  }

  /// The width of the model over the number of heads, where both are one number.
  func widthOverHeads(_ keys: GGUFKeys) throws(FileError) -> Declared<Int>? {
    guard let width = try length(keys.embeddingLength), self[keys.headCount]?.type != .array,
      let heads = try length(keys.headCount), width.value >= heads.value
    else { return nil }
    return width.map { $0 / heads.value }
  }

  func unusable(
    _ key: String, _ code: FileError.Code = .badLength, found: String? = nil, expected: String
  ) -> FileError {
    FileError(
      code, at: place(key), found: found ?? self[key].map { "the value is \($0.phrase)" } ?? "the key is missing",
      expected: expected, remedy: "convert the model again, or set the key to a usable value")
  }

  package func place(_ key: String) -> SourceLocation {
    SourceLocation(path: path, byteOffset: entry(key)?.valueRange.lowerBound, key: key)
  }
}

extension GGUFValue {
  /// The value as a phrase for messages.
  package var phrase: String {
    switch self {
    case .string(let text): "\"\(text.prefix(40))\""
    case .array(let array): "a list of \(array.count)"
    case .bool(let value): "\(value)"
    default: integerValue.map(String.init) ?? doubleValue.map { "\($0)" } ?? "unreadable"
    }
  }
}
