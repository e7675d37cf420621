import LosslessJSON
import ModelConfig

/// A config.json after transformers 5 has loaded it: one parameter dictionary, or one per layer type.
///
/// vLLM, SGLang and llama.cpp's converter start from here as well.
/// - Source: `configuration_utils.py:472-473` and `modeling_rope_utils.py:764-859` of transformers 5.23.
struct Transformers5Config {
  /// Dictionary of one kind of layer. `nil` for a layer type whose dictionary is None: no rotation.
  typealias Layer = (type: String?, parameters: PythonDictionary?)

  let modelType: String?
  /// The language section's members.
  let section: PythonDictionary
  /// As code sees them right after loading: a top-level original length has not been looked at yet.
  let loaded: [Layer]
  /// As they are when frequencies are computed: in a flat layout a top-level original length has replaced the inner one.
  let computed: [Layer]
  /// The outer dictionary of a nested layout, equal to the only one of a flat layout.
  let outer: PythonDictionary

  var isNested: Bool { loaded.first?.type != nil }

  init(_ config: HuggingFaceConfig) {
    section = PythonDictionary(config.document[config.section]?.value)
    modelType = config.modelType
    // A non-empty legacy dictionary replaces the new one, even when both are there.
    var dictionary = PythonDictionary(section["rope_scaling"])
    if dictionary.isEmpty { dictionary = PythonDictionary(section["rope_parameters"]) }
    if dictionary.isEmpty, let own = Self.ownParameters(modelType) { dictionary = own }
    outer = dictionary

    let labels = Set(section["layer_types"]?.elements?.compactMap(\.value.string) ?? [])
      .union(["full_attention", "sliding_attention", "chunked_attention", "linear_attention"])
    let isNested = dictionary.keys.contains { labels.contains($0) }
    let layers: [(String?, JSONValue?)] =
      isNested
      ? dictionary.members.filter { labels.contains($0.key) }.map { ($0.key, $0.value) }
      : [(nil, nil)]
    let section = self.section
    let modelType = self.modelType
    func standardised(atComputation: Bool) -> [Layer] {
      layers.map { label, value in
        if label != nil, value?.isNull == true { return (label, nil) }
        var parameters = label == nil ? dictionary : PythonDictionary(value)
        Self.standardise(&parameters, section, modelType, isNested: isNested, atComputation: atComputation)
        return (label, parameters)
      }
    }
    loaded = standardised(atComputation: false)
    computed = standardised(atComputation: true)
  }

  /// Fills in what transformers fills in: base, partial factor, kind and original length.
  private static func standardise(
    _ parameters: inout PythonDictionary, _ section: PythonDictionary, _ modelType: String?, isNested: Bool,
    atComputation: Bool
  ) {
    for key in ["rope_theta", "partial_rotary_factor"] where parameters[key] == nil {
      if let value = section[key], !value.isNull { parameters[key] = value }
    }
    if parameters["rope_theta"] == nil {
      let base = TransformersFamilies.defaultBase(modelType)
      parameters["rope_theta"] = PythonDictionary(json: "{\"base\": \(JSONText.float(base).compact)}")["base"]
    }
    let kind = parameters.string("rope_type") ?? parameters.string("type") ?? "default"
    parameters["rope_type"] = .string(kind)
    guard ["llama3", "yarn", "longrope"].contains(kind) else { return }
    let original = "original_max_position_embeddings"
    // The attribute is set after the dictionary has been standardised for the first time, unless the class declares it.
    let seesTop = !isNested && (atComputation || declaresOriginalLength(modelType))
    if seesTop, let top = section[original], !top.isNull {
      parameters[original] = top
    } else if parameters[original] == nil {
      parameters[original] = section["max_position_embeddings"]
    }
  }

  /// Config classes with a field for the original length.
  private static func declaresOriginalLength(_ modelType: String?) -> Bool {
    ["phi3", "phi4_multimodal", "phimoe"].contains(modelType ?? "")
  }

  /// Parameters that a config class installs itself when the file has none, or None.
  private static func ownParameters(_ modelType: String?) -> PythonDictionary? {
    switch modelType {
    case "gpt_oss":
      return PythonDictionary(
        json: """
          {"rope_type": "yarn", "factor": 32.0, "beta_fast": 32.0, "beta_slow": 1.0, "truncate": false,
           "original_max_position_embeddings": 4096}
          """)
    case "ministral3":
      return PythonDictionary(
        json: """
          {"rope_type": "yarn", "rope_theta": 1000000.0, "factor": 16.0, "original_max_position_embeddings": 16384,
           "beta_fast": 32.0, "beta_slow": 1.0, "mscale": 1.0, "mscale_all_dim": 1.0}
          """)
    default: return nil
    }
  }
}
