import LosslessJSON
import ModelConfig
import RoPE

extension Runtime {
  /// Hugging Face transformers 4.57.3: `rope_scaling` beside a top-level base; `rope_parameters` is not understood.
  ///
  /// - Source: `modeling_rope_utils.py`, `models/*/configuration_*.py`.
  public static let transformers4 = Runtime("transformers4", version: "4.57.3") { config, _, options in
    Transformers4Reader(config, options).readings()
  }
}

private struct Transformers4Reader {
  let config: HuggingFaceConfig
  let options: RuntimeOptions
  let section: PythonDictionary
  let modelType: String?

  init(_ config: HuggingFaceConfig, _ options: RuntimeOptions) {
    (self.config, self.options, modelType) = (config, options, config.modelType)
    section = PythonDictionary(config.document[config.section])
  }

  func readings() -> [RuntimeReading] {
    guard let sliding = TransformersFamilies.slidingBase(modelType) else {
      return [reading(layerType: nil, scaling: scaling, base: base)]
    }
    // Such models have a second rotary module without scaling.
    let local = sliding.key.map { section[$0] ?? .float(sliding.sliding) } ?? base
    let fullBase = section["rope_theta"] ?? .float(sliding.full)
    return [
      reading(layerType: "full_attention", scaling: scaling, base: fullBase),
      reading(layerType: "sliding_attention", scaling: nil, base: local),
    ]
  }

  /// `config.rope_scaling`. Deleting the key does not switch GPT-OSS's own scaling off, null does.
  private var scaling: PythonDictionary? {
    guard section["rope_scaling"] == nil, modelType == "gpt_oss" else { return section["rope_scaling"]?.dictionary }
    return PythonDictionary([
      ("rope_type", .string("yarn")), ("factor", .float(32)), ("beta_fast", .float(32)), ("beta_slow", .float(1)),
      ("truncate", .bool(false)), ("original_max_position_embeddings", .int(4096)),
    ])
  }

  private var base: PythonValue {
    section[TransformersFamilies.topLevelKeys(modelType).base]
      ?? .float(TransformersFamilies.defaultBase(modelType, in: .v4))
  }

  private var window: PythonValue? {
    section["max_position_embeddings"] ?? TransformersFamilies.defaultWindow(modelType).map(PythonValue.int)
  }

  private func reading(layerType: String?, scaling: PythonDictionary?, base: PythonValue) -> RuntimeReading {
    var reading = RuntimeReading("transformers4", version: "4.57.3", layerType: layerType, kind: "default")
    let pointer = section["rope_scaling"] == nil ? nil : "\(config.section)/rope_scaling"
    var rotary = TransformersRotary(
      kind: "default", parameters: scaling ?? PythonDictionary(), base: 0, headDimension: 0, partialFactor: 1,
      window: window, sequenceLength: options.sequenceLength)
    do throws(RuntimeRefusal) {
      if scaling != nil { try load(&rotary, at: pointer, into: &reading) }
      guard let number = base.number else { throw RuntimeRefusal("TypeError", "rope_theta is not a number") }
      guard let head = TransformersRotary.headDimension(section, modelType) else {
        reading.notes.append(RuntimeNote("not-computed", "the head size is left to the config class"))
        return reading
      }
      try TransformersRotary.checkHead(section, modelType, kind: rotary.kind, in: .v4)
      (rotary.base, rotary.headDimension) = (number, head)
      rotary.partialFactor = try partialFactor()
      try settleLengths(&rotary)
      note(rotary, scaling: scaling, at: pointer, in: &reading)
      var parameters = try rotary.computed()
      if let scaling, TransformersFamilies.scalesSoftmax(modelType, in: .v4) {
        parameters.softmaxScaleMultiplier = try TransformersRotary.softmaxScaleMultiplier(scaling)
      }
      reading.take(parameters)
      reading.takeLongRoPE(
        factor: rotary.parameters["factor"]?.number,
        original: rotary.parameters["original_max_position_embeddings"]?.number)
    } catch {
      reading.refused = error
    }
    return reading
  }

  /// What the config class does with the dictionary: decides the kind, warns, raises.
  private func load(
    _ rotary: inout TransformersRotary, at pointer: String?, into reading: inout RuntimeReading
  ) throws(RuntimeRefusal) {
    if TransformersFamilies.declaredOriginalLength(modelType) != nil {
      rotary.kind = try phi3Kind(&rotary.parameters)
      reading.kind = rotary.kind
      return
    }
    if !Self.keepBothTypes.contains(modelType ?? ""), let type = rotary.parameters["type"] {
      rotary.parameters["rope_type"] = type
    }
    if rotary.parameters.string("type") == "mrope", modelType?.hasPrefix("qwen2") == true {
      rotary.parameters["rope_type"] = .string("default")
    }
    if modelType == "deepseek_v3" { try convertToFloats(&rotary.parameters) }
    rotary.kind = rotary.parameters.string("rope_type") ?? rotary.parameters.string("type") ?? "default"
    reading.kind = rotary.kind
    // The class checks before it knows a top-level partial_rotary_factor, unless it has a field for it.
    let share = TransformersFamilies.defaultPartialFactor(modelType) == nil ? 1 : try partialFactor()
    let head = TransformersRotary.headDimension(section, modelType)
    var validation = TransformersValidation(
      .v4, kind: rotary.kind, rotary.parameters, at: pointer, window: window?.number,
      rotaryDimension: head.map { ($0 * share).rounded(.towardZero) },
      ignoring: rotary.parameters["mrope_section"] == nil ? [] : ["mrope_section", "mrope_interleaved"])
    defer { reading.notes += validation.warnings }
    try validation.run()
    // The table of rotary functions of this version does not have it.
    if rotary.kind == "proportional" { throw RuntimeRefusal("KeyError", missing: rotary.kind, "unknown rope type") }
  }

  /// DeepSeek-V3's config class converts three values before they are checked, so that integers do not warn.
  private func convertToFloats(_ parameters: inout PythonDictionary) throws(RuntimeRefusal) {
    for key in ["beta_fast", "beta_slow", "factor"] {
      guard let value = parameters[key] else { continue }
      guard let number = value.number ?? value.string.flatMap(Double.init) else {
        throw RuntimeRefusal(value.string == nil ? "TypeError" : "ValueError", "\(key) cannot be made a float")
      }
      parameters[key] = .float(number)
    }
  }

  /// Config classes that do not copy `type` over `rope_type`; their rotary modules prefer `rope_type`.
  private static let keepBothTypes: Set = [
    "bitnet", "chameleon", "cohere", "cohere2", "dots1", "emu3_text_model", "exaone4", "falcon", "falcon_h1", "gemma",
    "gemma2", "gemma3_text", "gemma3n_text", "glm", "glm4", "granite", "granitemoe", "granitemoehybrid",
    "granitemoeshared", "helium", "hunyuan_v1_dense", "hunyuan_v1_moe", "jetmoe", "lfm2", "llama4_text", "minimax",
    "ministral", "mistral", "mixtral", "mllama_text_model", "nemotron", "olmo", "olmo2", "olmo3", "phimoe",
    "qwen3_next", "qwen3_vl_text", "qwen3_vl_moe_text", "recurrent_gemma", "vaultgemma", "zamba2",
  ]

  /// Phi3's config class takes exactly three keys, one of them named `type`.
  private func phi3Kind(_ parameters: inout PythonDictionary) throws(RuntimeRefusal) -> String {
    let type = parameters.string("type").map { ["su", "yarn"].contains($0) ? "longrope" : $0 }
    if type != nil { parameters["type"] = type.map(PythonValue.string) }
    guard parameters.members.count == 3, type == "longrope" else {
      throw RuntimeRefusal("ValueError", "rope_scaling must have the three fields type, short_factor, long_factor")
    }
    let head = TransformersRotary.headDimension(section, modelType)
    let pairs = try head.map { head throws(RuntimeRefusal) in try pythonInt(head * partialFactor()) / 2 }
    for key in ["short_factor", "long_factor"] {
      guard let list = parameters[key]?.list, list.allSatisfy({ $0.number != nil }), list.count == pairs ?? list.count
      else { throw RuntimeRefusal("ValueError", "\(key) must be a list of one number for each pair") }
    }
    return "longrope"
  }

  /// The top-level share; one inside the dictionary is not read.
  private func partialFactor() throws(RuntimeRefusal) -> Double {
    let key = TransformersFamilies.topLevelKeys(modelType).partialFactor
    return try section.argument(key, default: TransformersFamilies.defaultPartialFactor(modelType) ?? 1)
  }

  /// Where this version takes the original length and LongRoPE's factor from.
  private func settleLengths(_ rotary: inout TransformersRotary) throws(RuntimeRefusal) {
    let key = "original_max_position_embeddings"
    switch rotary.kind {
    case "yarn":
      // None and 0 count as absent; the top-level key of the same name is not looked at.
      if !rotary.parameters.isTruthy(key) { rotary.parameters[key] = window }
    case "longrope":
      let top = section[key] ?? TransformersFamilies.declaredOriginalLength(modelType).map(PythonValue.int)
      rotary.parameters[key] = window
      guard let top, top.isTruthy, let length = top.number, let window = window?.number else { return }
      rotary.parameters[key] = top
      rotary.parameters["factor"] = .float(window / length)
    default: break
    }
  }

  private func note(
    _ rotary: TransformersRotary, scaling: PythonDictionary?, at pointer: String?, in reading: inout RuntimeReading
  ) {
    let original = "original_max_position_embeddings"
    if section[TransformersFamilies.topLevelKeys(modelType).base] == nil {
      reading.noteDefault("the base", rotary.base)
    }
    if rotary.kind == "yarn", !(scaling?.isTruthy(original) ?? false) {
      reading.noteDefault("the original length", rotary.parameters[original]?.number)
    }
    if let scaling {
      // The length inside the dictionary and a factor that the lengths override do not count for LongRoPE.
      let overridden: Set = rotary.kind == "longrope" ? [original] : []
      reading.noteIgnored(
        in: scaling, at: pointer, except: TransformersRotary.keys(of: rotary.kind).subtracting(overridden))
    }
    if section["rope_parameters"]?.isTruthy ?? false {
      let key = "\(config.section)/rope_parameters"
      reading.notes.append(RuntimeNote("ignored-key", key: key, "transformers 4 does not know this layout"))
    }
    if rotary.kind != "longrope", section[original] != nil {
      let key = "\(config.section)/\(original)"
      reading.notes.append(RuntimeNote("ignored-key", key: key, "read for LongRoPE only"))
    }
  }
}
