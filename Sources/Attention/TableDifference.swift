import RoPE

/// How far the logits of two tables differ, by distance, for the same queries and keys.
package struct TableDifference: Sendable, Equatable {
  package struct Point: Sendable, Equatable {
    /// In tokens.
    package var distance: Int
    /// Of logits whose standard deviation is ``AttentionSpread/spread`` without any attention factor.
    package var logit: Double
    /// What rounding of the tables explains of it.
    package var bound: Double
  }

  /// Relative errors that each entry, and each of both factors, of one table may have against the other.
  package struct Rounding: Sendable {
    package var frequency, factor: Double
    package init(frequency: Double, factor: Double) { (self.frequency, self.factor) = (frequency, factor) }
  }

  /// 0, the powers of two and the longest distance; not empty.
  package let points: [Point]
  /// Largest difference in a lane of the output of attention over the keys at all these distances, with values in -1..<1.
  package let output: Double

  /// The point with the largest difference, one that is not a number first.
  package var largest: Point {
    points.dropFirst().reduce(points[0]) { $0.logit.isNaN || !($1.logit > $0.logit || $1.logit.isNaN) ? $0 : $1 }
  }
  /// The point whose difference is nearest to its bound, or furthest beyond it.
  package var nearest: Point? { points.max { $0.logit * $1.bound < $1.logit * $0.bound } }

  /// - Parameter window: Distances run to one token less.
  /// - Returns: `nil` for an empty table or window, and for more pairs than a head has that the kernel takes.
  package init?(_ first: FrequencyTable, _ second: FrequencyTable, window: Int, rounding: Rounding) {
    let pairs = max(first.inverseFrequencies.count, second.inverseFrequencies.count)
    guard (1...StreamingAttention.longestHead / 2).contains(pairs), window > 0 else { return nil }
    let last = min(window, AttentionCheck.longestContext) - 1
    var random = HeadGenerator()
    let query = random.head(2 * pairs)
    let scale = AttentionSpread.spread / (squaredLength(query) * HeadGenerator.variance).squareRoot()
    let keys = Set([0, last] + (0..<31).map { 1 << $0 }.filter { $0 < last }).sorted()
      .map { (distance: $0, head: random.head(2 * pairs)) }
    let logits = [first, second].map { table in
      keys.map { key in
        let turned = ReferenceRotation(table, position: key.distance).applied(to: query.map { Double($0) }, .halves)
        let still = ReferenceRotation(table, position: 0).applied(to: key.head.map { Double($0) }, .halves)
        return scale * table.softmaxScaleMultiplier * dotProduct(turned, still)
      }
    }
    points = keys.indices.map { index in
      Point(
        distance: keys[index].distance, logit: abs(logits[0][index] - logits[1][index]),
        bound: scale * first.logitBound(query, keys[index].head, distance: keys[index].distance, rounding))
    }
    let values = keys.map { _ in random.head(8).map { Double($0) } }
    let outputs = logits.map { Self.output($0, values) }
    output = zip(outputs[0], outputs[1]).map { abs($0 - $1) }.max() ?? 0
  }

  private static func output(_ logits: [Double], _ values: [[Double]]) -> [Double] {
    let largest = logits.reduce(-.infinity, max)
    let weights = logits.map { exponential($0 - largest) }
    let sum = weights.reduce(0, +)
    return values[0].indices.map { lane in zip(weights, values).reduce(0) { $0 + $1.0 * $1.1[lane] } / sum }
  }
}

extension FrequencyTable {
  /// A pair with lengths `r` and `r'` in query and key gives `A² M r r' cos(angle)`: an angle off by `d w ε` moves it by
  /// at most as much of `A² M r r'`, and never by more than twice that; three factors off by `φ` each move it by `3φ`.
  fileprivate func logitBound(
    _ query: [Float], _ key: [Float], distance: Int, _ rounding: TableDifference.Rounding
  ) -> Double {
    let sum = inverseFrequencies.enumerated().reduce(0.0) { sum, entry in
      let lanes = RotaryPairing.halves.lanes(ofPair: entry.offset, rotaryDimension: 2 * inverseFrequencies.count)
      func length(_ head: [Float]) -> Double { squaredLength([head[lanes.0], head[lanes.1]]).squareRoot() }
      let turn = min(Double(distance) * abs(entry.element) * rounding.frequency, 2)
      return sum + length(query) * length(key) * (turn + 3 * rounding.factor)
    }
    // Products of errors, and what double arithmetic adds.
    return 1.01 * attentionFactor * attentionFactor * abs(softmaxScaleMultiplier) * sum
  }
}
