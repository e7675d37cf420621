import Foundation
import RoPE

/// A file of `fixtures/frequency-tables`.
func fixture<T: Decodable>(_ name: String, as _: T.Type = T.self, file: String = #filePath) throws -> T {
  let package = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  let url = package.appendingPathComponent("fixtures/frequency-tables/\(name)")
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  return try decoder.decode(T.self, from: Data(contentsOf: url))
}

/// `formula.json`: the published formulas evaluated with mpmath at 50 digits.
struct FormulaTables: Decodable {
  var count: Int
  var cases: [FormulaCase]
}

struct FormulaCase: Decodable {
  var id: String
  var input: Input
  var invFreq: [Double]
  var attentionFactor: Double
  var rampLow: Double?
  var rampHigh: Double?
  var effectiveBase: Double?

  struct Input: Decodable {
    var method: String
    var dim: Int
    var base: Double
    var factor: Double?
    var scale: Double?
    var original: Double?
    var betaFast: Double?
    var betaSlow: Double?
    var truncate: Bool?
    var attentionFactor: Double?
    var mscale: Double?
    var mscaleAllDim: Double?
    var alpha: Double?
    var beta: Double?
    var lowFreqFactor: Double?
    var highFreqFactor: Double?
    var maxPositionEmbeddings: Double?
    var seqLen: Double?
    var headDim: Int?
  }

  /// The file's input as parameters; `nil` for a method or a field this test does not know.
  func parameters(longropeFactors: [String: [Double]]) -> RoPEParameters? {
    guard let (scaling, attentionFactor) = scaling(longropeFactors: longropeFactors) else { return nil }
    return RoPEParameters(
      base: input.base, rotaryDimension: input.dim, scaling: scaling, attentionFactor: attentionFactor)
  }

  private func scaling(longropeFactors: [String: [Double]]) -> (RoPEScaling, Double)? {
    switch input.method {
    case "rope": return (.none, 1)
    case "PI": return input.factor.map { (.linear(factor: $0), 1) }
    case "ntk-aware": return input.alpha.map { (.ntkAware(alpha: $0), 1) }
    case "dynamic-ntk":
      guard let s = input.factor, let m = input.maxPositionEmbeddings, let n = input.seqLen else { return nil }
      return (.dynamicNTK(factor: s, originalContextLength: m, sequenceLength: n), 1)
    case "ntk-by-parts":
      guard let s = input.factor, let l = input.original, let alpha = input.alpha, let beta = input.beta else {
        return nil
      }
      return (.ntkByParts(factor: s, originalContextLength: l, alpha: alpha, beta: beta), 1)
    case "yarn", "dynamic-yarn":
      guard let s = input.factor ?? input.scale, let l = input.original, let fast = input.betaFast,
        let slow = input.betaSlow
      else { return nil }
      let yarn = YaRN(
        factor: s, originalContextLength: l, betaFast: fast, betaSlow: slow, truncate: input.truncate ?? true)
      return (.yarn(yarn), input.attentionFactor ?? magnitude(factor: s))
    case "llama3":
      guard let s = input.factor, let l = input.original, let low = input.lowFreqFactor,
        let high = input.highFreqFactor
      else { return nil }
      return (.llama3(factor: s, lowFrequencyFactor: low, highFrequencyFactor: high, originalContextLength: l), 1)
    case "longrope":
      guard let factors = longropeFactors[id], let l = input.original, let m = input.maxPositionEmbeddings else {
        return nil
      }
      return (.longrope(factors: factors), longropeMagnitude(factor: m / l, originalContextLength: l))
    case "proportional":
      guard let s = input.factor, let head = input.headDim else { return nil }
      return (.proportional(factor: s, headDimension: head), 1)
    default: return nil
    }
  }

  /// Both magnitudes count only when neither is absent or zero.
  private func magnitude(factor: Double) -> Double {
    guard let mscale = input.mscale, let all = input.mscaleAllDim, mscale != 0, all != 0 else {
      return yarnMagnitude(factor: factor)
    }
    return yarnMagnitude(factor: factor, mscale: mscale) / yarnMagnitude(factor: factor, mscale: all)
  }
}

/// `float32-order.json`: buffers of transformers 5.23.0's LlamaRotaryEmbedding, float32 written as exact doubles.
///
/// Made by building the class from each config on a CPU; `type` is the rope type, the other members are the values it
/// used.
struct Float32Tables: Decodable {
  var cases: [Case]

  struct Case: Decodable {
    var id: String
    var type: String
    var base: Double
    var dim: Int
    var factor: Double?
    var original: Double?
    var betaFast: Double?
    var betaSlow: Double?
    var truncate: Bool?
    var low: Double?
    var high: Double?
    var maxPositionEmbeddings: Double?
    var seqLen: Double?
    var factors: [Double]?
    var headDim: Int?
    var invFreq: [Double]

    var parameters: RoPEParameters? {
      scaling.map { RoPEParameters(base: base, rotaryDimension: dim, scaling: $0) }
    }

    private var scaling: RoPEScaling? {
      switch (type, factor, original) {
      case ("default", _, _): return RoPEScaling.none
      case ("linear", let s?, _): return .linear(factor: s)
      case ("longrope", _, _): return factors.map { .longrope(factors: $0) }
      case ("proportional", let s?, _): return headDim.map { .proportional(factor: s, headDimension: $0) }
      case ("yarn", let s?, let l?):
        guard let fast = betaFast, let slow = betaSlow, let truncate else { return nil }
        return .yarn(
          YaRN(factor: s, originalContextLength: l, betaFast: fast, betaSlow: slow, truncate: truncate))
      case ("llama3", let s?, let l?):
        guard let low, let high else { return nil }
        return .llama3(factor: s, lowFrequencyFactor: low, highFrequencyFactor: high, originalContextLength: l)
      case ("dynamic", let s?, _):
        guard let m = maxPositionEmbeddings, let n = seqLen else { return nil }
        return .dynamicNTK(factor: s, originalContextLength: m, sequenceLength: n)
      default: return nil
      }
    }
  }
}
