import RoPE

/// Three words in two orders through attention, with and without rotation.
///
/// Without it a word attends to the same bag of words whatever their order; with it the shares follow the distances.
/// The vectors are made up, the frequencies are the model's fastest four.
struct WordOrder {
  static let words = ["dog", "bites", "man"]
  /// One query and one key for each word, the elements of a pair side by side.
  static let queries: [[Double]] = [
    [0.9, 0.2, 0.7, -0.3, 0.4, 0.6, 0.5, 0.1], [0.8, 0.6, 0.5, 0.3, 0.9, -0.2, 0.6, 0.4],
    [0.3, 0.9, 0.6, 0.2, 0.7, 0.5, 0.4, -0.1],
  ]
  static let keys: [[Double]] = [
    [0.7, 0.9, 0.4, 0.5, 0.8, 0.2, 0.6, 0.3], [0.5, 0.3, 0.9, -0.4, 0.6, 0.1, 0.7, 0.2],
    [0.9, -0.2, 0.6, 0.8, 0.3, 0.7, 0.5, 0.4],
  ]
  static let orders = [[0, 1, 2], [2, 1, 0]]
  /// The word whose attention is shown.
  static let reader = 1

  /// Share of attention that ``reader`` pays to each word, by the word's number.
  ///
  /// - Parameter frequencies: Radians per position of four pairs; zeros for no rotation.
  static func attention(_ order: [Int], _ frequencies: [Double]) -> [Double] {
    let place = { (word: Int) in Double(order.firstIndex(of: word) ?? 0) }
    let logits = words.indices.map { word -> Double in
      let (q, k) = (queries[reader], keys[word])
      let distance = place(reader) - place(word)
      var logit = 0.0
      for (pair, frequency) in frequencies.prefix(4).enumerated() {
        let (a, b, c, d) = (q[2 * pair], q[2 * pair + 1], k[2 * pair], k[2 * pair + 1])
        let (aligned, crossed) = (a * c + b * d, a * d - b * c)
        logit += aligned * cosine(distance * frequency) + crossed * sine(distance * frequency)
      }
      return 2 * logit
    }
    let weights = logits.map { exponential($0) }
    let total = weights.reduce(0, +)
    return weights.map { $0 / total }
  }

  /// Shares in percent with one decimal, a row for each order.
  static func table(_ frequencies: [Double]) -> NumberTable {
    let still = [Double](repeating: 0, count: 4)
    func cells(_ order: [Int], _ frequencies: [Double]) -> [String] {
      attention(order, frequencies).map { "\(($0 * 1000).rounded() / 10) %" }
    }
    return NumberTable(
      columns: ["order"] + ["without rotation", "with rotation"].flatMap { mode in words.map { "\($0), \(mode)" } },
      rows: orders.map { order in
        [order.map { words[$0] }.joined(separator: " ")] + cells(order, still) + cells(order, frequencies)
      })
  }
}
