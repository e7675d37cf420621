import ModelConfig

/// `rope_parameters` as the constructor of llama.cpp's converter leaves it.
///
/// - Source: `conversion/base.py:1359-1377` of llama.cpp as vendored by llama-cpp-python 0.3.36.
struct LlamaCppRopeParameters {
  /// The dictionary of full attention, or the only one.
  private(set) var full = PythonDictionary()
  private(set) var sliding = PythonDictionary()
  private(set) var hasLayerTypes = false
  /// JSON pointer of ``full`` in the file, `nil` when the config class supplied it.
  private(set) var pointer: String?

  init(_ config: HuggingFaceConfig, _ settings: PythonDictionary) {
    typealias Layer = (type: String?, parameters: PythonDictionary)
    let layers: [Layer]
    let outer: String?
    let isLoaded = !LlamaCppConversion.needsRemoteCode(config.modelType)
    if !isLoaded {
      // transformers does not load it, so the JSON text counts; here the newer name wins.
      let name = settings[ConfigKey.ropeParameters] != nil ? ConfigKey.ropeParameters : ConfigKey.ropeScaling
      let place = "\(config.section)/\(name)"
      outer = place
      let labels = config.layerTypes(of: place).map(Optional.some)
      layers = (labels.isEmpty ? [nil] : labels).map { label in
        (label, PythonDictionary(config.document[label.map { "\(place)/\($0)" } ?? place]))
      }
    } else {
      outer = config.dictionaries.first
      layers = Transformers5Config(config).loaded.map { ($0.type, $0.parameters ?? PythonDictionary()) }
    }
    pointer = outer.map { config.layerTypes(of: $0).isEmpty ? $0 : "\($0)/full_attention" }
    hasLayerTypes = !layers.contains { $0.type == nil }
    if hasLayerTypes {
      full = layers.first { $0.type == "full_attention" }?.parameters ?? full
      sliding = layers.first { $0.type == "sliding_attention" }?.parameters ?? sliding
    } else {
      full = layers.first?.parameters ?? full
      mirror(settings, isLoaded: isLoaded)
    }
  }

  /// Values beside the dictionary are copied in where it lacks them.
  private mutating func mirror(_ settings: PythonDictionary, isLoaded: Bool) {
    let outside: [(String, [String])] = [
      (
        ConfigKey.ropeTheta,
        ["global_rope_theta", "rope_global_theta", "rope_theta_global", "rope_theta", "rotary_emb_base"]
      ), ("partial_rotary_factor", ["partial_rotary_factor", "rope_pct", "rope_percent"]),
      (ConfigKey.original, [ConfigKey.original]),
    ]
    for (member, names) in outside where full[member] == nil { full.take(member, names, from: settings) }
    if full[ConfigKey.ropeType] == nil { full.take(ConfigKey.ropeType, [ConfigKey.type], from: full) }
    // Where transformers loads the config, a window that only its class knows counts as well.
    let kinds = ["llama3", "yarn", "longrope"]
    if isLoaded, full[ConfigKey.original] == nil, kinds.contains(full.string(ConfigKey.ropeType) ?? "") {
      full.take(ConfigKey.original, [ConfigKey.maximum], from: settings)
    }
    let local = ["local_rope_theta", "rope_local_theta", "rope_theta_local", "swa_rope_theta", "rope_local_base_freq"]
    sliding.take(ConfigKey.ropeTheta, local, from: settings)
  }
}

extension PythonDictionary {
  /// Copies the value of the first of some names that is there, unless it is None.
  fileprivate mutating func take(_ member: String, _ names: [String], from other: PythonDictionary) {
    guard let name = names.first(where: { other[$0] != nil }), other.hasValue(name) else { return }
    self[member] = other[name]
  }
}
