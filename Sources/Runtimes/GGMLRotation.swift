import RoPE

/// What ggml's rotary operation (`ggml_rope_ext`) is given, and the angles it makes of it.
///
/// Float32 throughout, in ggml's order: an angle is built by repeated multiplication, so its error grows with the pair
/// index. A product that feeds a sum is fused, as in the library's build for x86; its recorded samples agree to the bit.
/// - Source: ggml 0.25.3 `ggml-cpu/ops.cpp:6180-6218`, `ggml.c:4478-4490`.
struct GGMLRotation: Equatable {
  /// `n_dims`: how many elements of a head rotate, even.
  var dimension: Int
  /// `n_ctx_orig`
  var originalContext: UInt32
  /// `freq_base`
  var base: Float
  /// `freq_scale`: one over the scaling factor.
  var frequencyScale: Float = 1
  /// `ext_factor`: share of YaRN's ramp, 0 for plain interpolation.
  var extrapolation: Float = 0
  /// `attn_factor`; while `extrapolation` is not 0, ggml multiplies ``automaticMagnitude`` to it.
  var attentionFactor: Float = 1
  var betaFast: Float = 32
  var betaSlow: Float = 1
  /// `freq_factors`: one divisor of the angle for each pair.
  var divisors: [Float]?

  var pairCount: Int { dimension / 2 }

  /// Pair indices between which the ramp runs: always whole, and never reversed, see ``kept(_:_:)``.
  var correctionRange: (low: Float, high: Float) {
    let low = Self.index(rotations: betaFast, self).rounded(.down)
    let high = Self.index(rotations: betaSlow, self).rounded(.up)
    return (Self.greater(0, low), Self.lesser(Float(dimension - 1), high))
  }

  /// What multiplies cos and sin.
  var magnitude: Float {
    extrapolation == 0 ? attentionFactor : attentionFactor * Self.automaticMagnitude(factor: 1 / frequencyScale)
  }

  /// `1 + 0.1 ln s`, also below a factor of 1.
  static func automaticMagnitude(factor: Float) -> Float { Float(1).addingProduct(0.1, logarithm(factor)) }

  /// The angle of each pair; at position 1 these are the inverse frequencies.
  func angles(at position: Float = 1) -> [Float] {
    let step = power(base, -2 / Float(dimension))
    let range = correctionRange
    var theta = position
    return (0..<pairCount).map { pair in
      defer { theta *= step }
      let extrapolated = divisors.map { theta / $0[pair] } ?? theta
      let interpolated = frequencyScale * extrapolated
      guard extrapolation != 0 else { return interpolated }
      let kept = kept(pair, range) * extrapolation
      return (extrapolated * kept).addingProduct(interpolated, 1 - kept)
    }
  }

  /// Share of the unscaled angle. Betas in the wrong order give a step, where the torch codes reverse the ramp.
  private func kept(_ pair: Int, _ range: (low: Float, high: Float)) -> Float {
    let y = (Float(pair) - range.low) / Self.greater(0.001, range.high - range.low)
    return 1 - Self.lesser(1, Self.greater(0, y))
  }

  private static func index(rotations: Float, _ rotation: GGMLRotation) -> Float {
    // `Float.pi` is rounded towards zero, C's `(float)M_PI` is not. The original context is an `int` there.
    let turn = rotations * 2 * Float(Double.pi)
    let original = Float(Int32(truncatingIfNeeded: rotation.originalContext))
    return Float(rotation.dimension) * logarithm(original / turn) / (2 * logarithm(rotation.base))
  }

  /// C's MAX and MIN macros, which let a NaN on the right through.
  private static func greater(_ a: Float, _ b: Float) -> Float { a > b ? a : b }
  private static func lesser(_ a: Float, _ b: Float) -> Float { a < b ? a : b }
}

extension GGMLRotation {
  /// The published scaling that gives this table, `nil` when none does: a partial ramp, divisors below a ramp, or a
  /// range where ggml and the papers differ.
  func parameters(softmaxScaleMultiplier: Double) -> RoPEParameters? {
    let factor = Double(1 / frequencyScale)
    let scaling: RoPEScaling
    switch (extrapolation, divisors) {
    case (0, let divisors?): scaling = .longrope(factors: divisors.map { Double($0) * factor })
    case (0, nil): scaling = frequencyScale == 1 ? .none : .linear(factor: factor)
    case (1, nil):
      scaling = .yarn(
        YaRN(
          factor: factor, originalContextLength: Double(originalContext), betaFast: Double(betaFast),
          betaSlow: Double(betaSlow)))
    default: return nil
    }
    let parameters = RoPEParameters(
      base: Double(base), rotaryDimension: dimension, scaling: scaling, attentionFactor: Double(magnitude),
      softmaxScaleMultiplier: softmaxScaleMultiplier)
    let published = FrequencyTable(parameters).inverseFrequencies
    let agrees = zip(angles(), published).allSatisfy { abs(Double($0) - $1) <= 1e-4 * $1 }
    return agrees && published.count == pairCount ? parameters : nil
  }
}
