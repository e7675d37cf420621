import Diagnostics

extension FileError.Code {
  /// The file is empty, or holds nothing but white space.
  package static let jsonEmpty: Self = "json-empty"
  /// The text starts with a byte order mark.
  package static let byteOrderMark: Self = "byte-order-mark"
  /// The file is larger than ``JSONDocument/maximumSize``, or its text heavier than ``JSONDocument/maximumWeight``.
  package static let jsonTooLarge: Self = "json-too-large"

  /// The text ends inside a value.
  package static let jsonUnexpectedEnd: Self = "json-unexpected-end"
  /// A character that cannot stand where it stands: a comment, a single quote, a trailing comma.
  package static let jsonSyntax: Self = "json-syntax"
  /// More text after the document's end.
  package static let jsonTrailingText: Self = "json-trailing-text"
  /// Arrays and objects nested deeper than ``JSONScanner/maximumDepth``.
  package static let jsonDepth: Self = "json-depth"
  /// Bytes that are not UTF-8.
  package static let jsonNotUTF8: Self = "json-not-utf8"
  /// A raw control character, such as a line break, inside a string.
  package static let jsonControlCharacter: Self = "json-control-character"
  /// An unknown escape, or half of a surrogate pair.
  package static let jsonEscape: Self = "json-escape"
  /// A malformed number: `01`, `1.`, `1e`.
  package static let jsonNumber: Self = "json-number"
  /// A string with an escaped NUL, at which C programs cut it.
  package static let jsonNUL: Self = "json-nul"

  /// Our reading and json-c's differ, so the document is not edited.
  package static let jsonDisagreement: Self = "json-disagreement"
  /// A key on the way to the place occurs twice, so it is not clear which one is meant.
  package static let jsonDuplicateKey: Self = "json-duplicate-key"
  /// A pointer leads nowhere in the document.
  package static let jsonNoSuchPlace: Self = "json-no-such-place"
  /// A member is to be inserted whose key is already there.
  package static let jsonKeyExists: Self = "json-key-exists"
  /// Two edits concern the same bytes.
  package static let jsonEditConflict: Self = "json-edit-conflict"
}
