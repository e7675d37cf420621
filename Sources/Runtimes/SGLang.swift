import ModelConfig
import RoPE

extension Runtime {
  /// SGLang 0.5.23, with transformers 5 as its config parser.
  ///
  /// - Source: `srt/utils/hf_transformers/common.py`, `srt/layers/rotary_embedding`, `srt/models/llama.py`,
  ///   `srt/models/deepseek_v2.py`.
  public static let sglang = Runtime("sglang", version: "0.5.23") { config, _, options in
    SGLangReader(config, options).readings()
  }
}

private struct SGLangReader {
  let config: Transformers5Config
  let options: RuntimeOptions
  let usesDeepSeekClass: Bool
  let usesLlamaClass: Bool
  let isExtended: Bool

  init(_ file: HuggingFaceConfig, _ options: RuntimeOptions) {
    config = Transformers5Config(file)
    usesDeepSeekClass = config.usesDeepSeekClass(architecture: file.architecture)
    let families: Set = ["llama", "mistral", "ministral3", "phi3", "internlm3", "iquestcoder"]
    usesLlamaClass = families.contains(config.modelType ?? "")
    isExtended = file.ropeDeclarations().areExtended
    self.options = options
  }

  func readings() -> [RuntimeReading] {
    var template = RuntimeReading("sglang", version: "0.5.23", kind: "default")
    let window = Result { () throws(RuntimeRefusal) in try contextLength() }
    template.contextLength = try? window.get()
    template.notes = config.besideLayers.map { RuntimeNote("ignored-key", key: $0, "not one of the layer types") }
    return RuntimeReading.readings(of: config, template) { index, reading throws(RuntimeRefusal) in
      _ = try window.get()
      // Not the dictionary that transformers would compute from: that has a top-level original length in it.
      guard let parameters = config.loaded[index].parameters else { return }
      try compute(classParameters(parameters), at: config.loaded[index].pointer, into: &reading)
    }.offering(options, isExtended ? startOption : nil)
  }

  private var startOption: StartOption {
    // Of a section within a section the overrides would leave nothing but themselves.
    guard config.sectionPointer.split(separator: "/").count < 2 else {
      return StartOption(
        "sglang", version: "0.5.23", arguments: [],
        remark: "overrides do not reach \(config.sectionPointer): only one level of sections is merged")
    }
    let layers = config.loaded.map { $0.parameters.map(withTopLevelLength) }
    return StartOption(
      "sglang", version: "0.5.23", arguments: ["--json-model-override-args", config.startOverride(layers)])
  }

  /// `get_context_length`: the first key that is there, times the factor where no original length is stated.
  private func contextLength() throws(RuntimeRefusal) -> Int {
    let outer = config.outer
    let isMultiplied = outer["original_max_position_embeddings"] == nil && outer.string("rope_type") != "llama3"
    let factor = isMultiplied && !outer.isEmpty ? try outer.argument("factor", default: 1) : 1
    var attributes = config.section
    if let window = config.window { attributes["max_position_embeddings"] = window }
    for key in ["max_sequence_length", "seq_length", "max_seq_len", "model_max_length", "max_position_embeddings"] {
      if let length = try attributes.number(key) { return try pythonInt(factor * length) }
    }
    return 2048
  }

  /// What model classes change in the dictionary before they ask for a rotary class.
  private func classParameters(_ loaded: PythonDictionary) -> PythonDictionary {
    var parameters = withTopLevelLength(loaded)
    if usesDeepSeekClass, config.kind(of: parameters) != "default" {
      parameters["rope_type"] = .string("deepseek_yarn")
    }
    return parameters
  }

  private func withTopLevelLength(_ loaded: PythonDictionary) -> PythonDictionary {
    guard usesLlamaClass, !usesDeepSeekClass, let top = config.section[ConfigKey.original], top.isTruthy else {
      return loaded
    }
    var parameters = loaded
    parameters[ConfigKey.original] = top
    return parameters
  }

  private func compute(
    _ parameters: PythonDictionary, at pointer: String?, into reading: inout RuntimeReading
  ) throws(RuntimeRefusal) {
    reading.kind = config.kind(of: parameters)
    guard let head = config.headDimension(of: reading.layerType) else {
      reading.notes.append(RuntimeNote("not-computed", "the head size is left to the config class"))
      return
    }
    // The recorded tables hand the share to `get_rope` as the classes of partly rotating families do.
    let share = try parameters.argument("partial_rotary_factor", default: 1)
    let rotary = ServingRotary(
      parameters: parameters, base: try parameters.argument("rope_theta", default: 10_000), headDimension: head,
      rotaryDimension: try pythonInt(share < 1 ? head * share : head), window: config.window)
    note(parameters, kind: reading.kind, at: pointer, in: &reading)
    let extrapolation =
      ["yarn", "deepseek_yarn"].contains(reading.kind)
      ? try parameters.argument("extrapolation_factor", default: 1) : 1
    reading.take(try table(reading.kind, rotary), extrapolationFactor: extrapolation)
    if reading.kind == "dynamic" { reading.factor = parameters["factor"]?.number }
    let original = parameters["original_max_position_embeddings"]?.number ?? config.window?.number
    reading.takeLongRoPE(
      factor: config.window?.number.flatMap { window in original.map { window / $0 } }, original: original)
  }

  private func table(_ kind: String, _ rotary: ServingRotary) throws(RuntimeRefusal) -> RoPEParameters {
    let parameters = rotary.parameters
    func factor() throws(RuntimeRefusal) -> Double { try parameters.argument("factor", default: 1) }
    func original() throws(RuntimeRefusal) -> Double {
      let key = "original_max_position_embeddings"
      return try parameters[key] == nil ? rotary.requiredWindow() : parameters.requiredNumber(key)
    }
    switch kind {
    case "default": return rotary.unscaled
    case "linear": return try rotary.linear(factor: parameters["factor"] ?? .float(1))
    case "llama3":
      return try rotary.llama3(
        factor: factor(), low: parameters.argument("low_freq_factor", default: 1),
        high: parameters.argument("high_freq_factor", default: 4), original: original())
    case "dynamic":
      if parameters["alpha"] != nil { return try rotary.ntkAware(alpha: parameters.requiredNumber("alpha")) }
      // The base for the longest sequence, s times the window, serves the short ones too.
      let s = try factor()
      return try rotary.ntkAware(alpha: s * s - (s - 1))
    case "yarn":
      let truncate = parameters["truncate"]?.isTruthy ?? true
      var result = try rotary.yarn(factor: factor(), original: original(), truncate: truncate)
      result.attentionFactor = try magnitude(parameters, factor: factor())
      return result
    case "deepseek_yarn":
      var result = try rotary.yarn(factor: factor(), original: original())
      result.attentionFactor =
        try parameters.deepSeekMagnitude(factor: factor()) * parameters.argument("attn_factor", default: 1)
      let switches = ["apply_yarn_scaling", "apply_scale"]
      if usesDeepSeekClass, switches.allSatisfy({ parameters[$0]?.isTruthy ?? true }) {
        result.softmaxScaleMultiplier = try rotary.softmaxScaleMultiplier(factor: factor())
      }
      return result
    case "longrope":
      let length = try original()
      // Positions are compared, not the sequence's length: one token later than transformers.
      return try rotary.longrope(original: length, usesLong: Double(options.sequenceLength ?? 0) - 1 > length)
    case "proportional": return try rotary.proportional()
    default: throw RuntimeRefusal("ValueError", "unknown RoPE scaling type \(kind)")
    }
  }

  /// A ratio of two magnitudes when both are stated, zero included; `attn_factor` multiplies, `attention_factor` is
  /// not read.
  private func magnitude(_ parameters: PythonDictionary, factor: Double) throws(RuntimeRefusal) -> Double {
    let automatic: Double
    if let mscale = try parameters.number("mscale"), let all = try parameters.number("mscale_all_dim") {
      automatic = try pythonQuotient(
        yarnMagnitude(factor: factor, mscale: mscale), yarnMagnitude(factor: factor, mscale: all))
    } else {
      automatic = yarnMagnitude(factor: factor)
    }
    return try automatic * parameters.argument("attn_factor", default: 1)
  }

  private func note(
    _ parameters: PythonDictionary, kind: String, at pointer: String?, in reading: inout RuntimeReading
  ) {
    var read = TransformersRotary.keys(of: kind == "deepseek_yarn" ? "yarn" : kind)
    read.formUnion(["rope_theta", "partial_rotary_factor"])
    switch kind {
    case "yarn", "deepseek_yarn":
      read.remove("attention_factor")
      read.formUnion(["attn_factor", "extrapolation_factor"])
      if kind == "deepseek_yarn" { read.remove("truncate") }
    case "longrope":
      read.subtract(["factor", "attention_factor"])
      read.formUnion(["short_mscale", "long_mscale"])
    case "dynamic": read.insert("alpha")
    case "proportional": read.remove("factor")
    default: break
    }
    reading.noteIgnored(in: parameters, at: pointer, except: read)
    let original = "original_max_position_embeddings"
    if !usesLlamaClass, !config.isNested, config.section[original] != nil,
      TransformersFamilies.declaredOriginalLength(config.modelType) == nil
    {
      reading.notes.append(
        RuntimeNote(
          "ignored-key", key: "\(config.sectionPointer)/\(original)", "read by the Llama model class only"))
    }
  }
}
