import Diagnostics
import ModelConfig
import RoPE

// What is asked, made definite.

extension RoPESettings {
  static func factor(_ request: PatchRequest, original: Int) throws(FileError) -> Double {
    guard request.method != .none else { return 1 }
    let result: Double
    switch request.reach {
    case .factor(let asked):
      guard asked.isFinite, asked >= 1 else {
        throw option("--factor", found: "the factor is \(asked)", expected: "a finite number of at least 1")
      }
      result = asked
    case .context(let tokens):
      guard tokens > 0, tokens <= largestWindow else {
        throw option("--context", found: "the length is \(tokens)", expected: "1 to \(largestWindow) tokens")
      }
      result = smallestFactor(covering: tokens, original: original)
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
    let asked: [(String, Any?)] = [
      ("--beta-fast", request.betaFast), ("--beta-slow", request.betaSlow), ("--truncate", request.truncate),
      ("--attention-factor", request.attentionFactor), ("--mscale", request.mscale),
      ("--mscale-all-dim", request.mscaleAllDim),
    ]
    if !method.writesYaRN, let (name, _) = asked.first(where: { $0.1 != nil }) {
      throw request.method.writesYaRN
        ? Self.option(
          name, found: "up to \(originalContext) tokens nothing is scaled",
          expected: "a longer --context for this option, or --factor 1")
        : Self.option(name, found: "the method is \(method.rawValue)", expected: "--method yarn for this option")
    }
    guard method.writesYaRN else { return }
    for (name, value) in [("--beta-fast", request.betaFast), ("--beta-slow", request.betaSlow)] {
      if let value, !value.isFinite || value <= 0 {
        throw Self.option(name, found: "the value is \(value)", expected: "a finite number of rotations above 0")
      }
    }
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
    for (name, value) in [
      ("--attention-factor", request.attentionFactor), ("--mscale", request.mscale),
      ("--mscale-all-dim", request.mscaleAllDim),
    ] {
      if let value, !value.isFinite || value <= 0 {
        throw Self.option(name, found: "the value is \(value)", expected: "a finite number above 0")
      }
    }
    if method == .ntkByParts, let asked = request.attentionFactor ?? request.mscale, asked != 1 {
      throw Self.option(
        "--method", found: "ntk-by-parts has magnitude 1", expected: "--method yarn with this magnitude")
    }
    if let final = request.attentionFactor ?? (method == .ntkByParts ? 1 : nil) {
      magnitude = .final(final)
    } else if let mscale = request.mscale {
      // Most readers ignore an mscale without its partner, so one alone is written as the magnitude it stands for.
      if let allDim = request.mscaleAllDim ?? declarations.first?.mscaleAllDim?.value, allDim != 0 {
        magnitude = .mscale(mscale, allDim: allDim)
      } else {
        magnitude = .final(yarnMagnitude(factor: factor, mscale: mscale))
      }
    } else if request.mscaleAllDim != nil {
      throw Self.option("--mscale-all-dim", found: "--mscale is not given", expected: "both, or --attention-factor")
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
