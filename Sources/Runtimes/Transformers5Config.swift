import LosslessJSON
import ModelConfig

/// A config.json after transformers 5 has loaded it: one parameter dictionary, or one per layer type.
///
/// vLLM, SGLang and llama.cpp's converter start from here as well.
/// - Source: `configuration_utils.py:472-473` and `modeling_rope_utils.py:764-859` of transformers 5.23.
struct Transformers5Config {
  /// The dictionary of one kind of layer.
  struct Layer {
    /// Layer type in a nested layout, `nil` in a flat one.
    var type: String?
    /// JSON pointer of the dictionary in the file, `nil` when the config class supplied it.
    var pointer: String?
    /// `nil` where the file has None instead: no rotation.
    var parameters: PythonDictionary?
  }

  let modelType: String?
  /// The language section's members, and its JSON pointer.
  let section: PythonDictionary
  let sectionPointer: String
  /// As code sees them right after loading: a top-level original length has not been looked at yet.
  let loaded: [Layer]
  /// As they are when frequencies are computed: in a flat layout a top-level original length has replaced the inner one.
  let computed: [Layer]
  /// The outer dictionary of a nested layout, equal to the only one of a flat layout.
  let outer: PythonDictionary
  /// JSON pointers of what stands beside the dictionaries of a nested layout.
  let besideLayers: [String]

  var isNested: Bool { loaded.first?.type != nil }
  /// `config.max_position_embeddings`.
  var window: PythonValue? { attributes.window }

  /// Width of a head of a kind of layer.
  func headDimension(of layerType: String?) -> Double? {
    TransformersRotary.headDimension(section, modelType, layerType: layerType)
  }

  init(_ config: HuggingFaceConfig) {
    section = PythonDictionary(config.document[config.section])
    sectionPointer = config.section
    modelType = config.modelType
    var attributes = Attributes(section: section, modelType: modelType)
    let (dictionary, place) = attributes.dictionary()
    let pointer = place.map { "\(config.section)/\($0)" }

    let labels = section["layer_types"]?.list?.compactMap(\.string) ?? TransformersFamilies.layerLabels(modelType)
    let nested = dictionary.members.filter { labels.contains($0.key) }
    attributes.isNested = !nested.isEmpty
    outer = nested.isEmpty ? attributes.loading(dictionary) : dictionary
    let others = nested.isEmpty ? [] : dictionary.keys.filter { !labels.contains($0) }
    besideLayers = pointer.map { pointer in others.map { "\(pointer)/\($0)" } } ?? []
    loaded =
      nested.isEmpty
      ? [Layer(pointer: pointer, parameters: outer)]
      : nested.map { label, value in
        Layer(
          type: label, pointer: pointer.map { "\($0)/\(label)" },
          parameters: value.dictionary.map { attributes.loading($0) })
      }
    computed = loaded.map { layer in
      var layer = layer
      layer.parameters = layer.parameters.map { attributes.standardised($0, atComputation: true) }
      return layer
    }
    self.attributes = attributes
  }

  private let attributes: Attributes

  /// A dictionary of ``loaded`` that somebody has changed, standardised again.
  func standardised(_ parameters: PythonDictionary) -> PythonDictionary {
    attributes.standardised(parameters, atComputation: true)
  }
}

/// The config object's attributes that its parameter dictionaries are completed from.
private struct Attributes {
  let section: PythonDictionary
  let modelType: String?
  var isNested = false

  /// `max_position_embeddings`, which a class may know under another name.
  var window: PythonValue? {
    section["max_position_embeddings"] ?? (modelType == "dbrx" ? section["max_seq_len"] : nil)
      ?? TransformersFamilies.defaultWindow(modelType).map(PythonValue.int)
  }

  /// The dictionary to start from, and the key under which the file has it.
  func dictionary() -> (PythonDictionary, key: String?) {
    if let sliding = TransformersFamilies.slidingBase(modelType) { return perLayer(sliding) }
    // A non-empty legacy dictionary replaces the new one, even when both are there.
    for key in ["rope_scaling", "rope_parameters"] {
      if let dictionary = section[key]?.dictionary, !dictionary.isEmpty { return (dictionary, key) }
    }
    // An empty new dictionary is not None, so it keeps a class from supplying its own.
    if section["rope_parameters"]?.dictionary != nil { return (PythonDictionary(), "rope_parameters") }
    return (ownParameters ?? PythonDictionary(), nil)
  }

  /// Legacy files of some families scale the full-attention layers only.
  private func perLayer(
    _ sliding: (key: String?, full: Double, sliding: Double)
  ) -> (PythonDictionary, key: String?) {
    var outer = section["rope_parameters"]?.dictionary ?? PythonDictionary()
    let plain = PythonDictionary([("rope_type", .string("default"))])
    func layer(_ label: String) -> PythonDictionary { outer[label]?.dictionary ?? plain }
    var full = layer("full_attention")
    full.update(PythonDictionary(section["rope_scaling"]))
    full.setDefault("rope_theta", section["rope_theta"] ?? .float(sliding.full))
    var local = layer("sliding_attention")
    local.setDefault("rope_theta", sliding.key.flatMap { section[$0] } ?? .float(sliding.sliding))
    outer["full_attention"] = .dictionary(full)
    outer["sliding_attention"] = .dictionary(local)
    return (outer, section["rope_parameters"]?.dictionary == nil ? nil : "rope_parameters")
  }

  /// A dictionary as it is right after loading.
  func loading(_ dictionary: PythonDictionary) -> PythonDictionary {
    var parameters = dictionary
    let keys = TransformersFamilies.topLevelKeys(modelType)
    parameters.setDefault(
      "rope_theta", section[keys.base] ?? .float(TransformersFamilies.defaultBase(modelType)))
    let share =
      section[keys.partialFactor] ?? rotaryShare
      ?? TransformersFamilies.defaultPartialFactor(modelType).map(PythonValue.float)
    if let share, !share.isNone { parameters.setDefault("partial_rotary_factor", share) }
    if modelType?.hasPrefix("qwen2") == true, kind(of: parameters) == "mrope" {
      parameters["rope_type"] = .string("default")
    }
    parameters = standardised(parameters, atComputation: false)
    if TransformersFamilies.declaredOriginalLength(modelType) != nil, ["su", "yarn"].contains(kind(of: parameters)) {
      parameters["rope_type"] = .string("longrope")
    }
    return parameters
  }

  /// The share that follows from widths in two families.
  private var rotaryShare: PythonValue? {
    func number(_ key: String) -> Double? { section[key]?.number }
    if modelType == "mistral4", let rotary = number("qk_rope_head_dim"), let plain = number("qk_nope_head_dim") {
      return .float(rotary / (plain + rotary))
    }
    guard modelType == "minimax_m2", let width = number("rotary_dim") else { return nil }
    return (number("head_dim") ?? TransformersFamilies.defaultHeadDimension(modelType)).map { .float(width / $0) }
  }

  private func kind(of parameters: PythonDictionary) -> String {
    parameters.string("rope_type") ?? parameters.string("type") ?? "default"
  }

  /// `standardize_rope_params`: fills in the kind and the original length.
  func standardised(_ dictionary: PythonDictionary, atComputation: Bool) -> PythonDictionary {
    var parameters = dictionary
    parameters.setDefault("rope_type", parameters["type"] ?? .string("default"))
    guard ["llama3", "yarn", "longrope"].contains(kind(of: parameters)) else { return parameters }
    let key = "original_max_position_embeddings"
    // The attribute is set after the dictionary has been standardised for the first time, unless the class declares it.
    let declared = TransformersFamilies.declaredOriginalLength(modelType)
    let top = atComputation || declared != nil ? section[key] ?? declared.map(PythonValue.int) : nil
    if !isNested, let top {
      parameters[key] = top
    } else {
      let window =
        section["max_position_embeddings"] ?? TransformersFamilies.defaultWindow(modelType).map(PythonValue.int)
      parameters.setDefault(key, window)
    }
    return parameters
  }

  /// Parameters that a config class installs itself when the file has none, or None.
  private var ownParameters: PythonDictionary? {
    switch modelType {
    case "gpt_oss":
      PythonDictionary([
        ("rope_type", .string("yarn")), ("factor", .float(32)), ("beta_fast", .float(32)), ("beta_slow", .float(1)),
        ("truncate", .bool(false)), ("original_max_position_embeddings", .int(4096)),
      ])
    case "ministral3":
      PythonDictionary([
        ("type", .string("yarn")), ("rope_theta", .float(1_000_000)), ("factor", .float(16)),
        ("original_max_position_embeddings", .int(16_384)), ("beta_fast", .float(32)), ("beta_slow", .float(1)),
        ("mscale_all_dim", .float(1)), ("mscale", .float(1)),
      ])
    default: nil
    }
  }
}
