import GGUF
import ModelConfig
import RoPE

// What single converter classes add to the common keys.
extension LlamaCppConversion {
  mutating func writeRotaryDimension() throws(RuntimeRefusal) {
    switch family.width {
    case .unwritten: break
    case .head: try set(rotaryDimension: Double(headSize()), from: "head_dim")
    case .quotient: try set(rotaryDimension: Double(quotient()), from: "hidden_size")
    case .partialHead(let share): try set(rotaryDimension: Double(headSize()) * partialFactor(share))
    case .partialQuotient(let share): try set(rotaryDimension: Double(quotient()) * partialFactor(share))
    case .partialHidden(let share):
      // int(share * width) // heads: rounded twice.
      let width = (Double(try integer(["hidden_size", "n_embd"])) * (try partialFactor(share))).rounded(.down)
      try set(rotaryDimension: width / Double(heads()))
    case .chatGLM:
      let width = try settings.hasValue("attention_dim") ? settings.uint32("attention_dim") : quotient()
      try set(rotaryDimension: Double(width) * partialFactor(0.5))
    case .stated: try uint32(keys.rotaryDimension, settings, "rotary_dim", isRequired: true)
    case .latent:
      try uint32(keys.rotaryDimension, settings, "qk_rope_head_dim", isRequired: true)
      if family.architecture == "glm-dsa" {
        try set(rotaryDimension: Double(settings.uint32("qk_rope_head_dim")) * partialFactor(1))
      }
    }
  }

  private mutating func set(
    rotaryDimension value: Double, from member: String = "partial_rotary_factor"
  ) throws(RuntimeRefusal) {
    guard let width = UInt32(exactly: value.rounded(.towardZero)) else {
      throw RuntimeRefusal("struct.error", "the rotary dimension is \(value)")
    }
    set(keys.rotaryDimension, .uint32(width), from: member)
  }

  /// - Throws: `KeyError` where the class has no default.
  private func partialFactor(_ standard: Double?) throws(RuntimeRefusal) -> Double {
    let member = "partial_rotary_factor"
    // Two classes look for the older name beside the dictionary; transformers 5 has moved gpt_neox's into it.
    if family.architecture == "cohere2" { return try settings.requiredNumber("rotary_pct") }
    if family.architecture == "gptneox" {
      throw RuntimeRefusal("KeyError", missing: "rotary_pct", "rotary_pct is missing")
    }
    if let standard, rope[member] == nil { return standard }
    return try rope.requiredNumber(member)
  }

  private func integer(_ names: [String]) throws(RuntimeRefusal) -> UInt32 {
    guard let name = name(names) else { throw RuntimeRefusal("KeyError", missing: names[0], "\(names[0]) is missing") }
    return try settings.uint32(name)
  }

  private func heads() throws(RuntimeRefusal) -> UInt32 {
    let heads = try integer(["num_attention_heads", "n_head"])
    guard heads > 0 else { throw RuntimeRefusal("ZeroDivisionError", "there are no attention heads") }
    return heads
  }

  private func quotient() throws(RuntimeRefusal) -> UInt32 { try integer(["hidden_size", "n_embd"]) / heads() }

  private func headSize() throws(RuntimeRefusal) -> UInt32 {
    try settings.hasValue("head_dim") ? settings.uint32("head_dim") : quotient()
  }

  // MARK: Keys

  mutating func writeFamilyKeys() throws(RuntimeRefusal) {
    switch family.architecture {
    case "gemma", "gemma2": try uint32(keys.headDimension, settings, "head_dim")
    case "gemma3", "gemma3n", "gemma-embedding": writeGemma3Defaults()
    case "gemma4":
      writeGemma3Defaults()
      try writeGemma4Widths()
    case "laguna": try writeLagunaWidths()
    case "falcon": set(keys.contextLength, .uint32(2048), from: nil)
    case "chatglm":
      try uint32(
        keys.contextLength, settings, settings.hasValue("seq_length") ? "seq_length" : "hidden_size", isRequired: true)
      let ratio = try settings.number("rope_ratio") ?? 1
      set(keys.base, .float32(Float(10_000 * ratio)), from: "rope_ratio")
    case "phi3", "phimoe":
      try uint32(keys.original, rope, ConfigKey.original, isRequired: true)
      try float32(keys.base, rope, ConfigKey.ropeTheta)
    case "deepseek2", "deepseek32", "glm-dsa", "mistral4": try writeLatentKeys()
    case "mistral3" where config.modelType == "ministral3": try writeMinistral3Keys()
    case "nemotron":
      let factor = settings.isTruthy(ConfigKey.factor) ? settings : rope
      string(keys.type, factor.hasValue(ConfigKey.factor) ? "linear" : "none", from: nil)
      try float32(keys.factor, factor, ConfigKey.factor)
    case "hunyuan-dense": try writeHunyuanBase(alpha: 50, dimension: headSize())
    case "hunyuan-moe": try writeHunyuanBase(alpha: 1000, dimension: quotient())
    default: break
    }
    if family.steps.contains(.unscaled) { string(keys.type, "none", from: nil) }
  }

  /// Values that published Gemma 3 configs leave to the class.
  private mutating func writeGemma3Defaults() {
    if metadata[keys.headCount] == nil { set(keys.headCount, .uint32(8), from: nil) }
    if metadata[keys.headDimension] == nil { set(keys.headDimension, .uint32(256), from: nil) }
  }

  private func requireLayerTypes() throws(RuntimeRefusal) {
    guard hasLayerTypes else {
      throw RuntimeRefusal("KeyError", missing: "full_attention", "full_attention is missing")
    }
  }

  /// A share of the head for each kind of layer.
  private mutating func writeLagunaWidths() throws(RuntimeRefusal) {
    try requireLayerTypes()
    let head = Double(try settings.uint32("head_dim"))
    for (key, layer) in [(keys.rotaryDimension, rope), (keys.slidingRotaryDimension, slidingRope)] where !layer.isEmpty
    {
      let width = (head * (try layer.number("partial_rotary_factor") ?? 1)).rounded(.towardZero)
      guard let width = UInt32(exactly: width) else {
        throw RuntimeRefusal("struct.error", "a rotary width of \(width)")
      }
      set(key, .uint32(width), from: "partial_rotary_factor")
    }
  }

  private mutating func writeGemma4Widths() throws(RuntimeRefusal) {
    try uint32(keys.headDimension, settings, "global_head_dim", isRequired: true)
    try uint32(keys.rotaryDimension, settings, "global_head_dim", isRequired: true)
    try uint32(keys.slidingHeadDimension, settings, "head_dim", isRequired: true)
    try uint32(keys.slidingRotaryDimension, settings, "head_dim", isRequired: true)
    try requireLayerTypes()
    guard rope.string(ConfigKey.ropeType) == "proportional" else {
      throw RuntimeRefusal("AssertionError", "full attention is not of kind proportional")
    }
    let pairs = Int(try settings.uint32("global_head_dim")) / 2
    let share = try rope.requiredNumber("partial_rotary_factor")
    guard pairs <= RoPEParameters.maximumDimension, (0...1).contains(share) else {
      throw RuntimeRefusal("ValueError", "\(share) of \(2 * pairs) elements is not a width")
    }
    // A share of a wider head rotates; a huge divisor stands for "does not rotate".
    let rotating = Int(Double(2 * pairs) * share / 2)
    set(
      GGUFKeys.divisorsTensor,
      [Float](repeating: 1, count: rotating) + [Float](repeating: 1e30, count: pairs - rotating),
      from: "partial_rotary_factor")
  }

  /// Latent attention is stored compressed: one key head of rank and rotary part.
  private mutating func writeLatentKeys() throws(RuntimeRefusal) {
    let rotary = UInt64(try settings.uint32("qk_rope_head_dim"))
    let rank = try settings.hasValue("kv_lora_rank") ? settings.uint32("kv_lora_rank") : 512
    let plain = try settings.uint32("qk_nope_head_dim")
    for (key, sum, member) in [
      (keys.headDimension, UInt64(rank) + rotary, "kv_lora_rank"),
      (keys.latentHeadDimension, UInt64(plain) + rotary, "qk_nope_head_dim"),
    ] {
      guard let width = UInt32(exactly: sum) else { throw RuntimeRefusal("struct.error", "\(member) is too large") }
      set(key, .uint32(width), from: member)
    }
    if let all = try rope.number(ConfigKey.mscaleAllDim) {
      set(keys.logMultiplier, .float32(Float(0.1 * all)), from: ConfigKey.mscaleAllDim)
    }
  }

  private mutating func writeMinistral3Keys() throws(RuntimeRefusal) {
    guard rope.string(ConfigKey.ropeType) == "yarn" else {
      throw RuntimeRefusal("AssertionError", "ministral3 has to be of kind yarn")
    }
    for (key, member) in [
      (keys.logMultiplier, ConfigKey.mscaleAllDim), (keys.temperatureScale, "llama_4_scaling_beta"),
    ] {
      _ = try rope.requiredNumber(member)
      try float32(key, rope, member)
    }
  }

  /// A fixed base takes the place of the dynamic kind, and a fixed window that of the stated one.
  private mutating func writeHunyuanBase(alpha standard: Double, dimension: UInt32) throws(RuntimeRefusal) {
    guard rope.string(ConfigKey.ropeType) == "dynamic", dimension > 2 else { return }
    let base = try rope.number(ConfigKey.ropeTheta) ?? 10_000
    let alpha = try rope.number("alpha") ?? standard
    let isExpected = dimension == 128 && alpha == 1000
    guard base == 10_000, family.architecture == "hunyuan-dense" || isExpected,
      [32_768, 262_144].contains(try settings.requiredNumber(ConfigKey.maximum))
    else { throw RuntimeRefusal("AssertionError", "HunYuan's assumptions about the dynamic kind do not hold") }
    let d = Double(dimension)
    set(keys.base, .float32(Float(base * power(alpha, d / (d - 2)))), from: "alpha")
    string(keys.type, "none", from: ConfigKey.ropeType)
    set(keys.factor, .float32(1), from: nil)
    set(keys.original, .uint32(262_144), from: nil)
    set(keys.contextLength, .uint32(262_144), from: ConfigKey.maximum)
  }

  // MARK: Tensors

  mutating func writeTensors() throws(RuntimeRefusal) {
    if family.steps.contains(.llama3), rope.string(ConfigKey.ropeType)?.lowercased() == "llama3" { try writeLlama3() }
    if family.steps.contains(.longrope) { try writeLongrope() }
  }

  /// How far each pair is slowed down: the unscaled inverse frequency over the scaled one.
  private mutating func writeLlama3() throws(RuntimeRefusal) {
    guard !["afmoe", "granite", "granitemoe"].contains(family.architecture) else {
      throw RuntimeRefusal(
        "ValueError", "the list of \(family.architecture)'s tensors has no \(GGUFKeys.divisorsTensor)")
    }
    let isExaone4 = family.architecture.hasPrefix("exaone") && family.architecture != "exaone"
    let scaling = RoPEScaling.llama3(
      factor: try rope.number(ConfigKey.factor) ?? (isExaone4 ? 16 : 8),
      lowFrequencyFactor: try rope.number("low_freq_factor") ?? 1,
      highFrequencyFactor: try rope.number("high_freq_factor") ?? 4,
      originalContextLength: try rope.number(ConfigKey.original) ?? 8192)
    var parameters = RoPEParameters(
      base: try rope.number(ConfigKey.ropeTheta) ?? 10_000, rotaryDimension: Int(try headSize()))
    let plain = FrequencyTable.float32InverseFrequencies(parameters)
    parameters.scaling = scaling
    if let problem = parameters.problems.first { throw RuntimeRefusal("ValueError", "\(problem)") }
    let scaled = FrequencyTable.float32InverseFrequencies(parameters)
    set(
      GGUFKeys.divisorsTensor, zip(plain, scaled).map { $0 / $1 },
      from: ConfigKey.ropeType, ConfigKey.factor, "low_freq_factor", "high_freq_factor", ConfigKey.original)
  }

  private mutating func writeLongrope() throws(RuntimeRefusal) {
    guard let long = rope.numbers("long_factor"), !long.isEmpty else { return }
    guard let short = rope.numbers("short_factor") else {
      throw RuntimeRefusal("KeyError", missing: "short_factor", "short_factor is missing")
    }
    let isPhi = family.architecture.hasPrefix("phi")
    if isPhi { try writeLongropeMagnitude() }
    var width = try quotient()
    if isPhi, case .uint32(let stated)? = metadata[keys.rotaryDimension] { width = stated }
    guard long.count == short.count, Double(long.count) == Double(width) / 2 else {
      throw RuntimeRefusal(
        "ValueError", "the lists hold \(long.count) and \(short.count) factors for \(width) elements")
    }
    set(GGUFKeys.longFactorsTensor, long.map { Float($0) }, from: ConfigKey.ropeType, "long_factor")
    set(GGUFKeys.shortFactorsTensor, short.map { Float($0) }, from: "short_factor")
  }

  /// From the two lengths alone: a stated factor or attention_factor is dropped.
  private mutating func writeLongropeMagnitude() throws(RuntimeRefusal) {
    let trained = try rope.requiredNumber(ConfigKey.original)
    let window = Double(try integer(["n_positions", ConfigKey.maximum]))
    guard trained > 1 else { throw RuntimeRefusal("ZeroDivisionError", "the original length is \(trained)") }
    let magnitude: Double
    switch rope.string(ConfigKey.ropeType)?.lowercased() {
    case "su", "longrope": magnitude = longropeMagnitude(factor: window / trained, originalContextLength: trained)
    case "yarn": magnitude = yarnMagnitude(factor: window / trained)
    case let other:
      throw RuntimeRefusal("NotImplementedError", "the rope scaling type \(other ?? "None") is not supported yet")
    }
    set(keys.attentionFactor, .float32(Float(magnitude)), from: ConfigKey.maximum)
  }
}
