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
    // b ** (arange(0, d, 2) / d): the base is a Python double that enters float32 here.
    func powers(of base: Double, dimension: Int) -> [Float] {
      stride(from: 0, to: parameters.rotaryDimension, by: 2).map { power(Float(base), Float($0) / Float(dimension)) }
    }
    let p = powers(of: parameters.effectiveBase, dimension: parameters.rotaryDimension)

    switch parameters.scaling {
    case .none, .ntkAware, .dynamicNTK:
      return p.map { 1 / $0 }
    case .linear(let factor):
      return p.map { 1 / $0 / Float(factor) }
    case .longrope(let factors):
      return zip(p, factors).map { 1 / (Float($1) * $0) }
    case .yarn(let yarn):
      let range = CorrectionRange(yarn, base: parameters.base, rotaryDimension: parameters.rotaryDimension)
      return p.enumerated().map { index, p in
        let ramp = min(max((Float(index) - Float(range.low)) / Float(range.high - range.low), 0), 1)
        let mask = (1 - ramp) * Float(extrapolationFactor)
        return 1 / (Float(yarn.factor) * p) * (1 - mask) + 1 / p * mask
      }
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
      let rotating = powers(of: parameters.base, dimension: headDimension).map { 1 / $0 / Float(factor) }
      return rotating + [Float](repeating: 0, count: parameters.pairCount - rotating.count)
    case .ntkByParts:
      return FrequencyTable(parameters).inverseFrequencies.map { Float($0) }
    }
  }
}
