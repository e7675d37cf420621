import RoPE

/// `int(x)`: towards zero.
///
/// - Throws: `OverflowError` for infinities and `ValueError` for NaN, as Python; the former also for what no width or
///   length can be, so that twice the result is an `Int` too.
func pythonInt(_ value: Double) throws(RuntimeRefusal) -> Int {
  guard abs(value) < 1e15, let whole = Int(exactly: value.rounded(.towardZero)) else {
    throw RuntimeRefusal(value.isNaN ? "ValueError" : "OverflowError", "\(value) is not a usable number")
  }
  return whole
}

/// `numerator / denominator`.
///
/// - Throws: `ZeroDivisionError`.
func pythonQuotient(_ numerator: Double, _ denominator: Double) throws(RuntimeRefusal) -> Double {
  guard denominator != 0 else { throw RuntimeRefusal("ZeroDivisionError", "\(numerator) is divided by zero") }
  return numerator / denominator
}

/// LongRoPE's `math.sqrt(1 + math.log(factor) / math.log(original))` for a factor above 1, else 1.
///
/// - Throws: `ValueError` where Python has no logarithm or no root, `ZeroDivisionError` for an original length of 1.
func pythonLongropeMagnitude(factor: Double, original: Double) throws(RuntimeRefusal) -> Double {
  guard !(factor <= 1) else { return 1 }
  guard !(original <= 0) else { throw RuntimeRefusal("ValueError", "math domain error: original length \(original)") }
  guard original != 1 else {
    throw RuntimeRefusal("ZeroDivisionError", "the logarithm of the original length is 0")
  }
  // Below 1 the logarithm is negative, and so is what the root is taken of.
  guard !(1 + logarithm(factor) / logarithm(original) < 0) else {
    throw RuntimeRefusal("ValueError", "math domain error: a factor of \(factor) over the original length \(original)")
  }
  return longropeMagnitude(factor: factor, originalContextLength: original)
}

extension PythonDictionary {
  /// The factor on cos and sin of the codes that follow transformers: the stated one, the ratio of two magnitudes when
  /// neither is None or zero, else `m(s)`.
  func transformersMagnitude(factor: Double) throws(RuntimeRefusal) -> Double {
    if let stated = try number("attention_factor") { return stated }
    guard let mscale = try number("mscale"), let all = try number("mscale_all_dim"), mscale != 0, all != 0 else {
      return yarnMagnitude(factor: factor)
    }
    return try pythonQuotient(
      yarnMagnitude(factor: factor, mscale: mscale), yarnMagnitude(factor: factor, mscale: all))
  }

  /// The factor on cos and sin of the serving engines' DeepSeek class, where an absent magnitude has a default.
  func deepSeekMagnitude(factor: Double) throws(RuntimeRefusal) -> Double {
    try pythonQuotient(
      yarnMagnitude(factor: factor, mscale: argument("mscale", default: 1)),
      yarnMagnitude(factor: factor, mscale: argument("mscale_all_dim", default: 0)))
  }
}
