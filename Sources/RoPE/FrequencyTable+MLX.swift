extension FrequencyTable {
  /// Inverse frequencies as mlx-lm rotates by them: float32, in mlx's order of operations.
  ///
  /// Two things differ from ``float32InverseFrequencies(_:)``. Scaled kinds store the reciprocal, `base^(2i/d)` times the
  /// scaling, and the kernel inverts it; YaRN's blend is then a harmonic one. Kinds without a table get
  /// `exp(-i * (log(base) / n))` from the kernel, which also scales positions instead of frequencies.
  /// - Returns: One value for each pair, whatever mlx makes of parameters with ``RoPEParameters/problems``; empty beyond
  ///   ``RoPEParameters/maximumDimension``. A kind that mlx-lm does not have gives the double values rounded.
  /// - Source: mlx-lm 0.32.2 `models/rope_utils.py`, mlx `fast.cpp`.
  public static func mlxInverseFrequencies(_ parameters: RoPEParameters) -> [Float] {
    guard max(parameters.rotaryDimension, parameters.pairCount) <= RoPEParameters.maximumDimension else { return [] }
    let pairs = parameters.rotaryDimension / 2
    let p = { float32Powers(of: parameters.base, width: parameters.rotaryDimension) }

    switch parameters.scaling {
    case .none, .dynamicNTK:
      return kernelDefault(base: parameters.effectiveBase, pairs: pairs)
    case .ntkAware:
      return float32Powers(of: parameters.effectiveBase, width: parameters.rotaryDimension).map { 1 / $0 }
    case .linear(let factor):
      return kernelDefault(base: parameters.base, pairs: pairs).map { Float(1 / factor) * $0 }
    case .longrope(let factors):
      return zip(p(), factors).map { 1 / (Float($1) * $0) }
    case .yarn(let yarn):
      let range = CorrectionRange(yarn, base: parameters.base, rotaryDimension: parameters.rotaryDimension)
      return zip(p(), range.float32Mask(pairCount: pairs)).map { kept, mask in
        let interpolated = Float(yarn.factor) * kept
        return 1 / (interpolated * kept / (interpolated * mask + kept * (1 - mask)))
      }
    case .llama3(let factor, let low, let high, let length):
      return p().map { p in
        let wavelength = Float(2 * Double.pi) * p
        if wavelength > Float(length / low) { return 1 / (p * Float(factor)) }
        guard wavelength > Float(length / high), wavelength < Float(length / low) else { return 1 / p }
        let smooth = (Float(length) / wavelength - Float(low)) / Float(high - low)
        return 1 / (p / ((1 - smooth) / Float(factor) + smooth))
      }
    case .proportional(let factor, let headDimension):
      let rotating = float32Powers(of: parameters.base, width: parameters.rotaryDimension, dimension: headDimension)
        .map { 1 / (Float(factor) * $0) }
      return rotating + [Float](repeating: 0, count: max(parameters.pairCount - rotating.count, 0))
    case .ntkByParts:
      return FrequencyTable(parameters).inverseFrequencies.map { Float($0) }
    }
  }

  /// What `mx.fast.rope` computes when it is given a base and no table.
  private static func kernelDefault(base: Double, pairs: Int) -> [Float] {
    let step = logarithm(Float(base)) / Float(pairs)
    return (0..<max(pairs, 0)).map { exponential(-Float($0) * step) }
  }
}
