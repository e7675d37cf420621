/// A string compared by its bytes. Swift's own comparison equates composed and decomposed letters; JSON keys differ.
package struct ExactKey: Hashable, Sendable {
  /// The string itself.
  package var text: String
  package init(_ text: String) { self.text = text }

  package static func == (a: Self, b: Self) -> Bool {
    // Swift's comparison first: it is quick to tell different strings apart.
    a.text == b.text && a.text.utf8.elementsEqual(b.text.utf8)
  }

  package func hash(into hasher: inout Hasher) {
    text.utf8.withContiguousStorageIfAvailable { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

extension String {
  /// Whether both hold the same bytes.
  func isExactly(_ other: String) -> Bool { ExactKey(self) == ExactKey(other) }
}
