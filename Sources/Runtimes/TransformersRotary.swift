import RoPE

/// What transformers' rotary modules compute a table from, once a version's own rules of precedence are settled.
///
/// - Source: `ROPE_INIT_FUNCTIONS` in `modeling_rope_utils.py` of transformers 4.57.3 and 5.23.0; both versions compute
///   alike from the same values.
struct TransformersRotary {
  var kind: String
  /// The scaling dictionary, with the length and the factor that the version takes under their usual keys.
  var parameters: PythonDictionary
  var base: Double
  var headDimension: Double
  var partialFactor: Double
  /// `max_position_embeddings`.
  var window: PythonValue?
  /// Length of the sequence that the table is for, `nil` at construction.
  var sequenceLength: Int?

  /// - Throws: The Python error of the rotary module's constructor or first call.
  func computed() throws(RuntimeRefusal) -> RoPEParameters {
    var result = RoPEParameters(base: base, rotaryDimension: try pythonInt(headDimension * partialFactor))
    switch kind {
    case "default": break
    case "linear": result.scaling = .linear(factor: try parameters.requiredNumber("factor"))
    case "dynamic": result.scaling = try dynamic(result.rotaryDimension)
    case "yarn": try readYaRN(into: &result)
    case "longrope": try readLongRoPE(into: &result)
    case "llama3": result.scaling = try llama3()
    case "proportional":
      // The rotating pairs are counted by `int(share * head // 2)`, which differs from half of an odd width.
      let pairs = try pythonInt((partialFactor * headDimension / 2).rounded(.down))
      result.rotaryDimension = 2 * pairs
      result.scaling = .proportional(
        factor: try parameters.argument("factor", default: 1), headDimension: try pythonInt(headDimension))
    default: throw RuntimeRefusal("KeyError", missing: kind, "there is no rotary function for \"\(kind)\"")
    }
    return result
  }

  private func dynamic(_ dimension: Int) throws(RuntimeRefusal) -> RoPEScaling {
    let factor = try parameters.requiredNumber("factor")
    let window = try requiredWindow()
    _ = try pythonQuotient(Double(dimension), Double(dimension) - 2)
    return .dynamicNTK(
      factor: factor, originalContextLength: window, sequenceLength: max(Double(sequenceLength ?? 0), window))
  }

  private func readYaRN(into result: inout RoPEParameters) throws(RuntimeRefusal) {
    let factor = try parameters.requiredNumber("factor")
    func beta(_ key: String, _ value: Double) throws(RuntimeRefusal) -> Double {
      let stated = try parameters.number(key) ?? 0
      return stated == 0 ? value : stated
    }
    let yarn = YaRN(
      factor: factor, originalContextLength: try parameters.requiredNumber("original_max_position_embeddings"),
      betaFast: try beta("beta_fast", 32), betaSlow: try beta("beta_slow", 1),
      truncate: parameters["truncate"]?.isTruthy ?? true)
    _ = try CorrectionRange(python: yarn, base: base, rotaryDimension: result.rotaryDimension)
    result.scaling = .yarn(yarn)
    result.attentionFactor = try parameters.transformersMagnitude(factor: factor)
  }

  private func readLongRoPE(into result: inout RoPEParameters) throws(RuntimeRefusal) {
    let long = try parameters.requiredNumbers("long_factor")
    let short = try parameters.requiredNumbers("short_factor")
    let original = try parameters.requiredNumber("original_max_position_embeddings")
    if let stated = try parameters.number("attention_factor") {
      result.attentionFactor = stated
    } else {
      guard let factor = try parameters.number("factor") else { throw RuntimeRefusal("TypeError", "factor is None") }
      result.attentionFactor = try pythonLongropeMagnitude(factor: factor, original: original)
    }
    let factors = Double(sequenceLength ?? 0) > original ? long : short
    guard factors.count == result.rotaryDimension / 2 else {
      throw RuntimeRefusal(
        "RuntimeError", "\(factors.count) factors are given for \(result.rotaryDimension / 2) pairs")
    }
    result.scaling = .longrope(factors: factors)
  }

  private func llama3() throws(RuntimeRefusal) -> RoPEScaling {
    let factor = try parameters.requiredNumber("factor")
    let low = try parameters.requiredNumber("low_freq_factor")
    let high = try parameters.requiredNumber("high_freq_factor")
    let length = try parameters.requiredNumber("original_max_position_embeddings")
    for divisor in [low, high] { _ = try pythonQuotient(length, divisor) }
    return .llama3(factor: factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContextLength: length)
  }

  private func requiredWindow() throws(RuntimeRefusal) -> Double {
    guard let window else {
      throw RuntimeRefusal("AttributeError", missing: "max_position_embeddings", "the config has no window")
    }
    guard let number = window.number else { throw RuntimeRefusal("TypeError", "max_position_embeddings is no number") }
    return number
  }
}

extension TransformersRotary {
  /// Members of a scaling dictionary that the function of a kind reads.
  static func keys(of kind: String) -> Set<String> {
    let common: Set = ["rope_type", "type", "mrope_section", "mrope_interleaved"]
    switch kind {
    case "linear", "dynamic", "proportional": return common.union(["factor"])
    case "yarn":
      return common.union([
        "factor", "original_max_position_embeddings", "beta_fast", "beta_slow", "attention_factor", "mscale",
        "mscale_all_dim", "truncate",
      ])
    case "longrope":
      return common.union([
        "short_factor", "long_factor", "factor", "attention_factor", "original_max_position_embeddings",
      ])
    case "llama3":
      return common.union(["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"])
    default: return common
    }
  }

  /// Width of a head as the config classes have it; `nil` when the file leaves it to defaults that are not modelled.
  static func headDimension(
    _ section: PythonDictionary, _ modelType: String?, layerType: String? = nil
  ) -> Double? {
    func number(_ key: String) -> Double? { section[key]?.number }
    // Gemma 4's full-attention layers have wider heads.
    if layerType == "full_attention" {
      let usual: Double? = ["gemma4_text", "gemma4_unified_text"].contains(modelType ?? "") ? 512 : nil
      if let global = number("global_head_dim") ?? usual { return global }
    }
    if let rotary = number("qk_rope_head_dim"), let plain = number("qk_nope_head_dim"), modelType == "mistral4" {
      return plain + rotary
    }
    if let head = number("qk_rope_head_dim") ?? number("head_dim"), head != 0 { return head }
    // A class supplies its own size where the file has none; where it has null, those that can divide do so.
    if section["head_dim"] == nil, let head = TransformersFamilies.defaultHeadDimension(modelType) { return head }
    guard let width = number("hidden_size") ?? number("n_embd"), let heads = number("num_attention_heads"), heads != 0
    else { return TransformersFamilies.headOfDefaultWidths(modelType) }
    return (width / heads).rounded(.down)
  }

  /// Kinds whose functions take `head_dim` as it is, and so fail on a null that the config class has left there.
  ///
  /// - Source: measured with every config class of transformers 4.57.3 and 5.23.0.
  static func checkHead(
    _ section: PythonDictionary, _ modelType: String?, kind: String, in line: TransformersLine
  ) throws(RuntimeRefusal) {
    guard section["head_dim"]?.isNone == true, ["yarn", "dynamic", "longrope"].contains(kind),
      !TransformersFamilies.replacesNullHead(modelType, in: line)
    else { return }
    throw RuntimeRefusal.nullHead
  }

  /// DeepSeek's factor on the softmax scale, the square of `m(factor, mscale_all_dim)`.
  static func softmaxScaleMultiplier(_ parameters: PythonDictionary) throws(RuntimeRefusal) -> Double {
    guard parameters.isTruthy("mscale_all_dim") else { return 1 }
    let magnitude = yarnMagnitude(
      factor: try parameters.requiredNumber("factor"), mscale: try parameters.requiredNumber("mscale_all_dim"))
    return magnitude * magnitude
  }
}
