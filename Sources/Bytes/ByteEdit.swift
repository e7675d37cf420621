/// A change to a file: at `offset`, the bytes `expected` become `replacement`.
///
/// Either side may be empty (an insertion, a removal). The old bytes are part of the edit, so it can be refused when the
/// file has changed, shown as a difference, and turned round to undo it.
package struct ByteEdit: Sendable, Equatable {
  /// Offset in the file before any edit of the same list.
  package var offset: UInt64
  package var expected: [UInt8]
  package var replacement: [UInt8]

  package init(at offset: UInt64, expected: [UInt8], replacement: [UInt8]) {
    self.offset = offset
    self.expected = expected
    self.replacement = replacement
  }

  /// First byte after the old bytes.
  package var end: UInt64 { offset + UInt64(expected.count) }
  /// How much the file grows, negative when it shrinks.
  package var sizeChange: Int64 { Int64(replacement.count) - Int64(expected.count) }
}

/// Edits of one file in ascending order, none overlapping another.
package struct EditList: Sendable, Equatable {
  package private(set) var edits: [ByteEdit]

  /// Sorts the edits; edits at the same offset keep their order, and edits that change nothing are dropped.
  ///
  /// Overlap is our own mistake, never a file's, and traps.
  package init(_ edits: [ByteEdit]) {
    self.edits =
      edits.filter { $0.expected != $0.replacement }.enumerated()
      .sorted { ($0.element.offset, $0.offset) < ($1.element.offset, $1.offset) }.map(\.element)
    for (earlier, later) in zip(self.edits, self.edits.dropFirst()) {
      precondition(earlier.end <= later.offset, "edits overlap at byte \(later.offset)")
    }
  }

  package var isEmpty: Bool { edits.isEmpty }
  package var sizeChange: Int64 { edits.reduce(0) { $0 + $1.sizeChange } }

  /// The region of the old file that holds every edit, empty when there is none.
  package var extent: Range<UInt64> { (edits.first?.offset ?? 0)..<(edits.last?.end ?? 0) }

  /// The edits that lead back: applied to the new file they give the old one.
  package var inverse: EditList {
    var shift: Int64 = 0
    var result: [ByteEdit] = []
    for edit in edits {
      let offset = UInt64(Int64(edit.offset) + shift)
      result.append(ByteEdit(at: offset, expected: edit.replacement, replacement: edit.expected))
      shift += edit.sizeChange
    }
    return EditList(result)
  }

  /// The new bytes of a region of the old file that starts at `start` and holds every edit.
  ///
  /// - Returns: `nil` when the bytes differ from what an edit expects.
  package func apply(to old: [UInt8], startingAt start: UInt64 = 0) -> [UInt8]? {
    var result: [UInt8] = []
    var position = start
    for edit in edits {
      guard edit.offset >= position, edit.end <= start + UInt64(old.count) else { return nil }
      let from = Int(edit.offset - start)
      let to = Int(edit.end - start)
      guard old[from..<to].elementsEqual(edit.expected) else { return nil }
      result += old[Int(position - start)..<from]
      result += edit.replacement
      position = edit.end
    }
    result += old[Int(position - start)...]
    return result
  }
}
