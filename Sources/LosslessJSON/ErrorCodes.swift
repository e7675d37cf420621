import Diagnostics

extension FileError.Code {
  /// The file is empty, or holds nothing but white space.
  package static let jsonEmpty: Self = "jsonEmpty"
  /// The text starts with a byte order mark.
  package static let byteOrderMark: Self = "byteOrderMark"
  /// The file is larger than ``JSONDocument/maximumSize``.
  package static let jsonTooLarge: Self = "jsonTooLarge"

  /// The text ends inside a value.
  package static let jsonUnexpectedEnd: Self = "jsonUnexpectedEnd"
  /// A character that cannot stand where it stands: a comment, a single quote, a trailing comma.
  package static let jsonSyntax: Self = "jsonSyntax"
  /// More text after the document's end.
  package static let jsonTrailingText: Self = "jsonTrailingText"
  /// Arrays and objects nested deeper than ``JSONScanner/maximumDepth``.
  package static let jsonDepth: Self = "jsonDepth"
  /// Bytes that are not UTF-8.
  package static let jsonNotUTF8: Self = "jsonNotUTF8"
  /// A raw control character, such as a line break, inside a string.
  package static let jsonControlCharacter: Self = "jsonControlCharacter"
  /// An unknown escape, or half of a surrogate pair.
  package static let jsonEscape: Self = "jsonEscape"
  /// A malformed number: `01`, `1.`, `1e`.
  package static let jsonNumber: Self = "jsonNumber"
  /// A string with an escaped NUL, at which C programs cut it.
  package static let jsonNUL: Self = "jsonNUL"

  /// Our reading and json-c's differ, so the document is not edited.
  package static let jsonDisagreement: Self = "jsonDisagreement"
  /// A key on the way to the place occurs twice, so it is not clear which one is meant.
  package static let jsonDuplicateKey: Self = "jsonDuplicateKey"
  /// A pointer leads nowhere in the document.
  package static let jsonNoSuchPlace: Self = "jsonNoSuchPlace"
  /// A member is to be inserted whose key is already there.
  package static let jsonKeyExists: Self = "jsonKeyExists"
  /// Two edits concern the same bytes.
  package static let jsonEditConflict: Self = "jsonEditConflict"
}
