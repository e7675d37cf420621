/// The inverse frequencies of a head's pairs with the factors that go with them: everything RoPE needs at run time.
public struct FrequencyTable: Sendable, Equatable {
  /// Radians per position, one for each pair; pair `i` turns by `position * inverseFrequencies[i]`.
  public var inverseFrequencies: [Double]
  /// Multiplies cos and sin.
  public var attentionFactor: Double
  /// Multiplies the softmax scale of the whole head.
  public var softmaxScaleMultiplier: Double

  public init(inverseFrequencies: [Double], attentionFactor: Double = 1, softmaxScaleMultiplier: Double = 1) {
    self.inverseFrequencies = inverseFrequencies
    self.attentionFactor = attentionFactor
    self.softmaxScaleMultiplier = softmaxScaleMultiplier
  }

  /// The published formulas in double precision; empty when the parameters have ``RoPEParameters/problems``.
  public init(_ parameters: RoPEParameters) {
    self.init(
      inverseFrequencies: parameters.problems.isEmpty ? parameters.inverseFrequencies : [],
      attentionFactor: parameters.attentionFactor, softmaxScaleMultiplier: parameters.softmaxScaleMultiplier)
  }

  /// Positions for a full turn of each pair; infinite for a pair that does not rotate.
  public var wavelengths: [Double] { inverseFrequencies.map { 2 * .pi / $0 } }

  /// Full turns of each pair within `length` positions.
  public func rotations(in length: Double) -> [Double] { inverseFrequencies.map { length * $0 / (2 * .pi) } }

  /// Largest difference of a frequency, relative to the other table's; infinite for tables of other lengths and for
  /// what is no number.
  public func largestDifference(from other: FrequencyTable) -> Double {
    guard inverseFrequencies.count == other.inverseFrequencies.count else { return .infinity }
    return zip(inverseFrequencies, other.inverseFrequencies).reduce(0) { largest, pair in
      let difference = pair.0 == pair.1 ? 0 : abs(pair.0 / pair.1 - 1)
      return max(largest, difference.isNaN ? .infinity : difference)
    }
  }
}

extension RoPEParameters {
  /// `base^(-2i/d)` before any scaling but that of the base. Only for parameters without ``problems``.
  fileprivate func powers(of base: Double, dimension: Int, count: Int) -> [Double] {
    (0..<count).map { power(base, -Double(2 * $0) / Double(dimension)) }
  }

  /// Only for parameters without ``problems``.
  fileprivate var inverseFrequencies: [Double] {
    let kept = powers(of: effectiveBase, dimension: rotaryDimension, count: rotaryDimension / 2)
    switch scaling {
    case .none, .ntkAware, .dynamicNTK:
      return kept
    case .linear(let factor):
      return kept.map { $0 / factor }
    case .longrope(let factors):
      return zip(kept, factors).map { $0 / $1 }
    case .yarn(let yarn):
      let range = CorrectionRange(yarn, base: base, rotaryDimension: rotaryDimension)
      return zip(kept, range.ramp(pairCount: pairCount)).map { blend($0, interpolated: $1, factor: yarn.factor) }
    case .ntkByParts(let factor, let originalContextLength, let alpha, let beta):
      return kept.map { frequency in
        let rotations = originalContextLength * frequency / (2 * .pi)
        let share = min(max((rotations - alpha) / (beta - alpha), 0), 1)
        return blend(frequency, interpolated: 1 - share, factor: factor)
      }
    case .llama3(let factor, let low, let high, let originalContextLength):
      return kept.map { frequency in
        let rotations = originalContextLength * frequency / (2 * .pi)
        if rotations > high { return frequency }
        if rotations < low { return frequency / factor }
        // With equal factors only a pair exactly at the boundary comes here; the reference divides zero by zero.
        if low == high { return frequency }
        return blend(frequency, interpolated: 1 - (rotations - low) / (high - low), factor: factor)
      }
    case .proportional(let factor, let headDimension):
      let rotating = powers(of: base, dimension: headDimension, count: rotaryDimension / 2).map { $0 / factor }
      return rotating + [Double](repeating: 0, count: pairCount - rotating.count)
    }
  }

  private func blend(_ frequency: Double, interpolated share: Double, factor: Double) -> Double {
    frequency / factor * share + frequency * (1 - share)
  }
}
