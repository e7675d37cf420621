import ModelConfig
import RoPE

/// What the `get_rope` factories of vLLM and SGLang have in common: rotary classes that take keyword arguments as the
/// file has them, so that None and 0 are not replaced by defaults as transformers does.
struct ServingRotary {
  var parameters: PythonDictionary
  var base: Double
  var headDimension: Double
  var rotaryDimension: Int
  /// `max_position`, which the model class passes.
  var window: PythonValue?

  /// Parameters without scaling.
  var unscaled: RoPEParameters { RoPEParameters(base: base, rotaryDimension: rotaryDimension) }

  /// The longest position of the config.
  func requiredWindow() throws(RuntimeRefusal) -> Double {
    guard let number = window?.number else { throw RuntimeRefusal("TypeError", "max_position_embeddings is no number") }
    return number
  }

  /// The class divides positions by `scaling_factor` and asks for `isinstance(scaling_factor, float)`.
  func linear(factor: PythonValue) throws(RuntimeRefusal) -> RoPEParameters {
    guard case .float(let value) = factor else {
      throw RuntimeRefusal("TypeError", "the factor of linear scaling must have a decimal point")
    }
    var result = unscaled
    result.scaling = .linear(factor: value)
    return result
  }

  /// A base of `base * alpha^(d/(d-2))`, for sequences of every length.
  func ntkAware(alpha: Double) throws(RuntimeRefusal) -> RoPEParameters {
    _ = try pythonQuotient(1, Double(rotaryDimension) - 2)
    var result = unscaled
    result.scaling = .ntkAware(alpha: alpha)
    return result
  }

  /// YaRN with its betas as keyword arguments; the attention factor is left at 1.
  func yarn(factor: Double, original: Double, truncate: Bool = true) throws(RuntimeRefusal) -> RoPEParameters {
    let yarn = YaRN(
      factor: factor, originalContextLength: original,
      betaFast: try parameters.argument("beta_fast", default: 32),
      betaSlow: try parameters.argument("beta_slow", default: 1), truncate: truncate)
    _ = try CorrectionRange(python: yarn, base: base, rotaryDimension: rotaryDimension)
    var result = unscaled
    result.scaling = .yarn(yarn)
    return result
  }

  func llama3(
    factor: Double, low: Double, high: Double, original: Double
  ) throws(RuntimeRefusal) -> RoPEParameters {
    for divisor in [low, high] { _ = try pythonQuotient(original, divisor) }
    var result = unscaled
    result.scaling = .llama3(
      factor: factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContextLength: original)
    return result
  }

  /// Phi-3's class: `factor` and `attention_factor` are not looked at; `short_mscale` and `long_mscale` are.
  func longrope(original: Double, usesLong: Bool) throws(RuntimeRefusal) -> RoPEParameters {
    let (short, long) = (
      try parameters.requiredNumbers("short_factor"), try parameters.requiredNumbers("long_factor")
    )
    let stretch = try pythonQuotient(try requiredWindow(), original)
    let factors = usesLong ? long : short
    guard factors.count == rotaryDimension / 2 else {
      throw RuntimeRefusal("RuntimeError", "\(factors.count) factors are given for \(rotaryDimension / 2) pairs")
    }
    var result = unscaled
    result.scaling = .longrope(factors: factors)
    result.attentionFactor =
      if let stated = try parameters.number(usesLong ? "long_mscale" : "short_mscale") {
        stated
      } else {
        try pythonLongropeMagnitude(factor: stretch, original: original)
      }
    return result
  }

  /// Gemma 4's class: a factor is not looked at.
  func proportional() throws(RuntimeRefusal) -> RoPEParameters {
    var result = unscaled
    result.rotaryDimension = rotaryDimension / 2 * 2
    result.scaling = .proportional(factor: 1, headDimension: try pythonInt(headDimension))
    return result
  }

  /// `m(factor, mscale_all_dim)` squared, as the attention classes of DeepSeek's kind apply it.
  func softmaxScaleMultiplier(factor: Double) throws(RuntimeRefusal) -> Double {
    let magnitude = yarnMagnitude(factor: factor, mscale: try parameters.argument("mscale_all_dim", default: 0))
    return magnitude * magnitude
  }
}

extension Transformers5Config {
  /// Whether vLLM and SGLang run the model with their DeepSeek-V2 attention class, which has YaRN rules of its own.
  func usesDeepSeekClass(architecture: String?) -> Bool {
    let families: Set = ["deepseek_v2", "deepseek_v3", "deepseek_v32", "kimi_k2", "glm_moe_dsa"]
    let names = ["DeepseekV2", "DeepseekV3", "GlmMoeDsa", "MistralLarge3"]
    return families.contains(modelType ?? "") || names.contains { architecture?.hasPrefix($0) ?? false }
  }

  /// The first layer, in the file's order, that stops the loading of the config, and the warnings up to there.
  func load() -> (warnings: [[RuntimeNote]], refusal: RuntimeRefusal?) {
    var warnings: [[RuntimeNote]] = []
    do throws(TransformersLoadFailure) {
      for layer in loaded { warnings.append(try validated(layer)) }
      return (warnings, nil)
    } catch {
      return (warnings + [error.warnings], error.refusal)
    }
  }
}

extension RuntimeReading {
  /// A reading for each layer of a config, or the same refusal for all when it does not load.
  static func readings(
    of config: Transformers5Config, _ template: RuntimeReading,
    _ read: (Int, inout RuntimeReading) throws(RuntimeRefusal) -> Void
  ) -> [RuntimeReading] {
    let (warnings, failure) = config.load()
    return config.loaded.indices.map { index in
      var reading = template
      reading.layerType = config.loaded[index].type
      reading.notes += index < warnings.count ? warnings[index] : []
      reading.kind = config.loaded[index].parameters.map(config.kind) ?? "none"
      do throws(RuntimeRefusal) {
        if let failure { throw failure }
        try read(index, &reading)
      } catch {
        reading.refused = error
      }
      return reading
    }
  }
}
