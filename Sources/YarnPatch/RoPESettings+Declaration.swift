import ModelConfig
import PatchPlanning
import RoPE
import Runtimes

extension RoPESettings {
  /// What a file states otherwise than these settings, as phrases; empty when it states them.
  ///
  /// The comparison goes through the parameters the declaration leads to, so it does not depend on how a value is
  /// spelled. A GGUF stores float32, hence the relative tolerance of 1e-6.
  func differences(from declaration: RoPEDeclaration) -> [String] {
    var wrong: [String] = []
    func compare(_ what: String, _ stated: Double?, _ wanted: Double) {
      guard let stated, abs(stated - wanted) <= abs(wanted) * 1e-6 else {
        wrong.append("\(what) is \(stated.map { "\($0)" } ?? "not stated"), asked for \(wanted)")
        return
      }
    }
    let kind: String? =
      switch method {
      case .yarn, .ntkByParts: "yarn"
      case .linear, .dynamic: method.rawValue
      case .ntk, .none: nil
      }
    if declaration.scalingKind != kind {
      wrong.append("scaling is \(declaration.scalingKind ?? "none"), asked for \(kind ?? "none")")
    }
    compare("the base", declaration.base?.value, base)
    let statesScaledWindow = declaration.absentKindIsLinear || ![.linear, .dynamic].contains(method)
    compare(
      "the window", declaration.contextLength.map { Double($0.value) },
      Double(statesScaledWindow ? window : originalContext))
    guard kind != nil else { return wrong }
    compare("the factor", declaration.factor?.value, factor)
    guard method.writesYaRN else { return wrong }
    compare("the original length", declaration.originalContext.map { Double($0.value) }, Double(originalContext))
    let reading = Formula.read(declaration)
    guard let table = reading.table, case .yarn(let yarn)? = reading.parameters?.scaling else {
      return wrong + [reading.refused?.reason ?? "no YaRN table follows from it"]
    }
    if let betaFast { compare("beta_fast", yarn.betaFast, betaFast) }
    if let betaSlow { compare("beta_slow", yarn.betaSlow, betaSlow) }
    if let truncate, yarn.truncate != truncate { wrong.append("truncate is \(yarn.truncate), asked for \(truncate)") }
    switch magnitude {
    case .final(let value): compare("the magnitude", table.attentionFactor, value)
    case .mscale(let mscale, let allDim):
      let ratio = yarnMagnitude(factor: factor, mscale: mscale) / yarnMagnitude(factor: factor, mscale: allDim)
      compare("the magnitude", table.attentionFactor, ratio)
    case .automatic:
      if declaration.mscaleAllDim == nil {
        compare("the magnitude", table.attentionFactor, yarnMagnitude(factor: factor))
      }
    }
    return wrong
  }
}
