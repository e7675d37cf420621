import Attention
import Diagnostics

/// The part of a model's first layer that forms queries and keys from tokens, as the model's files store it.
///
/// ```
/// token → embedding row (× multiplier) → norm → projection (+ bias) → norm of the head → query or key, not yet rotated
/// ```
///
/// Nothing before the rotation depends on the position, so equal tokens have equal queries and keys. The files are read
/// a few rows at a time: the embedding's for the tokens, the projections' for the heads asked for.
///
/// Memory: the result, at most ``maximumResult`` numbers; some 16 MB of hidden states; 4 MB of weights, decoded. That is
/// below 300 MB for any model, also one of 70 billion parameters.
package struct FirstLayer {
  /// Numbers of one result: 256 MB, which is half a million tokens for a head of 128 lanes.
  package static let maximumResult = 1 << 26
  /// Elements of the hidden states, or of what is formed from them on the way, that are in memory at once.
  private static let window = 1 << 22

  let embedding: StoredMatrix
  let embeddingMultiplier: Float?
  let norm: Normalisation?
  let query: HeadProjection
  let key: HeadProjection
  /// Queries and keys are cut to this magnitude.
  let clamp: Float?

  /// Lanes of a query or key.
  package var headDimension: Int { query.headDimension }
  package var headCount: Int { query.headCount }
  /// Each key head serves ``headCount`` / `keyHeadCount` query heads that follow each other.
  package var keyHeadCount: Int { key.headCount }
  package var vocabularySize: Int { embedding.rowCount }
  /// Lanes before those that rotate: other than 0 with latent attention only.
  package let firstRotatingLane: Int
  /// Which lanes rotate together, as the rows of this file are ordered.
  package let pairing: RotaryPairing
  /// Multiplies scores `q·k`, without any scaling method's own multiplier.
  package let softmaxScale: Double
  /// Scores `s`, scaled, become `cap * tanh(s / cap)`.
  package let scoreCap: Double?
  /// A score for each query head that takes part in its softmax beside those of the keys; empty for most models.
  package let sinks: [Float]
  /// Whether, in a model with both kinds of layers, the first is one that attends within a sliding window; its table may
  /// not be that of the others.
  package let slides: Bool

  /// Queries before rotation.
  ///
  /// - Parameters:
  ///   - heads: Numbers below ``headCount``.
  ///   - tokens: Each need only be there once, see ``TokenSequence``.
  /// - Returns: For each head ``headDimension`` numbers for each token, one token after the other.
  /// - Throws: `weights-tokens` for a token outside the vocabulary and for a result beyond ``maximumResult``;
  ///   `weights-not-finite` for weights, or products of them, that are no numbers; what the source throws.
  package func queries(ofHeads heads: [Int], tokens: [Int]) throws(FileError) -> [[Float]] {
    try project(query, heads, tokens)
  }

  /// Keys before rotation, as ``queries(ofHeads:tokens:)`` for heads below ``keyHeadCount``.
  package func keys(ofHeads heads: [Int], tokens: [Int]) throws(FileError) -> [[Float]] {
    try project(key, heads, tokens)
  }

  private func project(
    _ projection: HeadProjection, _ heads: [Int], _ tokens: [Int]
  ) throws(FileError) -> [[Float]] {
    precondition(heads.allSatisfy { 0..<projection.headCount ~= $0 })
    if heads.isEmpty { return [] }
    if let token = tokens.first(where: { !(0..<vocabularySize ~= $0) }) {
      throw embedding.error(.weightsTokens, found: "there is no token \(token)", expected: "0 to \(vocabularySize - 1)")
    }
    let (count, overflow) = (heads.count * projection.headDimension).multipliedReportingOverflow(by: tokens.count)
    guard !overflow, count <= Self.maximumResult else {
      throw embedding.error(
        .weightsTokens, found: "\(tokens.count) tokens for \(heads.count) heads",
        expected: "at most \(Self.maximumResult / (heads.count * projection.headDimension)) different tokens")
    }
    var result = [[Float]](repeating: [], count: heads.count)
    for i in result.indices { result[i].reserveCapacity(tokens.count * projection.headDimension) }
    let step = max(1, Self.window / max(embedding.width, projection.widest))
    for first in stride(from: 0, to: tokens.count, by: step) {
      let states = try hiddenStates(tokens[first..<min(first + step, tokens.count)])
      for (i, lanes) in try projection.heads(heads, states).enumerated() { result[i] += lanes }
    }
    guard result.allSatisfy({ $0.allSatisfy { $0.isFinite } }) else {
      throw projection.rows.matrix.error(
        .weightsNotFinite, found: "products with the hidden states exceed float32", expected: "finite products")
    }
    if let clamp { for i in result.indices { result[i] = result[i].map { min(max($0, -clamp), clamp) } } }
    return result
  }

  /// Embeddings behind the first norm.
  private func hiddenStates(_ tokens: ArraySlice<Int>) throws(FileError) -> [Float] {
    var states: [Float] = []
    states.reserveCapacity(tokens.count * embedding.width)
    for token in tokens { states += try embedding.rows(token..<token + 1) }
    if let embeddingMultiplier { for i in states.indices { states[i] *= embeddingMultiplier } }
    norm?.apply(to: &states, width: embedding.width)
    return states
  }
}
