/// YaRN's attention factor, `m(s, k) = 1 + 0.1 * k * ln s` for `s > 1`, else 1.
///
/// DeepSeek-style models divide `m(s, mscale)` by `m(s, mscale_all_dim)` and put the square of the latter into the
/// softmax scale.
/// - Source: YaRN, arXiv 2309.00071, section 3.4 (`sqrt(1/t) = 0.1 ln s + 1`); `yarn_get_mscale` in the published codes.
public func yarnMagnitude(factor: Double, mscale: Double = 1) -> Double {
  factor <= 1 ? 1 : 1 + 0.1 * mscale * logarithm(factor)
}

/// LongRoPE's attention factor, `sqrt(1 + ln s / ln L)` for `s > 1`, else 1.
///
/// - Source: LongRoPE, arXiv 2402.13753; transformers `_compute_longrope_parameters`.
public func longropeMagnitude(factor: Double, originalContextLength: Double) -> Double {
  factor <= 1 ? 1 : (1 + logarithm(factor) / logarithm(originalContextLength)).squareRoot()
}
