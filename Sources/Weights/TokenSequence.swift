/// A sequence of tokens, and the different ones among them: queries and keys are formed once for each of these.
package struct TokenSequence: Sendable {
  /// Different tokens of a seeded sequence. Reading rows for more would show nothing that these do not.
  package static let seededVariety = 4096

  /// Each token of the sequence once, in the order in which they first occur.
  package let distinct: [Int]
  /// For each position the index of its token in ``distinct``.
  package let indices: [Int32]

  package init(_ tokens: some Sequence<Int>) {
    var places: [Int: Int32] = [:]
    var distinct: [Int] = []
    indices = tokens.map { token in
      if let place = places[token] { return place }
      let place = Int32(clamping: distinct.count)
      places[token] = place
      distinct.append(token)
      return place
    }
    self.distinct = distinct
  }

  /// Pseudo-random tokens, the same for the same seed, at most ``seededVariety`` different ones.
  ///
  /// - Parameter vocabularySize: At least 1.
  package init(seed: UInt64, count: Int, vocabularySize: Int) {
    var state = seed
    func next(below bound: Int) -> Int {
      // SplitMix64.
      state &+= 0x9e37_79b9_7f4a_7c15
      var z = state
      z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
      z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
      return Int((z ^ z >> 31) >> 1) % bound
    }
    let variety: [Int]? =
      vocabularySize > Self.seededVariety
      ? (0..<Self.seededVariety).map { _ in next(below: vocabularySize) } : nil
    self.init((0..<count).map { _ in variety.map { $0[next(below: $0.count)] } ?? next(below: vocabularySize) })
  }
}
