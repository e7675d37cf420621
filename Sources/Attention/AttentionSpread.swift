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
    /// Entropy in nats with the unscaled table, with the scaled one without its attention factor, and with both.
    package var unscaled, withoutFactor, scaled: Double
  }

  /// Standard deviation of logits.
  package static let spread = 2.0
  /// The longest sequence looked at.
  package static let longestSequence = 1 << 20

  package let points: [Point]

  /// - Parameters:
  ///   - lengths: At most 16, each at least 1; those beyond ``longestSequence`` are passed over.
  /// - Returns: `nil` when a head is longer than the kernel takes, or a result is not finite.
  package init?(_ scaled: FrequencyTable, unscaled: FrequencyTable, headDimension: Int, lengths: [Int]) {
    let lengths = lengths.filter { 1...Self.longestSequence ~= $0 }.prefix(QueryBlock.lanes / 2)
    guard let last = lengths.max() else { return nil }
    var random = HeadGenerator()
    let query = random.head(headDimension)
    // The spread of q·k over random k is |q| times that of a lane.
    let scale = Self.spread / (squaredLength(query) * HeadGenerator.variance).squareRoot()
    func queries(_ rotation: VectorRotation) -> [Float] { lengths.flatMap { rotation.rotated(query, at: $0 - 1) } }

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
        queries: queries(turns[0]), keyDimension: headDimension, visibleKeys: Array(lengths), softmaxScale: multiplied),
      var without = StreamingAttention(
        queries: queries(divided), keyDimension: headDimension, visibleKeys: Array(lengths), softmaxScale: scale),
      var old = StreamingAttention(
        queries: queries(turns[1]), keyDimension: headDimension, visibleKeys: Array(lengths), softmaxScale: scale)
    else { return nil }
    let piece = 2048
    for first in stride(from: 0, to: last, by: piece) {
      let keys = random.head(min(piece, last - first) * headDimension)
      var turned = keys
      turns[0].rotate(&turned, from: first)
      new.attend(to: turned.span)
      without.attend(to: turned.span)
      turned = keys
      turns[1].rotate(&turned, from: first)
      old.attend(to: turned.span)
    }
    guard let after = try? new.results(), let diluted = try? without.results(), let before = try? old.results() else {
      return nil
    }
    points = lengths.indices.map {
      Point(
        length: lengths[$0], unscaled: before[$0].entropy, withoutFactor: diluted[$0].entropy,
        scaled: after[$0].entropy)
    }
  }
}
