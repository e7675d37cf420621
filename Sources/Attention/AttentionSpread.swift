import RoPE

/// How far attention spreads over a sequence, by the sequence's length.
///
/// Keys are independent of the query and of one another, with logits whose standard deviation is ``spread`` before any
/// attention factor. The entropy of `n` such keys is near `ln n - σ²/2`, so a longer sequence dilutes attention, and a
/// factor of logits above 1 gathers it again: with YaRN's the entropy at `s` times the length is about the trained one's.
package struct AttentionSpread: Sendable {
  package struct Point: Sendable, Equatable {
    /// Keys that the query sees.
    package var length: Int
    /// Entropy in nats with the unscaled table, with the scaled one without its attention factor, and with both; the
    /// mean over the queries that see so many keys.
    package var unscaled, withoutFactor, scaled: Double
  }

  /// Standard deviation of logits.
  package static let spread = 2.0
  /// The longest sequence looked at.
  package static let longestSequence = 1 << 20
  /// One query's entropy over few keys says little, so of the short lengths there are several, of long ones one.
  private static let keysOfAllQueries = 1 << 18, mostQueries = QueryBlock.lanes

  package let points: [Point]

  /// - Parameters:
  ///   - lengths: At most 16, each at least 1; those beyond ``longestSequence`` are passed over.
  /// - Returns: `nil` when a head is longer than the kernel takes or too short for a table, or a result is not finite.
  package init?(_ scaled: FrequencyTable, unscaled: FrequencyTable, headDimension: Int, lengths: [Int]) {
    let lengths = lengths.filter { 1...Self.longestSequence ~= $0 }.prefix(QueryBlock.lanes / 2)
    let pairs = max(scaled.inverseFrequencies.count, unscaled.inverseFrequencies.count)
    guard let last = lengths.max(), 1...StreamingAttention.longestHead ~= headDimension, pairs <= headDimension / 2
    else { return nil }
    var random = HeadGenerator()
    // The spread of q·k over random k is |q| times that of a lane, so all queries are given one length.
    let scale = Self.spread / HeadGenerator.variance.squareRoot()
    let counts = lengths.map { min(max(Self.keysOfAllQueries / $0, 1), Self.mostQueries) }
    let visible = zip(lengths, counts).flatMap { Array(repeating: $0, count: $1) }
    let heads = visible.map { _ in random.unitHead(headDimension) }
    func queries(_ rotation: VectorRotation) -> [Float] {
      zip(heads, visible).flatMap { rotation.rotated($0, at: $1 - 1) }
    }

    let turns = [scaled, unscaled].map {
      VectorRotation($0, headDimension: headDimension, pairing: .halves)
    }
    // Dividing the query by the factor's square takes the factor away from both sides of a score.
    var gathered = scaled
    gathered.attentionFactor = scaled.attentionFactor == 0 ? 0 : 1 / scaled.attentionFactor
    let divided = VectorRotation(gathered, headDimension: headDimension, pairing: .halves)
    let multiplied = scale * scaled.softmaxScaleMultiplier
    guard
      var new = StreamingAttention(
        queries: queries(turns[0]), keyDimension: headDimension, visibleKeys: visible, softmaxScale: multiplied),
      var without = StreamingAttention(
        queries: queries(divided), keyDimension: headDimension, visibleKeys: visible, softmaxScale: scale),
      var old = StreamingAttention(
        queries: queries(turns[1]), keyDimension: headDimension, visibleKeys: visible, softmaxScale: scale)
    else { return nil }
    // Pieces that stay in the processor's cache, in memory that is asked for once.
    let piece = 256
    var (keys, turned): ([Float], [Float]) = ([], [])
    for first in stride(from: 0, to: last, by: piece) {
      random.fill(&keys, min(piece, last - first) * headDimension)
      turned.replaceSubrange(turned.indices, with: keys)
      turns[0].rotate(&turned, from: first)
      new.attend(to: turned.span)
      without.attend(to: turned.span)
      turns[1].rotate(&keys, from: first)
      old.attend(to: keys.span)
    }
    guard let after = try? new.results(), let diluted = try? without.results(), let before = try? old.results() else {
      return nil
    }
    var start = 0
    points = zip(lengths, counts).map { length, count in
      defer { start += count }
      func mean(_ results: [AttentionResult]) -> Double {
        results[start..<start + count].reduce(0) { $0 + $1.entropy } / Double(count)
      }
      return Point(length: length, unscaled: mean(before), withoutFactor: mean(diluted), scaled: mean(after))
    }
  }
}
