import RoPE

/// How far a score is off between two tables at one distance.
public struct ScoreChange: Sendable, Equatable {
  /// In tokens.
  public var distance: Int
  /// Root mean square over random heads of the difference, of that of the scores themselves. The square root of two is
  /// what a key of another token would give.
  public var relative: Double

  package init(distance: Int, relative: Double) { (self.distance, self.relative) = (distance, relative) }
}

extension FrequencyTable {
  /// Of random heads: a pair's part of the score differs like two vectors of lengths 1 and `ratio` whose angle is
  /// `turn` times the difference of the frequencies.
  ///
  /// - Parameters:
  ///   - ratio: Magnitude of this table's scores over the other's.
  ///   - turn: Positions by which each table has turned its pairs.
  /// - Returns: The root of the mean square, relative to scores by the other table; `nil` for tables of other sizes.
  func scoreChange(from other: FrequencyTable, ratio: Double, turn: Int) -> Double? {
    guard inverseFrequencies.count == other.inverseFrequencies.count, ratio.isFinite else { return nil }
    let squares = zip(inverseFrequencies, other.inverseFrequencies).map { mine, its in
      1 + ratio * ratio - 2 * ratio * cosine(Double(turn) * (mine - its))
    }
    return (max(squares.reduce(0, +), 0) / Double(max(squares.count, 1))).squareRoot()
  }

  /// What all logits are multiplied by at distance 0.
  var logitScale: Double { attentionFactor * attentionFactor * softmaxScaleMultiplier }
}
