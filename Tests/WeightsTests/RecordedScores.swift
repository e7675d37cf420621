import Attention
import RoPE
import Testing

@testable import Weights

/// What another program computes in the first layer for some tokens.
struct RecordedScores: Decodable, Sendable {
  var tokens: [Int]
  /// `q·k` behind rotation times the softmax scale: of the last position with each position, for each query head.
  var scores: [[Double]]
  /// Lanes of the first query head and of the first key head at position 0, which does not turn.
  var query: [Float]?
  var key: [Float]?

  /// The largest difference of ours, relative to the largest score of the head.
  func difference(of layer: FirstLayer, rotaryDimension: Int, base: Double) throws -> Double {
    let sequence = TokenSequence(tokens)
    let table = FrequencyTable(RoPEParameters(base: base, rotaryDimension: rotaryDimension))
    let queries = try layer.queries(ofHeads: Array(0..<layer.headCount), tokens: Array(tokens.suffix(1)))
    let keys = try layer.keys(ofHeads: Array(0..<layer.keyHeadCount), tokens: sequence.distinct)
    func turned(_ lanes: some Sequence<Float>, at position: Int) -> [Double] {
      let head = lanes.map { Double($0) }
      let turn = ReferenceRotation(table, position: position)
      return head[..<layer.firstRotatingLane] + turn.applied(to: Array(head[layer.firstRotatingLane...]), layer.pairing)
    }
    guard scores.count == layer.headCount else { return .infinity }
    var worst = 0.0
    for (head, wanted) in scores.enumerated() {
      let query = turned(queries[head], at: tokens.count - 1)
      let keyHead = keys[head / (layer.headCount / layer.keyHeadCount)]
      let largest = wanted.reduce(0) { max($0, abs($1)) }
      for (position, score) in wanted.enumerated() {
        let row = Int(sequence.indices[position]) * layer.headDimension
        let key = turned(keyHead[row..<row + layer.headDimension], at: position)
        worst = max(worst, abs(dotProduct(query, key) * layer.softmaxScale - score) / largest)
      }
    }
    return worst
  }

  /// Compares the lanes at position 0 with ours, relative to the largest.
  func expectLanes(of layer: FirstLayer) throws {
    for (ours, theirs) in [
      (try layer.queries(ofHeads: [0], tokens: [tokens[0]])[0], query),
      (try layer.keys(ofHeads: [0], tokens: [tokens[0]])[0], key),
    ] {
      let theirs = try #require(theirs)
      let largest = theirs.reduce(0) { max($0, abs($1)) }
      try #require(ours.count == theirs.count)
      for (our, their) in zip(ours, theirs) { #expect(abs(our - their) <= 2e-6 * largest) }
    }
  }
}
