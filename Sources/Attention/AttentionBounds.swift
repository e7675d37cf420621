import RoPE

/// How far rounding can take a correct ``StreamingAttention`` from the exact result, absolute.
package struct AttentionBounds: Sendable, Equatable {
  /// Of each logit, the largest included.
  package var logit: Double
  package var logSumExp: Double
  package var entropy: Double
  /// One for each lane of the output.
  package var output: [Double]
}

/// With unit roundoff `u` of float32, `d` lanes in a key, `n` keys, tiles of `T` keys, `x = logit - largest`:
///
/// ```
/// logit      query times scale rounded; sum with d roundings on each term, d + 1 where products do not fuse; what
///            underflows loses 2^-149 at most, in a product as it is, in a query times |k|:
///            error <= δ = (d + 2) u scale Σ|q k| + 2^-149 Σ(1 + |k|)
/// weight     x from two logits and rounded once, |x| < 126 ln 2 < 88; the power within 2^-22 = 4u:
///            a factor between e^-θ and e^θ, θ = 2δ + 92u
///            beyond that range it counts as 2^-126, which is added for every key
/// sums       float32 within a tile, double between tiles: error <= σ Σ|terms|, σ = (T + 1) u
/// quotient   of two sums: error <= ρ times the mean of |terms|, ρ = e^2θ - 1 + 2σ
///
/// logSumExp  error <= θ + σ
/// output     error <= ρ mean|v| + 2 n 2^-126 max|v|
/// entropy    log Σe - Σex / Σe:  error <= θ + σ  +  2δ + (ρ + u) mean|x| + n 2^-126 (max|x| + 1)
/// ```
///
/// Double arithmetic and products of two errors are covered by a hundredth. Neither the number of keys nor its square
/// root is among the factors, except of 2^-126.
struct Rounding {
  private let keyDimension: Int
  private let keyCount: Int
  private var logit = 0.0
  private var largestValue = 0.0
  // Swift's ulpOfOne is twice the unit roundoff.
  private let u = Double(Float.ulpOfOne) / 2

  init(keyDimension: Int, keyCount: Int) {
    self.keyDimension = keyDimension
    self.keyCount = keyCount
  }

  mutating func addLogit(sumOfMagnitudes: Double, keyLength: Double) {
    let underflow = Double(Float.leastNonzeroMagnitude) * (Double(keyDimension) + keyLength)
    logit = max(logit, 1.01 * (Double(keyDimension + 2) * u * sumOfMagnitudes + underflow))
  }

  mutating func addValue(_ value: Double) { largestValue = max(largestValue, abs(value)) }

  /// - Parameters:
  ///   - depth: Mean of `|x|` over the weights.
  ///   - range: Largest `|x|`.
  ///   - outputMagnitudes: Mean of `|v|` over the weights, for each lane.
  func bounds(depth: Double, range: Double, outputMagnitudes: [Double]) -> AttentionBounds {
    let sum = Double(min(keyCount, QueryBlock.tile) + 1) * u
    let weight = 2 * logit + 92 * u
    let ratio = exponential(2 * weight) - 1 + 2 * sum
    let vanishing = Double(keyCount) * Double(Float.leastNormalMagnitude)
    return AttentionBounds(
      logit: logit,
      logSumExp: 1.01 * (weight + sum),
      entropy: 1.01 * (weight + sum + (ratio + u) * depth + 2 * logit + vanishing * (range + 1)),
      output: outputMagnitudes.map { 1.01 * (ratio * $0 + 2 * vanishing * largestValue) })
  }
}
