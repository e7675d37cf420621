import Diagnostics
import ModelConfig
import RoPE

// What is asked, made definite.

extension RoPESettings {
  static func factor(_ request: PatchRequest, original: Int) throws(FileError) -> Double {
    guard request.method != .none else { return 1 }
    let result: Double
    switch request.reach {
    case .factor(let asked): result = asked
    case .context(let tokens): result = smallestFactor(covering: tokens, original: original)
    case nil:
      throw option("--factor", found: "no factor and no context is given", expected: "--factor or --context")
    }
    guard Double(original) * result <= Double(largestWindow) else {
      throw option(
        "--factor", found: "\(original) × \(result) is beyond \(largestWindow)",
        expected: "a window of 32-bit positions")
    }
    return result
  }

  /// The smallest factor of at least 1 that covers `tokens`, in the width that a GGUF stores.
  static func smallestFactor(covering tokens: Int, original: Int) -> Double {
    var factor = Float(max(1, Double(tokens) / Double(original)))
    while true {
      // config.json says the float's shortest decimal where that covers as well, else all its digits.
      for spelling in [Double("\(factor)") ?? Double(factor), Double(factor)] where window(original, spelling) >= tokens
      {
        return spelling
      }
      factor = factor.nextUp
    }
  }

  mutating func settleRamp(_ request: PatchRequest, _ declaration: RoPEDeclaration) throws(FileError) {
    if !method.writesYaRN, request.method.writesYaRN, let option = request.optionOfYaRN {
      throw Self.option(
        option, found: "up to \(originalContext) tokens nothing is scaled",
        expected: "a longer --context for this option, or --factor 1")
    }
    guard method.writesYaRN else { return }
    betaFast = request.betaFast ?? declaration.betaFast?.value
    betaSlow = request.betaSlow ?? declaration.betaSlow?.value
    truncate = request.truncate ?? declaration.truncate?.value
    if betaFast ?? 32 < betaSlow ?? 1 {
      throw Self.option(
        "--beta-fast", found: "beta_fast \(betaFast ?? 32) is below beta_slow \(betaSlow ?? 1)",
        expected: "beta_fast of at least beta_slow: the other way round the ramp is reversed")
    }
  }

  mutating func settleMagnitude(
    _ request: PatchRequest, _ declarations: [RoPEDeclaration]
  ) throws(FileError) {
    guard method.writesYaRN else { return }
    if let final = request.attentionFactor ?? (method == .ntkByParts ? 1 : nil) {
      magnitude = .final(final)
    } else if let mscale = request.mscale {
      // Most readers ignore an mscale without its partner, so one alone is written as the magnitude it stands for.
      if let allDim = request.mscaleAllDim ?? declarations.first?.mscaleAllDim?.value, allDim != 0 {
        magnitude = .mscale(mscale, allDim: allDim)
      } else {
        magnitude = .final(yarnMagnitude(factor: factor, mscale: mscale))
      }
    } else {
      for declaration in declarations { try Self.checkMagnitude(declaration, factor: factor) }
    }
  }

  /// A magnitude of the model's own must not be lost without a word.
  private static func checkMagnitude(_ declaration: RoPEDeclaration, factor: Double) throws(FileError) {
    guard declaration.scalingKind == "yarn", let stated = declaration.attentionFactor else { return }
    let automatic = declaration.automaticMagnitude(factor: declaration.factor?.value ?? 1)
    guard abs(stated.value - automatic) > automatic * 1e-4 else { return }
    let next = declaration.automaticMagnitude(factor: factor)
    throw refuse(
      .customMagnitude, stated.place, found: "the magnitude is \(stated.value), not the automatic \(automatic)",
      expected: "to be told the magnitude at factor \(factor)",
      remedy: "--attention-factor \(stated.value) keeps it, --attention-factor \(next) is automatic")
  }
}
