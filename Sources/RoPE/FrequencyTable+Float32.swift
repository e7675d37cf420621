extension FrequencyTable {
  /// The same table by another route: float32 throughout, in the order of operations of the torch codes.
  ///
  /// Gives what transformers, vLLM, SGLang and the authors' repository hold in memory, up to the last bits of their
  /// vectorised power function; disagreement with the double route beyond float32 rounding is a mistake in one of them.
  /// ``RoPEScaling/ntkByParts(factor:originalContextLength:alpha:beta:)`` as the paper words it has no such code, its
  /// double values are rounded.
  /// - Parameter extrapolationFactor: Multiplies YaRN's share of the unscaled frequency. Not in the paper; the authors'
  ///   code and SGLang have it.
  /// - Returns: One value for each pair; empty when the parameters have ``RoPEParameters/problems``.
  /// - Source: transformers 5.23.0 `modeling_rope_utils.py`, SGLang 0.5.23 `rotary_embedding/yarn.py`.
  public static func float32InverseFrequencies(
    _ parameters: RoPEParameters, extrapolationFactor: Double = 1
  ) -> [Float] {
    guard parameters.problems.isEmpty else { return [] }
    let p = float32Powers(of: parameters.effectiveBase, width: parameters.rotaryDimension)

    switch parameters.scaling {
    case .none, .ntkAware, .dynamicNTK:
      return p.map { 1 / $0 }
    case .linear(let factor):
      return p.map { 1 / $0 / Float(factor) }
    case .longrope(let factors):
      return zip(p, factors).map { 1 / (Float($1) * $0) }
    case .yarn(let yarn):
      let range = CorrectionRange(yarn, base: parameters.base, rotaryDimension: parameters.rotaryDimension)
      let mask = range.float32Mask(pairCount: p.count).map { $0 * Float(extrapolationFactor) }
      return float32YaRN(p, factor: yarn.factor, mask: mask)
    case .llama3(let factor, let low, let high, let length):
      return p.map { p in
        let frequency = 1 / p
        // A number over a tensor is the tensor's reciprocal times the number. (Float.pi is rounded towards zero.)
        let wavelength = 1 / frequency * Float(2 * Double.pi)
        if wavelength < Float(length / high) { return frequency }
        if wavelength > Float(length / low) { return frequency / Float(factor) }
        if low == high { return frequency }
        let smooth = (1 / wavelength * Float(length) - Float(low)) / Float(high - low)
        return (1 - smooth) * frequency / Float(factor) + smooth * frequency
      }
    case .proportional(let factor, let headDimension):
      let rotating = float32Powers(of: parameters.base, width: parameters.rotaryDimension, dimension: headDimension)
        .map { 1 / $0 / Float(factor) }
      return rotating + [Float](repeating: 0, count: parameters.pairCount - rotating.count)
    case .ntkByParts:
      return FrequencyTable(parameters).inverseFrequencies.map { Float($0) }
    }
  }

  /// `base ** (arange(0, width, 2) / dimension)`: the base is a Python double that enters float32 here.
  ///
  /// - Parameter dimension: Denominator of the exponent, the width itself if `nil`.
  package static func float32Powers(of base: Double, width: Int, dimension: Int? = nil) -> [Float] {
    stride(from: 0, to: width, by: 2).map { power(Float(base), Float($0) / Float(dimension ?? width)) }
  }

  /// YaRN's blend of interpolated and kept frequencies in the torch codes' order.
  ///
  /// - Parameters:
  ///   - powers: ``float32Powers(of:width:dimension:)``.
  ///   - mask: Share of the kept frequency in each pair.
  package static func float32YaRN(_ powers: [Float], factor: Double, mask: [Float]) -> [Float] {
    zip(powers, mask).map { p, mask in 1 / (Float(factor) * p) * (1 - mask) + 1 / p * mask }
  }
}

extension CorrectionRange {
  /// One minus the ramp in float32: the share of the kept frequency in each pair.
  package func float32Mask(pairCount: Int) -> [Float] {
    (0..<max(pairCount, 0)).map { 1 - min(max((Float($0) - Float(low)) / Float(high - low), 0), 1) }
  }
}
