/// The length that vLLM derives from the files when the user asks for none.
///
/// - Source: `config/model.py:2545-2670`, `transformers_utils/model_arch_config_convertor.py:374-407` of 0.33.0.
struct VLLMContextLength {
  /// `nil` when the length is no number, or its derivation raises.
  private(set) var value: Int?
  private var refusal: RuntimeRefusal?

  /// - Parameters:
  ///   - layers: The parameter dictionaries after vLLM's renaming; `nil` for a layer without one.
  ///   - unmultiplied: Kinds whose window is taken as it is stated.
  init(
    _ config: Transformers5Config, _ tokenizerLimit: Double?, _ layers: [PythonDictionary??],
    unmultiplied: Set<String>
  ) {
    do throws(RuntimeRefusal) {
      value = try pythonInt(Self.length(config, tokenizerLimit, layers.compactMap { $0 ?? nil }, unmultiplied))
    } catch {
      refusal = error
    }
  }

  /// - Throws: What the derivation raised.
  func check() throws(RuntimeRefusal) {
    if let refusal { throw refusal }
  }

  private static func length(
    _ config: Transformers5Config, _ tokenizerLimit: Double?, _ layers: [PythonDictionary], _ unmultiplied: Set<String>
  ) throws(RuntimeRefusal) -> Double {
    var attributes = config.section
    if let window = config.window { attributes["max_position_embeddings"] = window }
    var lengths: [Double] = []
    for key in keys {
      if let length = try attributes.number(key) { lengths.append(length) }
    }
    var length = lengths.min()
    if attributes.isTruthy("model_max_length") { length = try attributes.number("model_max_length") }
    if let tokenizerLimit { length = min(length ?? .infinity, tokenizerLimit) }
    var derived = length.flatMap { $0.isFinite ? $0 : nil } ?? 2048
    // Gemma 3's windows are stated as scaled.
    if !(config.modelType?.contains("gemma3") ?? false) { derived *= try factor(layers, unmultiplied) }
    let isLongRoPE = !config.isNested && layers.first.map(config.kind) == "longrope"
    if isLongRoPE, let original = try trainedLength(config) { return original }
    return derived
  }

  /// LongRoPE models default to the length before scaling, where the config object has it.
  private static func trainedLength(_ config: Transformers5Config) throws(RuntimeRefusal) -> Double? {
    try config.section.number("original_max_position_embeddings")
      ?? TransformersFamilies.declaredOriginalLength(config.modelType)
  }

  /// The last layer's factor counts for all.
  private static func factor(_ layers: [PythonDictionary], _ unmultiplied: Set<String>) throws(RuntimeRefusal) -> Double
  {
    var factor = 1.0
    for layer in layers where !unmultiplied.contains(layer.string("rope_type") ?? "default") {
      factor = try layer.argument("factor", default: factor)
    }
    return factor
  }

  private static let keys = [
    "max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "model_max_length", "max_target_positions",
    "max_sequence_length", "max_seq_length", "seq_len",
  ]
}
