import Attention
import Diagnostics
import RoPE
import Weights

/// Sampled heads and queries of a first layer over one sequence: every query sees the keys up to its own position.
///
/// Memory: queries and keys of one head for the different tokens, and a piece of a thousand turned keys.
struct AttentionSample {
  let layer: FirstLayer
  let tokens: TokenSequence
  let originalContext: Int
  let heads: [Int]
  /// Lengths after which queries are looked at.
  let lengths: [Int]
  /// Position of each query, as many for each length.
  let positions: [Int]

  private static let mostHeads = 4
  private static let queriesPerLength = 8
  private static let keysInPiece = 1024

  /// Up to four heads spread over the layer, and eight queries at the end of each length: powers of two from 64 on, the
  /// original length, and the whole sequence.
  ///
  /// - Parameter tokens: At least one.
  init(_ layer: FirstLayer, _ tokens: TokenSequence, originalContext: Int) {
    let count = tokens.indices.count
    let doubling = (6..<Int.bitWidth - 1).map { 1 << $0 }.prefix { $0 < count }
    let lengths = Set(doubling + [originalContext, count].filter { 1...count ~= $0 }).sorted()
    let queries = min(Self.queriesPerLength, lengths[0])
    self.init(
      layer, tokens, originalContext: originalContext, lengths: lengths,
      positions: lengths.flatMap { $0 - queries..<$0 })
  }

  init(
    _ layer: FirstLayer, _ tokens: TokenSequence, originalContext: Int, lengths: [Int], positions: [Int]
  ) {
    (self.layer, self.tokens, self.originalContext) = (layer, tokens, originalContext)
    (self.lengths, self.positions) = (lengths, positions)
    let sampled = min(Self.mostHeads, layer.headCount)
    heads = (0..<sampled).map { $0 * layer.headCount / sampled }
  }

  /// The profile of each head, for one table after the other.
  ///
  /// - Throws: `weights-shape` for a table or a head that does not fit, and what ``FirstLayer`` throws.
  func profiles(_ tables: [FrequencyTable], path: String) throws(FileError) -> [[AttentionProfile]] {
    try checkFit(tables, path: path)
    let queryTokens = positions.map { tokens.distinct[Int(tokens.indices[$0])] }
    var result = [[AttentionProfile]](repeating: [], count: tables.count)
    var keys: (head: Int, lanes: [Float])?
    for head in heads {
      let keyHead = head / (layer.headCount / layer.keyHeadCount)
      if keys?.head != keyHead { keys = (keyHead, try layer.keys(ofHeads: [keyHead], tokens: tokens.distinct)[0]) }
      let queries = try layer.queries(ofHeads: [head], tokens: queryTokens)[0]
      for (index, table) in tables.enumerated() {
        guard
          let profile = profile(queries, keys?.lanes ?? [], sink: layer.sinks.isEmpty ? nil : layer.sinks[head], table)
        else {
          throw FileError(
            .weightsNotFinite, at: SourceLocation(path: path),
            found: "a score of head \(head) in the first layer exceeds float32", expected: "finite scores",
            remedy: "download or convert the model again")
        }
        result[index].append(profile)
      }
    }
    return result
  }

  private func checkFit(_ tables: [FrequencyTable], path: String) throws(FileError) {
    let pairs = tables.map(\.inverseFrequencies.count).max() ?? 0
    // The kernel's longest head.
    guard layer.headDimension <= 1024, layer.firstRotatingLane + 2 * pairs <= layer.headDimension else {
      throw FileError(
        .weightsShape, at: SourceLocation(path: path),
        found: "\(pairs) pairs turn in heads of \(layer.headDimension) lanes",
        expected: "a head of at most 1024 lanes that holds every pair", remedy: "correct the rotary dimension")
    }
  }

  /// One head under one table, `nil` for a score that is not finite.
  private func profile(
    _ queries: [Float], _ keys: [Float], sink: Float?, _ table: FrequencyTable
  ) -> AttentionProfile? {
    let lanes = layer.headDimension
    let rotation = VectorRotation(
      table, headDimension: lanes, pairing: layer.pairing, firstLane: layer.firstRotatingLane)
    let turned = positions.enumerated().flatMap { index, position in
      rotation.rotated(Array(queries[index * lanes..<(index + 1) * lanes]), at: position)
    }
    let attention = StreamingAttention(
      queries: turned, keyDimension: lanes, visibleKeys: positions.map { $0 + 1 },
      softmaxScale: layer.softmaxScale * table.softmaxScaleMultiplier)
    guard let attention else { return nil }
    var tally = AttentionTally(positions: positions, originalContext: originalContext, sink: sink)
    for first in stride(from: 0, to: tokens.indices.count, by: Self.keysInPiece) {
      var piece: [Float] = []
      for token in tokens.indices[first...].prefix(Self.keysInPiece) {
        piece += keys[Int(token) * lanes..<(Int(token) + 1) * lanes]
      }
      rotation.rotate(&piece, from: first)
      for (query, logits) in attention.logits(of: piece.span).enumerated() {
        let position = positions[query]
        for (offset, logit) in logits.prefix(max(position + 1 - first, 0)).enumerated() {
          guard logit.isFinite else { return nil }
          tally.add(capped(Double(logit)), query: query, distance: position - first - offset)
        }
      }
    }
    return tally.profile(lengths: lengths)
  }

  /// `cap * tanh(logit / cap)` where the model caps.
  private func capped(_ logit: Double) -> Double {
    guard let cap = layer.scoreCap else { return logit }
    return cap * (1 - 2 / (exponential(2 * logit / cap) + 1))
  }
}
