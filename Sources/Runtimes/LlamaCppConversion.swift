import GGUF
import LosslessJSON
import ModelConfig
import RoPE

/// The rotary metadata and tensors that llama.cpp's converter writes for a config.json.
///
/// Values have the type the converter gives them: Python's `struct.pack` takes any number for a FLOAT32 and only an
/// integer for a UINT32.
/// - Source: `conversion/base.py:1359-1377,1462-1509` and `conversion/*.py` of llama.cpp as vendored by llama-cpp-python
///   0.3.36, with transformers 5.23 loading the config.
struct LlamaCppConversion {
  let family: Family
  private(set) var metadata: [String: GGUFValue] = [:]
  private(set) var tensors: [String: [Float]] = [:]
  /// Where in the config.json each key comes from.
  private(set) var origins: [String: String] = [:]
  /// JSON pointers of everything that was used.
  private var used: Set<String> = []

  let keys: GGUFKeys
  let config: HuggingFaceConfig
  /// `hparams`: the language section over the whole config.
  let settings: PythonDictionary
  /// `rope_parameters`: that of full attention when there is one for each layer type.
  let rope: PythonDictionary
  let slidingRope: PythonDictionary
  let hasLayerTypes: Bool
  /// JSON pointer of ``rope``'s dictionary in the file.
  private let dictionary: String?

  var model: LlamaCppModel { LlamaCppModel(architecture: family.architecture, metadata: metadata, tensors: tensors) }

  /// - Throws: The converter's own error: an unknown architecture, a missing key, a value that does not fit its type.
  init(_ config: HuggingFaceConfig) throws(RuntimeRefusal) {
    self.config = config
    family = try Self.family(of: config)
    keys = GGUFKeys(family.architecture)
    var settings = PythonDictionary(config.document.root)
    if !config.section.isEmpty { settings.update(PythonDictionary(config.document[config.section])) }
    if settings[ConfigKey.maximum] == nil {
      settings[ConfigKey.maximum] = TransformersFamilies.defaultWindow(config.modelType).map(PythonValue.int)
    }
    self.settings = settings
    let source = LlamaCppRopeParameters(config, settings)
    rope = source.full
    slidingRope = source.sliding
    hasLayerTypes = source.hasLayerTypes
    dictionary = source.pointer

    try writeLengths()
    if !family.steps.contains(.bare) {
      try writeScaling()
      try float32(keys.base, rope, ConfigKey.ropeTheta)
      try float32(keys.slidingBase, slidingRope, ConfigKey.ropeTheta)
      if !family.architecture.hasPrefix("granite") { try uint32(keys.headDimension, settings, "head_dim") }
    }
    try writeRotaryDimension()
    try writeFamilyKeys()
    try writeTensors()
  }

  /// The first of several names that is there, None or not.
  func name(_ candidates: [String]) -> String? { candidates.first { settings[$0] != nil } }

  private mutating func writeLengths() throws(RuntimeRefusal) {
    let windows = [
      "max_position_embeddings", "n_ctx", "n_positions", "max_length", "max_sequence_length", "model_max_length",
    ]
    for (key, names) in [
      (keys.contextLength, windows), (keys.embeddingLength, ["hidden_size", "n_embd", "dim"]),
      (keys.headCount, ["num_attention_heads", "n_head", "n_heads"]),
    ] {
      if let name = name(names) { try uint32(key, settings, name) }
    }
    if keys.architecture.slidingLayers != nil {
      try uint32(keys.slidingWindow, settings, "sliding_window")
    }
  }

  /// Everything the YaRN dictionary holds beyond these is dropped: truncate, mscale, mscale_all_dim.
  private mutating func writeScaling() throws(RuntimeRefusal) {
    switch rope.string(ConfigKey.ropeType) {
    case "linear"? where rope.hasValue(ConfigKey.factor):
      string(keys.type, "linear", from: ConfigKey.ropeType)
      try float32(keys.factor, rope, ConfigKey.factor)
    case "yarn"? where rope.hasValue(ConfigKey.factor):
      string(keys.type, "yarn", from: ConfigKey.ropeType)
      try float32(keys.factor, rope, ConfigKey.factor)
      guard rope[ConfigKey.original] != nil else {
        throw RuntimeRefusal("KeyError", missing: ConfigKey.original, "\(ConfigKey.original) is missing")
      }
      try uint32(keys.original, rope, ConfigKey.original, isRequired: true)
      try float32(keys.extrapolationFactor, rope, "extrapolation_factor")
      // A None under the first name is not replaced by the second.
      let attention = rope[ConfigKey.attentionFactor] != nil ? ConfigKey.attentionFactor : "attn_factor"
      try float32(keys.yarnAttentionFactor, rope, attention)
      try float32(keys.betaFast, rope, ConfigKey.betaFast)
      try float32(keys.betaSlow, rope, ConfigKey.betaSlow)
    case "su"?, "longrope"?:
      string(keys.type, "longrope", from: ConfigKey.ropeType)
    default: break
    }
  }
}

extension LlamaCppConversion {
  /// Where a member of ``rope`` stands in the file; the converter and transformers copy some from outside.
  func pointer(_ member: String) -> String? {
    let alternatives = member == ConfigKey.ropeType ? [member, ConfigKey.type] : [member]
    let places = [dictionary, config.section, ""].compactMap(\.self).flatMap { owner in
      alternatives.map { "\(owner)/\($0)" }
    }
    return places.first { config.document[$0] != nil }
  }

  mutating func set(_ key: String, _ value: GGUFValue, from member: String?) {
    metadata[key] = value
    use(member, for: key)
  }

  mutating func set(_ tensor: String, _ values: [Float], from members: String...) {
    tensors[tensor] = values
    for member in members { use(member, for: tensor) }
  }

  private mutating func use(_ member: String?, for name: String) {
    guard let pointer = member.flatMap(pointer) else { return }
    origins[name] = pointer
    used.insert(pointer)
  }

  mutating func string(_ key: String, _ value: String, from member: String?) { set(key, .string(value), from: member) }

  /// Writes a number as FLOAT32 unless it is absent or None.
  mutating func float32(_ key: String, _ values: PythonDictionary, _ member: String) throws(RuntimeRefusal) {
    guard values.hasValue(member) else { return }
    guard let number = (try? values.number(member)) ?? nil else { throw .unpackable(member, "float") }
    guard Float(number).isFinite || !number.isFinite else {
      throw RuntimeRefusal("OverflowError", "\(member) is too large for a float")
    }
    set(key, .float32(Float(number)), from: member)
  }

  /// Writes an integer as UINT32; unless it has to be there, absent and None are passed over.
  mutating func uint32(
    _ key: String, _ values: PythonDictionary, _ member: String, isRequired: Bool = false
  ) throws(RuntimeRefusal) {
    guard isRequired || values.hasValue(member) else { return }
    set(key, .uint32(try values.uint32(member)), from: member)
  }

  /// A reading of the converted file, with keys named by their place in the config.json.
  func annotated(_ reading: RuntimeReading) -> RuntimeReading {
    var result = reading
    result.notes = reading.notes.filter { $0.code != "default-used" || origins[$0.key ?? ""] != nil }
    for index in result.notes.indices {
      guard let key = result.notes[index].key, let origin = origins[key] else { continue }
      result.notes[index].key = origin
    }
    guard let dictionary else { return result }
    // Two spellings of the kind count as one member, and the unscaled kind needs no key. Sections become an array.
    let kinds = [ConfigKey.ropeType, ConfigKey.type].map { "\(dictionary)/\($0)" }
    let saysNothing =
      kinds.contains(where: used.contains) || ["default", "mrope"].contains(rope.string(ConfigKey.ropeType))
    let silent = (saysNothing ? kinds : []) + ["\(dictionary)/mrope_section"]
    let dropped = PythonDictionary(config.document[dictionary]).keys.map { "\(dictionary)/\($0)" }
      .filter { !silent.contains($0) && !used.contains($0) }
    result.notes += dropped.map { RuntimeNote("ignored-key", key: $0, "the converter does not write it") }
    return result
  }
}

extension PythonDictionary {
  /// A member as `struct.pack("I", …)` takes it.
  func uint32(_ member: String) throws(RuntimeRefusal) -> UInt32 {
    guard isInteger(member), let number = (try? number(member)) ?? nil, let value = UInt32(exactly: number) else {
      throw .unpackable(member, "an integer of 32 bits")
    }
    return value
  }
}

extension RuntimeRefusal {
  fileprivate static func unpackable(_ member: String, _ type: String) -> RuntimeRefusal {
    RuntimeRefusal("struct.error", "\(member) is not \(type)")
  }
}
