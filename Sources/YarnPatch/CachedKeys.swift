import ModelConfig
import RoPE
import Runtimes

/// What becomes of keys that a server turned and cached while the sequence was shorter, where the table depends on its
/// length (dynamic scaling, LongRoPE).
///
/// A cache of turned keys keeps each as the table of its own time turned it, while the query is turned by today's; a
/// cache of keys before rotation turns all of them anew and has no such error.
public struct CachedKeys: Sendable, Equatable {
  public struct Error: Sendable, Equatable {
    /// Between the query, the last token of the sequence, and the key; in tokens.
    public var distance: Int
    /// Root mean square over random heads of the score's error, of that of the scores themselves. The square root of
    /// two is what a key of another token would give.
    public var relative: Double

    package init(distance: Int, relative: Double) { (self.distance, self.relative) = (distance, relative) }
  }

  /// Tokens of the shortest sequence whose table is another one than that of shorter sequences.
  public var firstChangedLength: Int
  /// Tokens of the sequence in which the errors are measured, the longest that is served.
  public var length: Int
  public var errors: [Error]

  /// - Returns: `nil` where the table is the same at every length up to the window.
  init?(_ reading: RuntimeReading, _ declaration: RoPEDeclaration) {
    // Dynamic scaling states the length at which it begins as the window.
    let lengths = ["longrope": declaration.originalContext, "dynamic": declaration.contextLength]
    guard let trained = lengths[reading.kind]??.value, let length = reading.contextLength, length > trained,
      length <= Self.longestLength, let now = Self.table(declaration, length)
    else { return nil }
    self.length = length
    firstChangedLength = trained + 1
    let steps = (0...Self.longestLength.trailingZeroBitCount).map { 1 << $0 }.flatMap { [$0, $0 + $0 / 2] }
    let distances = Set([0, length - trained, length - 1] + steps.filter { $0 < length }).sorted()
    errors = distances.compactMap { distance in
      let position = length - 1 - distance
      guard let then = Self.table(declaration, position + 1), let error = then.error(at: position, against: now) else {
        return nil
      }
      return Error(distance: distance, relative: error)
    }
    guard errors.contains(where: { $0.relative > 0 }) else { return nil }
  }

  private static let longestLength = 1 << 30

  private static func table(_ declaration: RoPEDeclaration, _ length: Int) -> FrequencyTable? {
    Formula.read(declaration, sequenceLength: length).table
  }

  var summary: String? {
    guard let worst = errors.max(by: { $0.relative < $1.relative }) else { return nil }
    let percent = Int((100 * worst.relative).rounded())
    return "the table changes from \(firstChangedLength) tokens on: with \(length) a server that caches keys after"
      + " rotation has scores off by up to \(percent) % of their size, most at a distance of \(worst.distance);"
      + " one that caches them before rotation has not"
  }
}

extension FrequencyTable {
  /// For random heads whose keys this table turned at a position, and a query turned by another table: a pair's part of
  /// the score is off like the difference of two vectors of lengths `A` and `A'` and angles `pw` and `pw'`.
  ///
  /// - Returns: The root of the mean square, relative to scores by the other table alone.
  fileprivate func error(at position: Int, against other: FrequencyTable) -> Double? {
    guard inverseFrequencies.count == other.inverseFrequencies.count, other.attentionFactor != 0 else { return nil }
    let ratio = attentionFactor / other.attentionFactor
    let squares = zip(inverseFrequencies, other.inverseFrequencies).map { mine, its in
      1 + ratio * ratio - 2 * ratio * cosine(Double(position) * (mine - its))
    }
    return (max(squares.reduce(0, +), 0) / Double(max(squares.count, 1))).squareRoot()
  }
}
