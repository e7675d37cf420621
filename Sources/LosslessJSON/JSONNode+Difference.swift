extension JSONNode {
  /// Where two values first differ: in what is there, in kind, in a text, in how a number is spelled.
  ///
  /// The order of members is no difference. Looks no deeper than both go, so the shallower one bounds the recursion.
  ///
  /// - Returns: A pointer into both, also to what only one of them has; `nil` when they say the same.
  package func firstDifference(from other: JSONNode, at pointer: String = "") -> String? {
    switch (value, other.value) {
    case (.null, .null): return nil
    case (.bool(let mine), .bool(let theirs)): return mine == theirs ? nil : pointer
    case (.number(let mine), .number(let theirs)): return mine == theirs ? nil : pointer
    case (.string(let mine), .string(let theirs)): return mine.isExactly(theirs) ? nil : pointer
    case (.array(let mine), .array(let theirs)):
      for (index, pair) in zip(mine, theirs).enumerated() {
        if let place = pair.0.firstDifference(from: pair.1, at: "\(pointer)/\(index)") { return place }
      }
      return mine.count == theirs.count ? nil : "\(pointer)/\(min(mine.count, theirs.count))"
    case (.object(let mine), .object(let theirs)):
      for member in mine {
        let place = JSONPointer.child(member.key, of: pointer)
        guard let node = other.child(member.key) else { return place }
        if let place = member.node.firstDifference(from: node, at: place) { return place }
      }
      return theirs.first { child($0.key) == nil }.map { JSONPointer.child($0.key, of: pointer) }
    default: return pointer
    }
  }
}
