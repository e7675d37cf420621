import ModelConfig
import RoPE
import Runtimes

extension RoPESettings {
  /// What a runtime reads that computes exactly what is asked: the published equations, with the window that the file is
  /// to state.
  ///
  /// - Parameters:
  ///   - declaration: What the file says before the patch; an mscale pair and divisors of it stay in force.
  ///   - sequenceLength: For the dynamic method, in tokens.
  package func reading(over declaration: RoPEDeclaration, sequenceLength: Int? = nil) -> RuntimeReading {
    var parameters = RoPEParameters(base: base, rotaryDimension: rotaryDimension)
    let original = Double(originalContext)
    switch method {
    case .none, .ntk: break
    case .linear: parameters.scaling = .linear(factor: factor)
    case .dynamic:
      parameters.scaling = .dynamicNTK(
        factor: factor, originalContextLength: original, sequenceLength: Double(sequenceLength ?? originalContext))
    case .yarn, .ntkByParts:
      parameters.scaling = .yarn(
        YaRN(
          factor: factor, originalContextLength: original, betaFast: betaFast ?? 32, betaSlow: betaSlow ?? 1,
          truncate: truncate ?? true))
      settleMagnitude(of: &parameters, over: declaration)
    }
    var reading = RuntimeReading("the request", version: nil, kind: method.rawValue)
    reading.parameters = parameters
    var table = FrequencyTable(parameters)
    // Divisors in the weights act on top of whatever is declared.
    if let divisors = declaration.frequencyDivisors?.value, divisors.count == table.inverseFrequencies.count {
      table.inverseFrequencies = zip(table.inverseFrequencies, divisors).map { $0 / $1 }
    }
    reading.table = table
    // Servers multiply a linear or dynamic window themselves, each by its own rule.
    if ![.linear, .dynamic].contains(method) { reading.contextLength = window }
    return reading
  }

  private func settleMagnitude(of parameters: inout RoPEParameters, over declaration: RoPEDeclaration) {
    let automatic =
      declaration.scalingKind == "yarn"
      ? declaration.automaticMagnitude(factor: factor) : yarnMagnitude(factor: factor)
    var allDim = declaration.scalingKind == "yarn" ? declaration.mscaleAllDim?.value : nil
    switch magnitude {
    case .automatic: parameters.attentionFactor = automatic
    case .final(let value): parameters.attentionFactor = value
    case .mscale(let mscale, let stated):
      allDim = stated
      parameters.attentionFactor =
        yarnMagnitude(factor: factor, mscale: mscale) / yarnMagnitude(factor: factor, mscale: stated)
    }
    if declaration.usesLatentAttention, let allDim {
      let magnitude = yarnMagnitude(factor: factor, mscale: allDim)
      parameters.softmaxScaleMultiplier = magnitude * magnitude
    }
  }
}
