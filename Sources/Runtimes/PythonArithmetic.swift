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
