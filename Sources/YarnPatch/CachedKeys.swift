import ModelConfig
import RoPE
import Runtimes

/// What becomes of keys that a server turned and cached while the sequence was shorter, where the table depends on its
/// length (dynamic scaling, LongRoPE).
///
/// A cache of turned keys keeps each as the table of its own time turned it, while the query is turned by today's; a
/// cache of keys before rotation turns all of them anew and has no such error.
public struct CachedKeys: Sendable, Equatable {
  /// Tokens of the shortest sequence whose table is another one than that of shorter sequences.
  public var firstChangedLength: Int
  /// Tokens of the sequence in which the errors are measured, the longest that is served.
  public var length: Int
  /// By the distance of the key from the query, the last token of the sequence.
  public var errors: [ScoreChange]

  /// - Returns: `nil` where the table is the same at every length up to the window.
  init?(_ reading: RuntimeReading, _ declaration: RoPEDeclaration) {
    // Dynamic scaling states the length at which it begins as the window.
    let lengths = ["longrope": declaration.originalContext, "dynamic": declaration.contextLength]
    guard let trained = lengths[reading.kind]??.value, let length = reading.contextLength else { return nil }
    self.init(trained: trained, length: length) { Formula.read(declaration, sequenceLength: $0).table }
  }

  /// - Parameters:
  ///   - trained: Tokens up to which the table is one.
  ///   - table: By the tokens of the sequence.
  package init?(trained: Int, length: Int, table: (Int) -> FrequencyTable?) {
    guard length > trained, length <= Self.longestLength, let now = table(length) else { return nil }
    self.length = length
    firstChangedLength = trained + 1
    let steps = (0...Self.longestLength.trailingZeroBitCount).map { 1 << $0 }.flatMap { [$0, $0 + $0 / 2] }
    // LongRoPE's error is that of the first keys alone, so steps are counted from both ends.
    let first = steps.filter { $0 < trained }.map { length - 1 - $0 }
    let distances = Set([0, length - trained, length - 1] + first + steps.filter { $0 < length }).sorted()
    errors = distances.compactMap { distance in
      let position = length - 1 - distance
      guard let then = table(position + 1), let error = then.error(at: position, against: now) else { return nil }
      return ScoreChange(distance: distance, relative: error)
    }
    guard errors.contains(where: { $0.relative > 0 }) else { return nil }
  }

  private static let longestLength = 1 << 30

  var summary: String? {
    guard let worst = errors.max(by: { $0.relative < $1.relative }) else { return nil }
    let percent = Int((100 * worst.relative).rounded())
    return "the table changes from \(firstChangedLength) tokens on: with \(length) a server that caches keys after"
      + " rotation has scores off by up to \(percent) % of their size, most at a distance of \(worst.distance);"
      + " one that caches them before rotation has not"
  }
}

extension FrequencyTable {
  /// For keys that this table turned at a position, and a query turned by another table.
  fileprivate func error(at position: Int, against other: FrequencyTable) -> Double? {
    scoreChange(from: other, ratio: attentionFactor / other.attentionFactor, turn: position)
  }
}
