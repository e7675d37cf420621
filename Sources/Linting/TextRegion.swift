import LosslessJSON

/// A stretch of a text file as editors count it: lines and columns from 1, columns in Unicode scalars.
public struct TextRegion: Sendable, Equatable {
  public var startLine: Int
  public var startColumn: Int
  /// The place behind the last character.
  public var endLine: Int
  public var endColumn: Int
  /// The text of the first line around the start, at most ``longestExcerpt`` scalars.
  public var excerpt: String
  /// Column of the excerpt's first character.
  public var excerptColumn: Int

  static let longestExcerpt = 160

  /// The place of a value, or of its key when it is a member: what a person would mark.
  package init(_ range: Range<Int>, in bytes: [UInt8]) {
    let (start, end) = (TextPosition(of: range.lowerBound, in: bytes), TextPosition(of: range.upperBound, in: bytes))
    (startLine, startColumn, endLine, endColumn) = (start.line, start.column, end.line, end.column)
    let offset = min(range.lowerBound, bytes.count)
    let lineStart = bytes[..<offset].lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    let lineEnd = bytes[offset...].firstIndex { $0 == 0x0a || $0 == 0x0d } ?? bytes.count
    // Minified files are one line; what is far from the place is left out.
    let before = String(decoding: bytes[lineStart..<offset], as: UTF8.self).unicodeScalars.suffix(
      Self.longestExcerpt / 2)
    let behind = String(decoding: bytes[offset..<min(lineEnd, offset + 4 * Self.longestExcerpt)], as: UTF8.self)
      .unicodeScalars.prefix(Self.longestExcerpt / 2)
    excerpt = String(before) + String(behind)
    excerptColumn = startColumn - before.count
  }
}
