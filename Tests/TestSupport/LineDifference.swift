/// The lines that go and come between two texts, as `-` and `+` lines in the order of the file; a carriage return is
/// shown as `\r`, a missing line end of the last line as `¬`.
public func lineDifference(from old: String, to new: String) -> String {
  let (oldLines, newLines) = (lines(of: old), lines(of: new))
  var removed: Set<Int> = []
  var inserted: Set<Int> = []
  for change in newLines.difference(from: oldLines) {
    switch change {
    case .remove(let offset, _, _): removed.insert(offset)
    case .insert(let offset, _, _): inserted.insert(offset)
    }
  }
  var result: [String] = []
  var (i, j) = (0, 0)
  while i < oldLines.count || j < newLines.count {
    if i < oldLines.count, removed.contains(i) {
      result.append("-" + oldLines[i])
      i += 1
    } else if j < newLines.count, inserted.contains(j) {
      result.append("+" + newLines[j])
      j += 1
    } else {
      (i, j) = (i + 1, j + 1)
    }
  }
  return result.joined(separator: "\n")
}

private func lines(of text: String) -> [String] {
  // By bytes: Swift takes carriage return and line feed for one character.
  var lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
    line.last == 0x0d ? String(decoding: line.dropLast(), as: UTF8.self) + "\\r" : String(decoding: line, as: UTF8.self)
  }
  let last = lines.removeLast()
  return last.isEmpty ? lines : lines + [last + "¬"]
}
