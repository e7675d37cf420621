import RoPE

extension CorrectionRange {
  /// The range as Python evaluates it, with Python's errors where Swift would go on with an infinity or no number.
  ///
  /// - Throws: `ZeroDivisionError`, `ValueError` (logarithm of what is not positive, rounding of no number),
  ///   `OverflowError` (rounding of an infinity).
  init(python yarn: YaRN, base: Double, rotaryDimension: Int) throws(RuntimeRefusal) {
    for (name, beta) in [("beta_fast", yarn.betaFast), ("beta_slow", yarn.betaSlow)] {
      guard beta != 0 else { throw RuntimeRefusal("ZeroDivisionError", "\(name) is 0") }
      guard !(yarn.originalContextLength / (beta * 2 * .pi) <= 0) else {
        throw RuntimeRefusal(
          "ValueError", "math domain error: the original length is \(yarn.originalContextLength), \(name) \(beta)")
      }
      guard !(base <= 0) else { throw RuntimeRefusal("ValueError", "math domain error: the base is \(base)") }
      guard base != 1 else { throw RuntimeRefusal("ZeroDivisionError", "the base is 1, its logarithm 0") }
      let index = Self.index(rotations: beta, yarn, base: base, rotaryDimension: rotaryDimension)
      guard yarn.truncate, !index.isFinite else { continue }
      throw RuntimeRefusal(
        index.isNaN ? "ValueError" : "OverflowError", "the correction range cannot be rounded: \(index) at \(name)")
    }
    self.init(yarn, base: base, rotaryDimension: rotaryDimension)
  }
}
