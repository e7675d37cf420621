import Bytes
import Diagnostics
import LosslessJSON
import Testing

enum Change: Sendable {
  case replace(String, JSONText)
  case insert(String, JSONText, into: String, after: [String] = [])
  case remove(String)
}

/// A text, changes to it, and the exact text that must come out.
struct EditCase: Sendable, CustomTestStringConvertible {
  var name: String
  var given: String
  var changes: [Change]
  var expected: String

  init(_ name: String, _ given: String, _ changes: Change..., gives expected: String) {
    (self.name, self.given, self.changes, self.expected) = (name, given, changes, expected)
  }

  var testDescription: String { name }
}

/// The edits that changes to a text lead to.
func edits(of text: String, _ changes: [Change]) throws(FileError) -> EditList {
  var editor = try JSONEditor(JSONDocument(Array(text.utf8), path: "config.json"))
  for change in changes {
    switch change {
    case .replace(let pointer, let value): try editor.replace(pointer, with: value)
    case .insert(let key, let value, let object, let siblings):
      try editor.insert(key, value, into: object, after: siblings)
    case .remove(let pointer): try editor.remove(pointer)
    }
  }
  return try editor.edits()
}

/// Applies the edits, checks that the result is JSON and that the inverse leads back.
func apply(_ list: EditList, to text: String) throws -> String {
  let old = Array(text.utf8)
  let new = try #require(list.apply(to: old))
  #expect(list.inverse.apply(to: new) == old)
  _ = try JSONDocument(new, path: "edited.json")
  return String(decoding: new, as: UTF8.self)
}
