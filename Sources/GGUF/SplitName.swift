/// The name of one file of a split set: `model-00001-of-00003.gguf`.
package struct SplitName: Sendable, Equatable {
  /// What stands before the numbers: `model`.
  package let prefix: String
  /// Number of the file, from 0 as in the `split.no` key; the name counts from 1.
  package let index: Int
  /// Number of files.
  package let count: Int

  /// `nil` when a file name has no such numbers, or the first is not within the second.
  package init?(fileName: String) {
    guard fileName.hasSuffix(".gguf") else { return nil }
    let parts = fileName.dropLast(5).split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 4, parts[parts.count - 2] == "of",
      let number = Self.number(parts[parts.count - 3]), let count = Self.number(parts[parts.count - 1]),
      1...count ~= number
    else { return nil }
    prefix = parts.dropLast(3).joined(separator: "-")
    index = number - 1
    self.count = count
  }

  /// The name of another file of the set, numbered from 0.
  package func name(of index: Int) -> String {
    "\(prefix)-\(Self.numbered(index, of: count)).gguf"
  }

  /// The numbers in the name of a file of a set: `00001-of-00003` for the one numbered 0.
  package static func numbered(_ index: Int, of count: Int) -> String { "\(digits(index + 1))-of-\(digits(count))" }

  /// Five digits or more, as llama.cpp writes them.
  private static func number(_ text: Substring) -> Int? {
    guard text.utf8.count >= 5, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text),
      number > 0
    else { return nil }
    return number
  }

  private static func digits(_ number: Int) -> String {
    String(repeating: "0", count: max(0, 5 - String(number).count)) + String(number)
  }
}
