/// A place in a text as editors show it.
package struct TextPosition: Sendable, Equatable {
  /// From 1.
  package var line: Int
  /// In characters (Unicode scalars), from 1.
  package var column: Int

  /// The place of a byte, or of the end when `offset` is behind it.
  package init(of offset: Int, in bytes: [UInt8]) {
    let before = bytes.prefix(offset)
    let lineStart = before.lastIndex(of: 0x0a).map { $0 + 1 } ?? 0
    line = before.count { $0 == 0x0a } + 1
    column = before[lineStart...].count { $0 & 0xc0 != 0x80 } + 1
  }
}
