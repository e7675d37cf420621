import Bytes
import Diagnostics
import GGUF
import LosslessJSON

/// A value that a file is to state, or no longer to state.
public struct SettingChange: Sendable {
  /// What stands at a place of the file afterwards.
  public enum Value: Sendable {
    case json(JSONText)
    case gguf(GGUFValue)
    case absent
  }

  public var path: String
  /// JSON pointer or GGUF key.
  public var key: String
  public var value: Value
  /// Keys of a JSON object after which a new member should stand; the first that is there counts.
  public var siblings: [String]

  public init(_ path: String, _ key: String, _ value: Value, after siblings: [String] = []) {
    self.path = path
    self.key = key
    self.value = value
    self.siblings = siblings
  }
}

extension JSONDocument {
  /// The edits that make changes of this file. A member that is to be absent and is not there is passed over.
  ///
  /// - Throws: What ``JSONEditor`` throws; `jsonNoSuchPlace` also for a value that only a GGUF can hold.
  package func edits(for changes: some Sequence<SettingChange>) throws(FileError) -> EditList {
    var editor = try JSONEditor(self)
    for change in changes {
      let isThere = self[change.key] != nil
      switch change.value {
      case .json(let text) where isThere: try editor.replace(change.key, with: text)
      case .json(let text):
        let tokens = JSONPointer.tokens(of: change.key) ?? []
        try editor.insert(
          tokens.last ?? "", text, into: JSONPointer.joining(tokens.dropLast()), after: change.siblings)
      case .absent where isThere: try editor.remove(change.key)
      case .absent: break
      case .gguf:
        throw FileError(
          .jsonNoSuchPlace, at: location(of: change.key), found: "a value of a GGUF", expected: "a JSON value",
          remedy: "correct the list of changes")
      }
    }
    return try editor.edits()
  }
}
