import ModelConfig
import RoPE

extension Runtime {
  /// vLLM 0.33.0, with transformers 5 as its config parser.
  ///
  /// - Source: `transformers_utils/config.py`, `config/model.py`, `model_executor/layers/rotary_embedding`,
  ///   `models/deepseek_v2.py`, `models/gpt_oss.py`.
  public static let vllm = Runtime(vllm: .v033)

  init(vllm version: VLLMVersion) {
    self.init("vllm", version: version.number) { config, surroundings, options in
      VLLMReader(version, config, surroundings, options).readings()
    }
  }
}

/// What differs between versions of vLLM; another version is another value, listed in ``Runtime/all``.
struct VLLMVersion: Sendable {
  let number: String
  /// Kinds whose window is taken as it is stated; that of the others is multiplied by the factor.
  let unmultipliedKinds: Set<String>

  static let v033 = VLLMVersion(
    number: "0.33.0",
    unmultipliedKinds: ["su", "longrope", "llama3", "yarn", "deepseek_yarn", "deepseek_llama_scaling"])
}

private struct VLLMReader {
  let version: VLLMVersion
  let config: Transformers5Config
  let surroundings: RuntimeInput.Surroundings
  let options: RuntimeOptions
  let usesDeepSeekClass: Bool
  let isExtended: Bool

  init(
    _ version: VLLMVersion, _ file: HuggingFaceConfig, _ surroundings: RuntimeInput.Surroundings,
    _ options: RuntimeOptions
  ) {
    self.version = version
    config = Transformers5Config(file)
    isExtended = file.ropeDeclarations(shapes: surroundings.shapes).areExtended
    usesDeepSeekClass = config.usesDeepSeekClass(architecture: file.architecture)
    (self.surroundings, self.options) = (surroundings, options)
  }

  func readings() -> [RuntimeReading] {
    var template = RuntimeReading("vllm", version: version.number, kind: "default")
    let patched = config.computed.map { layer in Result { () throws(RuntimeRefusal) in try patch(layer.parameters) } }
    let derived = VLLMContextLength(
      config, surroundings.tokenizerLimit, patched.map { try? $0.get() }, unmultiplied: version.unmultipliedKinds)
    template.contextLength = derived.value
    template.notes = config.besideLayers.map { RuntimeNote("ignored-key", key: $0, "not one of the layer types") }
    return RuntimeReading.readings(of: config, template) { index, reading throws(RuntimeRefusal) in
      guard let parameters = try patched[index].get() else { return }
      try derived.check()
      try compute(parameters, at: config.loaded[index].pointer, derived: derived.value, into: &reading)
    }.offering(options, isExtended ? startOption(patched.map { (try? $0.get()) ?? nil }) : nil)
  }

  /// Overrides are applied after ``patch(_:)``, which would have completed them.
  private func startOption(_ patched: [PythonDictionary?]) -> StartOption {
    StartOption("vllm", version: version.number, arguments: ["--hf-overrides", config.startOverride(patched)])
  }

  /// `patch_rope_parameters`: one name for the kind, and three kinds renamed.
  private func patch(_ dictionary: PythonDictionary?) throws(RuntimeRefusal) -> PythonDictionary? {
    guard var parameters = dictionary else { return nil }
    let kind = config.kind(of: parameters)
    if let legacy = parameters.string("type"), legacy != kind,
      !(legacy == "su" && kind == "longrope"), !(legacy == "mrope" && kind == "default")
    {
      throw RuntimeRefusal("ValueError", "rope_type is \"\(kind)\", type is \"\(legacy)\"")
    }
    switch kind {
    case "su": parameters["rope_type"] = .string("longrope")
    case "mrope":
      guard parameters["mrope_section"] != nil else {
        throw RuntimeRefusal("ValueError", "mrope_section is missing")
      }
      parameters["rope_type"] = .string("default")
    case "telechat3-yarn":
      parameters["rope_type"] = .string("yarn")
      let factor = try parameters.requiredNumber("factor")
      // The same straight line in ln s as YaRN's, with another slope.
      parameters["attention_factor"] = .float(yarnMagnitude(factor: factor, mscale: 0.7))
    default: return parameters
    }
    return config.standardised(parameters)
  }

  private func compute(
    _ patched: PythonDictionary, at pointer: String?, derived: Int?, into reading: inout RuntimeReading
  ) throws(RuntimeRefusal) {
    let parameters = try classParameters(patched)
    reading.kind = config.kind(of: parameters)
    guard let head = config.headDimension(of: reading.layerType) else {
      reading.notes.append(RuntimeNote("not-computed", "the head size is left to the config class"))
      return
    }
    let share = try parameters.argument("partial_rotary_factor", default: 1)
    guard share > 0, share <= 1 else {
      throw RuntimeRefusal("ValueError", "partial_rotary_factor must be between 0 and 1")
    }
    let rotary = ServingRotary(
      parameters: parameters, base: try parameters.argument("rope_theta", default: 10_000), headDimension: head,
      rotaryDimension: try pythonInt(parameters.number("rope_dim") ?? head * share), window: config.window)
    note(patched, kind: reading.kind, at: pointer, in: &reading)
    reading.take(try table(reading.kind, rotary, derived: derived))
    if ["dynamic", "xdrope", "ntk"].contains(reading.kind) { reading.factor = parameters["factor"]?.number }
    let original = parameters["original_max_position_embeddings"]?.number ?? config.window?.number
    reading.takeLongRoPE(
      factor: config.window?.number.flatMap { window in original.map { window / $0 } }, original: original)
    if case .yarn(let yarn)? = reading.parameters?.scaling, let window = derived,
      yarn.originalContextLength * yarn.factor < Double(window)
    {
      let rows = yarn.originalContextLength * yarn.factor
      reading.notes.append(
        RuntimeNote("table-too-short", key: pointer, "\(rows.shortText) rows are computed for \(window) positions"))
    }
  }

  /// The dictionary that the model's class hands to `get_rope`.
  private func classParameters(_ patched: PythonDictionary) throws(RuntimeRefusal) -> PythonDictionary {
    var parameters = patched
    if usesDeepSeekClass, config.kind(of: patched) != "default" {
      let isPlain = try patched.number("attention_factor") == 1
      parameters["rope_type"] = .string(isPlain ? "deepseek_llama_scaling" : "deepseek_yarn")
    } else if config.modelType == "gpt_oss" {
      parameters = PythonDictionary([("rope_type", .string("yarn"))])
      for key in ["rope_theta", "factor", "original_max_position_embeddings", "beta_fast", "beta_slow"] {
        guard let value = patched[key] else { throw RuntimeRefusal("KeyError", missing: key, "\(key) is missing") }
        parameters[key] = value
      }
      parameters["truncate"] = patched["truncate"]
    }
    return parameters
  }

  private func table(
    _ kind: String, _ rotary: ServingRotary, derived: Int?
  ) throws(RuntimeRefusal) -> RoPEParameters {
    let parameters = rotary.parameters
    func number(_ key: String) throws(RuntimeRefusal) -> Double { try parameters.requiredNumber(key) }
    func original() throws(RuntimeRefusal) -> Double { try number("original_max_position_embeddings") }
    switch kind {
    case "default": return rotary.unscaled
    case "linear": return try rotary.linear(factor: parameters["factor"] ?? .none)
    case "llama3":
      return try rotary.llama3(
        factor: number("factor"), low: number("low_freq_factor"), high: number("high_freq_factor"), original: original()
      )
    case "dynamic": return try dynamic(rotary)
    case "xdrope": return try rotary.ntkAware(alpha: number("alpha"))
    case "ntk": return try fixedNTK(rotary, factor: number("factor"))
    case "yarn":
      let factor = try number("factor")
      let truncate = parameters["truncate"]?.isTruthy ?? true
      var result = try rotary.yarn(factor: factor, original: original(), truncate: truncate)
      result.attentionFactor = try parameters.transformersMagnitude(factor: factor)
      return result
    case "deepseek_yarn", "deepseek_llama_scaling":
      let factor = try number("factor")
      var result = try rotary.yarn(factor: factor, original: original())
      result.attentionFactor = try parameters.deepSeekMagnitude(factor: factor)
      if usesDeepSeekClass, kind == "deepseek_yarn" {
        result.softmaxScaleMultiplier = try rotary.softmaxScaleMultiplier(factor: factor)
      }
      return result
    case "longrope":
      let length = try original()
      return try rotary.longrope(original: length, usesLong: Double(options.sequenceLength ?? derived ?? 0) > length)
    case "proportional": return try rotary.proportional()
    default: throw RuntimeRefusal("ValueError", "unknown RoPE scaling type \(kind)")
    }
  }

  /// Without `max_trained_positions` the base is multiplied by 1, whatever the factor.
  private func dynamic(_ rotary: ServingRotary) throws(RuntimeRefusal) -> RoPEParameters {
    let parameters = rotary.parameters
    if parameters["alpha"] != nil { return try rotary.ntkAware(alpha: parameters.requiredNumber("alpha")) }
    guard parameters["factor"] != nil else { throw RuntimeRefusal("ValueError", "neither alpha nor factor is stated") }
    let factor = try parameters.requiredNumber("factor")
    let window = try rotary.requiredWindow()
    let trained = try parameters.argument("max_trained_positions", default: window)
    return try rotary.ntkAware(alpha: pythonQuotient(factor * window, trained) - (factor - 1))
  }

  /// A base times the factor and one divisor for all pairs; with `mixed_b`, the old base and a divisor for each pair.
  private func fixedNTK(_ rotary: ServingRotary, factor: Double) throws(RuntimeRefusal) -> RoPEParameters {
    var result = rotary.unscaled
    let width = Double(rotary.rotaryDimension)
    guard let exponent = try rotary.parameters.number("mixed_b") else {
      result.base *= factor
      result.scaling = .linear(factor: power(factor, try pythonQuotient(2, width)))
      return result
    }
    let divisors = (0..<max(0, min(rotary.rotaryDimension, RoPEParameters.maximumDimension) / 2)).map { pair in
      power(factor, power(Double(pair + 1) / (width / 2), exponent))
    }
    result.scaling = .longrope(factors: divisors)
    return result
  }

  private func note(
    _ patched: PythonDictionary, kind: String, at pointer: String?, in reading: inout RuntimeReading
  ) {
    var read = TransformersRotary.keys(of: kind).union(["rope_theta", "partial_rotary_factor", "rope_dim"])
    switch kind {
    case "longrope":
      read.subtract(["factor", "attention_factor"])
      read.formUnion(["short_mscale", "long_mscale"])
    case "dynamic": read.formUnion(["alpha", "max_trained_positions"])
    case "ntk": read.formUnion(["factor", "mixed_b"])
    case "proportional": read.remove("factor")
    case "deepseek_yarn", "deepseek_llama_scaling":
      read.formUnion(TransformersRotary.keys(of: "yarn").subtracting(["truncate"]))
    case "yarn" where config.modelType == "gpt_oss":
      read.subtract(["attention_factor", "mscale", "mscale_all_dim"])
    default: break
    }
    reading.noteIgnored(in: patched, at: pointer, except: read)
    if kind == "dynamic", patched["alpha"] == nil, patched["max_trained_positions"] == nil, let pointer {
      reading.notes.append(
        RuntimeNote("ignored-key", key: "\(pointer)/factor", "without max_trained_positions it changes no frequency"))
    }
  }
}
