extension String {
  /// The one of some words that this one is a slip of: hardly a letter differs, and no other word is as near.
  func slip(of words: some Collection<String>) -> String? {
    let letters = Array(utf8)
    // Names of members are short; what is long is no slip, and comparing it would take long.
    guard letters.count <= 40 else { return nil }
    let near = words.map { (word: $0, distance: editDistance(letters, Array($0.utf8))) }
      .filter { $0.distance > 0 && $0.distance <= Swift.min(2, letters.count / 3) }
      .sorted { ($0.distance, $0.word) < ($1.distance, $1.word) }
    guard let nearest = near.first, near.count == 1 || near[1].distance > nearest.distance else { return nil }
    return nearest.word
  }
}

/// How many letters are put in, left out, changed or swapped with the next.
private func editDistance(_ one: [UInt8], _ other: [UInt8]) -> Int {
  guard abs(one.count - other.count) < 3 else { return 3 }
  var rows = [Array(0...other.count)]
  for (index, letter) in one.enumerated() {
    var row = [index + 1]
    for (place, wanted) in other.enumerated() {
      let change = rows[index][place] + (letter == wanted ? 0 : 1)
      var best = min(row[place] + 1, rows[index][place + 1] + 1, change)
      if index > 0, place > 0, letter == other[place - 1], one[index - 1] == wanted {
        best = min(best, rows[index - 1][place - 1] + 1)
      }
      row.append(best)
    }
    rows.append(row)
  }
  return rows[one.count][other.count]
}
