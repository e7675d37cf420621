/// A unified diff of two texts with three lines of context, in the form that `patch` and reviewers read.
///
/// Made for a few changed lines in a long text: lines equal at both ends are set aside first, and what is left is
/// compared by longest common subsequence.
func unifiedDiff(old: String, new: String, path: String) -> String {
  let (a, b) = (lines(of: old), lines(of: new))
  let script = editScript(a, b)
  guard script.contains(where: { $0.kind != .same }) else { return "" }
  var result = diffHeading(path)
  let context = 3
  var index = 0
  while let first = script[index...].firstIndex(where: { $0.kind != .same }) {
    var end = first
    var next: Int? = first
    // Changes with at most twice the context between them share a hunk.
    while let change = next, change - end <= 2 * context || change == first {
      end = change
      next = script[(change + 1)...].firstIndex { $0.kind != .same }
    }
    let hunk = script[max(index, first - context)..<min(script.count, end + context + 1)]
    let oldCount = hunk.count { $0.kind != .added }
    let newCount = hunk.count { $0.kind != .removed }
    let start = hunk.first.map { ($0.old, $0.new) } ?? (0, 0)
    result += "@@ -\(start.0 + 1),\(oldCount) +\(start.1 + 1),\(newCount) @@\n"
    for line in hunk {
      result += line.kind.rawValue + line.text
      if line.text.utf8.last != newline { result += "\n\\ No newline at end of file\n" }
    }
    index = hunk.endIndex
    if next == nil { break }
  }
  return result
}

/// The two lines that name the file. A tab ends a name with a space in it, as git and `patch` have it.
func diffHeading(_ path: String) -> String {
  let name = printable(path) + (path.contains(" ") ? "\t" : "")
  return "--- a/\(name)\n+++ b/\(name)\n"
}

private let newline = UInt8(ascii: "\n")

private struct DiffLine {
  enum Kind: String {
    case same = " "
    case removed = "-"
    case added = "+"
  }
  var kind: Kind
  var text: Substring
  /// Line numbers from 0 in either text at this point.
  var old: Int
  var new: Int
}

/// Lines with their ends, so that a changed line end shows. Only a line feed ends a line, as `patch` has it.
private func lines(of text: String) -> [Substring] {
  var result: [Substring] = []
  var start = text.startIndex
  for index in text.utf8.indices where text.utf8[index] == newline {
    let end = text.utf8.index(after: index)
    result.append(text[start..<end])
    start = end
  }
  if start < text.endIndex { result.append(text[start...]) }
  return result
}

private func editScript(_ a: [Substring], _ b: [Substring]) -> [DiffLine] {
  let prefix = zip(a, b).prefix { $0 == $1 }.count
  let suffix = zip(a[prefix...].reversed(), b[prefix...].reversed()).prefix { $0 == $1 }.count
  let (m, n) = (a.count - prefix - suffix, b.count - prefix - suffix)
  var (i, j) = (0, 0)
  var script = (0..<prefix).map { DiffLine(kind: .same, text: a[$0], old: $0, new: $0) }
  // Longest common subsequence of the changed middle; a middle too large for that is shown as replaced whole.
  let solvable = m * n <= 4_000_000
  var table = solvable ? [[Int32]](repeating: [Int32](repeating: 0, count: n + 1), count: m + 1) : []
  if solvable {
    for x in stride(from: m - 1, through: 0, by: -1) {
      for y in stride(from: n - 1, through: 0, by: -1) {
        table[x][y] = a[prefix + x] == b[prefix + y] ? table[x + 1][y + 1] + 1 : max(table[x + 1][y], table[x][y + 1])
      }
    }
  }
  while i < m || j < n {
    let (old, new) = (prefix + i, prefix + j)
    if solvable, i < m, j < n, a[old] == b[new] {
      script.append(DiffLine(kind: .same, text: a[old], old: old, new: new))
      (i, j) = (i + 1, j + 1)
    } else if i < m, j == n || !solvable || table[i + 1][j] >= table[i][j + 1] {
      script.append(DiffLine(kind: .removed, text: a[old], old: old, new: new))
      i += 1
    } else {
      script.append(DiffLine(kind: .added, text: b[new], old: old, new: new))
      j += 1
    }
  }
  for k in 0..<suffix {
    let (old, new) = (a.count - suffix + k, b.count - suffix + k)
    script.append(DiffLine(kind: .same, text: a[old], old: old, new: new))
  }
  return script
}
