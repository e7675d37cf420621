import CAttention
import RoPE

/// The queries that share the kernel's vectors, and the kernel's state of them.
struct QueryBlock: Sendable {
  static let lanes = CATTENTION_LANES
  static let logarithmOfTwo = logarithm(2 as Double)
  /// Keys whose weights are summed in float32, the rest in double.
  static let tile = CATTENTION_TILE

  /// `[keyDimension][32]`, multiplied by the softmax scale for powers of 2.
  let elements: [Float]
  /// One for each lane; lanes without a query see nothing.
  let visibleKeys: [Int]
  /// `[3 + valueDimension][32]`: largest logit, sum, moment, outputs.
  var state: [Double]

  private static let firstOutput = CATTENTION_STATE_ROWS

  init(_ elements: [Float], _ visibleKeys: ArraySlice<Int>, valueDimension: Int) {
    self.elements = elements
    let queries = visibleKeys.prefix(Self.lanes)
    self.visibleKeys = queries + [Int](repeating: 0, count: Self.lanes - queries.count)
    state = [Double](repeating: 0, count: (Self.firstOutput + valueDimension) * Self.lanes)
    for lane in 0..<Self.lanes { state[lane] = -Double(Float.greatestFiniteMagnitude) }
  }

  /// With weights `e = 2^(logit - largest)`, in units of `ln 2`: logSumExp is `largest + log2(Σe)`, entropy is
  /// `log2(Σe) - Σe(logit - largest) / Σe`.
  ///
  /// - Parameter query: Its index among all; the lane is what remains of it.
  func result(ofQuery query: Int) throws(NonFiniteAttention) -> AttentionResult {
    let rows = stride(from: query % Self.lanes, to: state.count, by: Self.lanes).map { state[$0] }
    let (largest, sum, moment, outputs) = (rows[0], rows[1], rows[2], rows[Self.firstOutput...])
    guard moment.isFinite else { throw NonFiniteAttention(query: query, place: .logit) }
    guard outputs.allSatisfy(\.isFinite) else { throw NonFiniteAttention(query: query, place: .output) }
    guard sum > 0 else {
      return AttentionResult(logSumExp: -.infinity, entropy: 0, largestLogit: -.infinity, output: Array(outputs))
    }
    let largestLogit = largest * Self.logarithmOfTwo
    return AttentionResult(
      logSumExp: largestLogit + logarithm(sum), entropy: logarithm(sum) - moment / sum * Self.logarithmOfTwo,
      largestLogit: largestLogit, output: outputs.map { $0 / sum })
  }
}
