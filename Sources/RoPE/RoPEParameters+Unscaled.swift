extension RoPEParameters {
  /// The same pairs without scaling and magnitude: what the model was trained with before it was extended.
  package var unscaled: RoPEParameters {
    var result = RoPEParameters(base: base, rotaryDimension: rotaryDimension)
    if case .proportional(_, let head) = scaling { result.scaling = .proportional(factor: 1, headDimension: head) }
    return result
  }

  /// The same method with a factor of 1; `nil` for methods that have none, or that scale nonetheless.
  package var identity: RoPEParameters? {
    var result = RoPEParameters(base: base, rotaryDimension: rotaryDimension)
    switch scaling {
    case .linear: result.scaling = .linear(factor: 1)
    case .ntkAware: result.scaling = .ntkAware(alpha: 1)
    case .ntkByParts(_, let length, let alpha, let beta):
      result.scaling = .ntkByParts(factor: 1, originalContextLength: length, alpha: alpha, beta: beta)
    case .yarn(var yarn):
      yarn.factor = 1
      result.scaling = .yarn(yarn)
    case .llama3(_, let low, let high, let length):
      result.scaling = .llama3(
        factor: 1, lowFrequencyFactor: low, highFrequencyFactor: high, originalContextLength: length)
    case .none, .dynamicNTK, .longrope, .proportional: return nil
    }
    return result
  }
}
