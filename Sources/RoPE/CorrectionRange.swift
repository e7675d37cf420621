/// The pair indices between which YaRN's ramp runs.
///
/// ```
/// c(r) = d * ln(L / (2*pi*r)) / (2 * ln base)        the index of the pair that turns r times within L
/// low  = max(c(betaFast), 0)                         rounded down when truncating
/// high = min(c(betaSlow), d - 1)                     rounded up when truncating
/// ```
///
/// Two oddities are the reference's, and so ours. The upper bound is `d - 1` although pair indices end at `d/2 - 1`.
/// And `low > high` is possible: betas in the wrong order reverse the ramp, and an original length below `2*pi*betaSlow`
/// gives a negative `high` with which nothing is interpolated.
/// - Source: `yarn_find_correction_range` in the authors' repository, transformers 5.23.0 `modeling_rope_utils.py`.
public struct CorrectionRange: Sendable, Equatable {
  /// Last pair index that is left alone, at least 0.
  public var low: Double
  /// First pair index that is fully interpolated, at most `d - 1`. Never equal to ``low``.
  public var high: Double

  public init(_ yarn: YaRN, base: Double, rotaryDimension: Int) {
    let fast = Self.index(rotations: yarn.betaFast, yarn, base: base, rotaryDimension: rotaryDimension)
    let slow = Self.index(rotations: yarn.betaSlow, yarn, base: base, rotaryDimension: rotaryDimension)
    low = max(yarn.truncate ? fast.rounded(.down) : fast, 0)
    high = min(yarn.truncate ? slow.rounded(.up) : slow, Double(rotaryDimension) - 1)
    // The reference's way out of a division by zero; the ramp is then a step.
    if low == high { high += 0.001 }
  }

  /// Index of the pair that turns `rotations` times within the original length, not rounded: `c(r)` above.
  package static func index(rotations: Double, _ yarn: YaRN, base: Double, rotaryDimension: Int) -> Double {
    Double(rotaryDimension) * logarithm(yarn.originalContextLength / (rotations * 2 * .pi)) / (2 * logarithm(base))
  }

  /// The share of the interpolated frequency in each pair, from 0 (keep) to 1 (divide by the factor).
  ///
  /// - Returns: `pairCount` values, non-decreasing when `low < high`.
  public func ramp(pairCount: Int) -> [Double] {
    (0..<max(pairCount, 0)).map { min(max((Double($0) - low) / (high - low), 0), 1) }
  }
}
