import ModelConfig
import RoPE

extension Runtime {
  /// The YaRN authors' repository: their Llama and Mistral model files reading `rope_scaling`.
  public static let yarnRepository = Runtime("yarn-repo", version: "995db5b") { config, _, options in
    var reading = RuntimeReading("yarn-repo", version: "995db5b", kind: "default")
    do throws(RuntimeRefusal) {
      try YaRNRepositoryConfig(config).read(options, into: &reading)
    } catch {
      reading.refused = error
    }
    return [reading]
  }
}

/// A config.json as the repository's `configuration_*.py` and `modeling_*_yarn.py` read it.
///
/// - Source: `_rope_scaling_validation` and `_init_rope` of those files, as of 248d9ef (Llama) and 1b94fee (Mistral).
/// - Note: The recorded tables are of 995db5b and show the classes; nothing recorded shows these two files.
struct YaRNRepositoryConfig {
  let section: PythonDictionary
  let pointer: String
  /// Mistral's file has betas and a magnitude of its own and never passes the base on.
  let isMistral: Bool
  let modelType: String?

  init(_ config: HuggingFaceConfig) {
    section = PythonDictionary(config.document[config.section])
    pointer = config.section
    modelType = config.modelType
    isMistral = modelType == "mistral"
  }

  func read(_ options: RuntimeOptions, into reading: inout RuntimeReading) throws(RuntimeRefusal) {
    let scaling = try validated(&reading.kind)
    let stated = try number("rope_theta", default: 10_000)
    // YaRN is called without the base in both files, everything in Mistral's: the class's default remains.
    let base = isMistral || ["yarn", "dynamic-yarn"].contains(reading.kind) ? 10_000 : stated
    let method = try method(reading.kind, scaling, options)
    let made = YaRNRepositoryTable(method, base: base, dimension: try headWidth())
    reading.base = base
    reading.rotaryDimension = made.dimension
    reading.table = try made.table()
    reading.parameters = made.parameters
    reading.factor = try scaling?.number("factor")
    if reading.kind.hasSuffix("yarn") { reading.originalContext = try scaling?.number(Self.original) }
    reading.notes = notes(kind: reading.kind, scaling, base: base, stated: stated)
  }

  private static let original = "original_max_position_embeddings"

  /// The dictionary, with its kind put into `kind`; `nil` for None.
  ///
  /// - Throws: `ValueError` for anything but the four kinds under `type`, a float factor above 1, and for YaRN an
  ///   integer original length.
  private func validated(_ kind: inout String) throws(RuntimeRefusal) -> PythonDictionary? {
    func refusal(_ reason: String) -> RuntimeRefusal { RuntimeRefusal("ValueError", reason) }
    guard section.hasValue("rope_scaling") else { return nil }
    guard let scaling = section["rope_scaling"]?.dictionary else {
      throw refusal("`rope_scaling` must be a dictionary")
    }
    guard let type = scaling.string("type"), ["linear", "dynamic", "yarn", "dynamic-yarn"].contains(type) else {
      throw refusal("`rope_scaling`'s name field, 'type', must be one of linear, dynamic, yarn, dynamic-yarn")
    }
    kind = type
    guard case .float(let factor)? = scaling["factor"], !(factor <= 1) else {
      throw refusal("`rope_scaling`'s factor field must be an float > 1")
    }
    guard !type.hasSuffix("yarn") || scaling.isInteger(Self.original) else {
      throw refusal("`rope_scaling.original_max_position_embeddings` must be set to an int")
    }
    return scaling
  }

  private func method(
    _ kind: String, _ scaling: PythonDictionary?, _ options: RuntimeOptions
  ) throws(RuntimeRefusal) -> YaRNRepositoryMethod {
    guard let scaling else { return .plain }
    let window = try number("max_position_embeddings", default: isMistral ? 131_072 : 2048)
    let factor = try scaling.requiredNumber("factor")
    let length = options.sequenceLength.map { Double($0) } ?? window
    guard window != 0 || !kind.hasPrefix("dynamic") else {
      throw RuntimeRefusal("ZeroDivisionError", "max_position_embeddings is 0")
    }
    guard kind.hasSuffix("yarn") else {
      return kind == "linear"
        ? .linear(scale: factor) : .dynamicNTK(factor, sequenceLength: length, window: window)
    }
    var yarn = YaRN(factor: factor, originalContextLength: try scaling.requiredNumber(Self.original))
    if isMistral { (yarn.betaFast, yarn.betaSlow) = (128, 2) }
    let settings = YaRNRepositoryMethod.YaRNSettings(yarn, logarithmFactor: isMistral ? 0.7 : 1)
    // The model files divide by the window where the class of the same name divides by the original length.
    return kind == "yarn"
      ? .yarn(settings) : .dynamicYaRN(settings, sequenceLength: length, window: window, divisor: window)
  }

  /// `hidden_size // num_attention_heads`; the files know no head_dim.
  private func headWidth() throws(RuntimeRefusal) -> Int {
    let hidden = try number("hidden_size", default: 4096)
    let heads = try number("num_attention_heads", default: 32)
    guard heads != 0 else { throw RuntimeRefusal("ZeroDivisionError", "num_attention_heads is 0") }
    let width = (hidden / heads).rounded(.down)
    guard width * heads == hidden else {
      throw RuntimeRefusal("ValueError", "hidden_size must be divisible by num_heads (\(hidden), \(heads))")
    }
    return Int(exactly: width) ?? 0
  }

  private func number(_ key: String, default value: Double) throws(RuntimeRefusal) -> Double {
    section[key] == nil ? value : try section.requiredNumber(key)
  }

  private func notes(kind: String, _ scaling: PythonDictionary?, base: Double, stated: Double) -> [RuntimeNote] {
    var notes: [RuntimeNote] = []
    func ignore(_ key: String, _ message: String) {
      notes.append(RuntimeNote("ignored-key", key: "\(pointer)/\(key)", message))
    }
    if let modelType, !["llama", "mistral"].contains(modelType) {
      notes.append(
        RuntimeNote(
          "class-not-modelled", key: "/model_type", "the repository has no file for it; read as its Llama file"))
    }
    if base != stated { ignore("rope_theta", "the base is not passed on to this class, which takes 10000") }
    var read: Set = ["type", "factor"]
    if kind.hasSuffix("yarn") { read.insert(Self.original) }
    if kind == "dynamic-yarn" { ignore("rope_scaling/factor", "demanded, then the sequence length decides") }
    for key in scaling?.keys ?? [] where !read.contains(key) {
      ignore("rope_scaling/\(key)", "the model file does not pass \(key) on")
    }
    if section["rope_parameters"]?.dictionary?.isEmpty == false {
      ignore("rope_parameters", "only rope_scaling is read")
    }
    for key in ["head_dim", "partial_rotary_factor", Self.original] where section[key] != nil {
      ignore(key, "the model file does not read \(key)")
    }
    if isMistral, kind == "linear" {
      notes.append(RuntimeNote("warning", key: nil, "Mistral's linear class stores cosines in place of the sines"))
    }
    return notes
  }
}
