import PatchPlanning
import RoPE
import Runtimes
import YarnPatch

/// One setting of everything that the page lets its reader turn, complete: what the script starts from.
struct Knobs: Equatable {
  var method = PatchMethod.yarn
  var base: Double
  var headDimension: Int
  var rotaryDimension: Int
  /// In tokens.
  var original: Int
  var factor: Double
  var betaFast = 32.0
  var betaSlow = 1.0
  var truncate = true
  /// Multiplies cos and sin under YaRN; `nil` for `0.1 ln s + 1`.
  var attentionFactor: Double?
  /// Tokens of the sequence, for the dynamic method.
  var length: Int

  /// Original length × factor, in tokens, as a patch states it.
  var window: Int {
    Double(original) * factor < 0x1p53 ? max(RoPESettings.window(original, factor), 1) : original
  }

  var parameters: RoPEParameters { parameters(method) }

  /// What another method makes of the same setting.
  func parameters(_ method: PatchMethod) -> RoPEParameters {
    var result = RoPEParameters(base: base, rotaryDimension: rotaryDimension)
    let trained = Double(original)
    switch method {
    case .none: break
    case .linear: result.scaling = .linear(factor: factor)
    case .ntk: result.scaling = .ntkAware(alpha: factor)
    case .dynamic:
      result.scaling = .dynamicNTK(
        factor: factor, originalContextLength: trained, sequenceLength: max(Double(length), trained))
    case .yarn, .ntkByParts:
      result.scaling = .yarn(yarn)
      result.attentionFactor = method == .yarn ? attentionFactor ?? yarnMagnitude(factor: factor) : 1
    }
    return result
  }

  var yarn: YaRN {
    YaRN(
      factor: factor, originalContextLength: Double(original), betaFast: betaFast, betaSlow: betaSlow,
      truncate: truncate)
  }

  /// NTK-by-parts with the ramp over rotations, as the paper words it.
  var ntkByParts: RoPEParameters {
    RoPEParameters(
      base: base, rotaryDimension: rotaryDimension,
      scaling: .ntkByParts(
        factor: factor, originalContextLength: Double(original), alpha: betaSlow, beta: betaFast))
  }
}

extension Knobs {
  /// What a layer's file declares, as far as the page's methods can say it.
  ///
  /// - Parameter context: Where the file states no window, in tokens.
  init?(_ layer: Guide.Layer, context: Int) {
    let (declaration, reading) = (layer.declaration, layer.reading)
    guard let parameters = reading.parameters, let head = declaration.headDimension?.value,
      declaration.frequencyDivisors == nil
    else { return nil }
    let window = declaration.contextLength?.value ?? context
    self.init(
      method: .none, base: parameters.base, headDimension: head, rotaryDimension: parameters.rotaryDimension,
      original: window, factor: 1, length: window)
    switch parameters.scaling {
    case .none: original = declaration.originalContext?.value ?? window
    case .linear(let factor): (method, self.factor) = (.linear, factor)
    case .dynamicNTK(let factor, _, _): (method, self.factor) = (.dynamic, factor)
    case .yarn(let yarn):
      guard let trained = Int(exactly: yarn.originalContextLength) else { return nil }
      (method, factor, original) = (.yarn, yarn.factor, trained)
      (betaFast, betaSlow, truncate) = (yarn.betaFast, yarn.betaSlow, yarn.truncate)
      settle(parameters.attentionFactor)
    case .ntkAware, .ntkByParts, .llama3, .longrope, .proportional: return nil
    }
    if method == .linear, declaration.absentKindIsLinear || declaration.layerType != nil {
      // Such files state the window after scaling.
      original = Int(exactly: (Double(window) / factor).rounded(.down)) ?? window
    }
    length = self.window
  }

  /// The setting that is advised for a layer.
  init?(_ settings: RoPESettings, _ planned: RuntimeReading?, headDimension: Int?) {
    guard let headDimension, let table = planned?.table else { return nil }
    self.init(
      method: settings.method, base: settings.base, headDimension: headDimension,
      rotaryDimension: settings.rotaryDimension, original: settings.originalContext, factor: settings.factor,
      betaFast: settings.betaFast ?? 32, betaSlow: settings.betaSlow ?? 1, truncate: settings.truncate ?? true,
      length: settings.window)
    if method == .yarn { settle(table.attentionFactor) }
  }

  /// Where neither of the two can be said: the model before any scaling.
  init(unscaled layer: Guide.Layer, context: Int) {
    let rotary = layer.reading.rotaryDimension ?? layer.declaration.rotaryDimension?.value ?? 128
    let original = layer.declaration.originalContext?.value ?? layer.declaration.contextLength?.value ?? 4096
    self.init(
      method: .none, base: layer.reading.base ?? layer.declaration.base?.value ?? 10_000,
      headDimension: layer.declaration.headDimension?.value ?? rotary, rotaryDimension: rotary, original: original,
      factor: max(1, Double(context) / Double(original)), length: max(context, original))
  }

  private mutating func settle(_ magnitude: Double) {
    attentionFactor = magnitude == yarnMagnitude(factor: factor) ? nil : magnitude
  }
}
