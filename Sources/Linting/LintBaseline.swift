import Bytes
import Diagnostics
import LosslessJSON

extension FileError.Code {
  package static let badBaseline: Self = "bad-baseline"
}

/// Findings that a project lives with, so that only new ones fail.
///
/// ```
/// {"schema": "yarn-patch.baseline/1",
///  "findings": [{"rule": "YP201", "file": "model/config.json", "at": "/max_position_embeddings", "value": "9f86d081884c7d65"}]}
/// ```
/// Paths are relative to the baseline's folder. The value is the beginning of the SHA-256 of what stands at the place,
/// so a changed value opens the finding again.
public struct LintBaseline: Sendable, Equatable {
  public struct Entry: Sendable, Hashable {
    public var rule: String
    public var file: String
    /// JSON pointer, GGUF key or tensor name; empty for the whole file.
    public var at: String
    public var value: String

    /// - Parameter file: The finding's file, relative to the baseline's folder.
    package init(_ finding: Finding, file: String) {
      rule = finding.rule
      self.file = file
      at = finding.location.key ?? ""
      value = String(SHA256.hexadecimal(of: (finding.actual ?? "").utf8).prefix(16))
    }

    init(rule: String, file: String, at: String, value: String) {
      (self.rule, self.file, self.at, self.value) = (rule, file, at, value)
    }
  }

  public private(set) var entries: Set<Entry>

  package init(_ entries: some Sequence<Entry>) { self.entries = Set(entries) }

  /// - Throws: `bad-baseline` with the place of what is no entry.
  package init(_ document: JSONDocument) throws(FileError) {
    func refusal(_ pointer: String) -> FileError {
      FileError(
        .badBaseline, at: document.location(of: pointer), found: document[pointer]?.value.noun ?? "nothing",
        expected: "findings with rule, file, at and value", remedy: "write the file anew with --write-baseline")
    }
    guard let elements = document["/findings"]?.value.elements else { throw refusal("/findings") }
    var entries: Set<Entry> = []
    for (index, element) in elements.enumerated() {
      func text(_ key: String) -> String? { element.child(key)?.value.string }
      guard let rule = text("rule"), let file = text("file"), let at = text("at"), let value = text("value") else {
        throw refusal("/findings/\(index)")
      }
      entries.insert(Entry(rule: rule, file: file, at: at, value: value))
    }
    self.entries = entries
  }

  /// One line for each finding, in order, so that a review shows what came and went.
  package var text: String {
    let sorted = entries.sorted { ($0.file, $0.rule, $0.at, $0.value) < ($1.file, $1.rule, $1.at, $1.value) }
    let lines = sorted.map { entry in
      "  "
        + JSONText.object([
          ("rule", .string(entry.rule)), ("file", .string(entry.file)), ("at", .string(entry.at)),
          ("value", .string(entry.value)),
        ]).compact
    }
    return """
      {"schema": "yarn-patch.baseline/1", "findings": [
      \(lines.joined(separator: ",\n"))
      ]}

      """
  }
}
