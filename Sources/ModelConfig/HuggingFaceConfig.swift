import Diagnostics
import LosslessJSON

extension FileError.Code {
  package static let notAnObject: Self = "config-not-an-object"
  package static let duplicateMember: Self = "json-duplicate-member"
  package static let noSuchSection: Self = "no-such-section"
  /// More dictionaries of layer types than ``HuggingFaceConfig/maximumLayerTypes``.
  package static let tooManyLayerTypes: Self = "json-too-many-layer-types"
}

/// Names of config.json members, spelled here and nowhere else.
package enum ConfigKey {
  package static let ropeScaling = "rope_scaling"
  package static let ropeParameters = "rope_parameters"
  package static let ropeTheta = "rope_theta"
  package static let ropeType = "rope_type"
  package static let type = "type"
  package static let factor = "factor"
  package static let original = "original_max_position_embeddings"
  package static let maximum = "max_position_embeddings"
  package static let betaFast = "beta_fast"
  package static let betaSlow = "beta_slow"
  package static let attentionFactor = "attention_factor"
  package static let mscale = "mscale"
  package static let mscaleAllDim = "mscale_all_dim"
  package static let truncate = "truncate"
  package static let attnFactor = "attn_factor"
  package static let partialRotaryFactor = "partial_rotary_factor"
  package static let headDimension = "head_dim"
  package static let latentRotaryDimension = "qk_rope_head_dim"
  package static let dualChunk = "dual_chunk_attention_config"

  /// Members of a scaling dictionary that mean something to one scaling kind only and go when that kind goes.
  package static let scalingOnly = [
    factor, original, betaFast, betaSlow, attentionFactor, mscale, mscaleAllDim, truncate, attnFactor,
    "extrapolation_factor", "finetuned", "low_freq_factor", "high_freq_factor", "alpha", "short_factor", "long_factor",
    "short_mscale", "long_mscale",
  ]
  /// Other names for the base, by the families that use them.
  static let baseAliases = [ropeTheta, "rotary_emb_base", "rope_base", "rope_embedding_base", "global_rope_theta"]
  /// Base of the sliding-window layers where a flat file gives them one of their own.
  static let localBases = ["rope_local_base_freq", "local_rope_theta"]
  /// Names under which a window is stated, the usual one first. vLLM takes the smallest of those present.
  package static let windows = [
    maximum, "n_positions", "max_seq_len", "seq_length", "max_sequence_length", "max_seq_length", "seq_len",
    "model_max_length",
  ]
  static let widths = ["hidden_size", "n_embd", "d_model", "dim"]
  static let depths = ["num_hidden_layers", "n_layer", "num_layers", "n_layers"]
  static let partialFactors = [
    partialRotaryFactor, "rotary_pct", "rope_pct", "rotary_percent", "rotary_emb_fraction",
  ]
  /// Families whose code rotates only a part of each head also where the file does not say how large a part; their head
  /// size does not tell the rotary dimension.
  ///
  /// - Source: defaults of `partial_rotary_factor` and `rotary_pct` in the configuration classes of transformers 5.23;
  ///   ChatGLM's own code and llama.cpp's converter for it.
  static let partlyRotatingFamilies: Set = [
    "chatglm", "fuyu", "glm", "glm4", "glm4_moe", "gpt_neox", "nemotron", "persimmon", "phi", "qwen3_5", "qwen3_5_moe",
    "qwen3_5_moe_text", "qwen3_5_text", "qwen3_next", "recurrent_gemma", "stablelm", "stablelm_epoch",
  ]
  /// Labels of per-layer-type dictionaries.
  static let layerLabels: Set = [
    "full_attention", "sliding_attention", "chunked_attention", "linear_attention", "compress", "main",
  ]
}

/// A config.json as far as RoPE is concerned: which object holds the language model's settings, and in which layout.
public struct HuggingFaceConfig: Sendable {
  public let document: JSONDocument
  /// JSON pointer of the object that holds the language model's settings; empty for the whole document.
  public let section: String
  /// `model_type` of the language section, else of the whole model.
  public private(set) var modelType: String?
  /// Width and depth of the language model, when both are stated.
  package private(set) var shape: ModelShape?
  /// Scaling dictionaries in the order in which readers prefer them: JSON pointers of non-null `rope_scaling` and
  /// `rope_parameters`.
  package private(set) var dictionaries: [String] = []
  /// The object at ``section``.
  private let settings: JSONNode

  /// - Parameter section: Overrides the search for the language section.
  /// - Throws: `config-not-an-object`, `json-duplicate-member`, `json-too-many-layer-types`, `no-such-section`.
  package init(_ document: JSONDocument, section requested: String? = nil) throws(FileError) {
    guard document.root.isObject else {
      throw FileError(
        .notAnObject, at: SourceLocation(path: document.path, byteOffset: 0),
        found: "the document is not a JSON object", expected: "an object with the model's settings",
        remedy: "point at the model's config.json")
    }
    if let duplicate = document.duplicates.first {
      throw FileError(
        .duplicateMember,
        at: SourceLocation(path: document.path, byteOffset: UInt64(duplicate.second), key: duplicate.pointer),
        found: "the member is stated twice, first at byte \(duplicate.first)", expected: "each member once",
        remedy: "remove one of the two; readers keep the last without a word")
    }
    try Self.checkLayerTypes(document, in: Self.languageSections + ["", requested ?? ""])
    self.document = document
    if let requested {
      guard case .object? = document[requested]?.value else {
        throw FileError(
          .noSuchSection, at: SourceLocation(path: document.path, key: requested),
          found: "there is no object at this pointer", expected: "the object that holds the language model's settings",
          remedy: "name it as a JSON pointer, such as /text_config")
      }
      section = requested
    } else {
      section =
        Self.languageSections.first { Self.statesPositions(document, in: $0) } ?? Self.silentSection(of: document) ?? ""
    }
    settings = document[section] ?? document.root
    modelType = string("model_type", in: section) ?? string("model_type", in: "")
    if let width = integer(ConfigKey.widths), let layers = integer(ConfigKey.depths) {
      shape = ModelShape(width: width, layers: layers)
    }
    dictionaries = [ConfigKey.ropeScaling, ConfigKey.ropeParameters].filter { key in
      settings.child(key).map { $0.isObject && !($0.value.members ?? []).isEmpty } ?? false
    }.map { "\(section)/\($0)" }
  }

  /// The language section of a family that looks nowhere else, also where it leaves everything to its class.
  ///
  /// - Source: `configuration_fuyu.py` of transformers 4.57.3 and 5.23: with a `text_config` what stands beside it has no
  ///   effect, and scaling there ends the loading.
  private static func silentSection(of document: JSONDocument) -> String? {
    guard case .string("fuyu")? = document["/model_type"]?.value, document["/text_config"]?.isObject == true else {
      return nil
    }
    return "/text_config"
  }

  /// Where composite models keep their language model, outermost last.
  package static let languageSections = [
    "/thinker_config/text_config", "/text_config", "/llm_config", "/language_config", "/language_model_config",
  ]

  /// Most dictionaries in one scaling dictionary. Models have two or three kinds of layers; each that differs is compared
  /// for each runtime, and each change that could make them agree is tried on all.
  package static let maximumLayerTypes = 64

  private static func checkLayerTypes(_ document: JSONDocument, in sections: [String]) throws(FileError) {
    for pointer in sections.flatMap({ ["\($0)/\(ConfigKey.ropeScaling)", "\($0)/\(ConfigKey.ropeParameters)"] }) {
      let count = document[pointer]?.value.members?.count { $0.node.isObject } ?? 0
      guard count > maximumLayerTypes else { continue }
      throw FileError(
        .tooManyLayerTypes, at: document.location(of: pointer), found: "\(count) dictionaries of layer types",
        expected: "at most \(maximumLayerTypes)", remedy: "keep those of the layers that the model has")
    }
  }

  /// Whether an object states a window, a base or a scaling dictionary.
  package static func statesPositions(_ document: JSONDocument, in section: String) -> Bool {
    guard document[section]?.isObject == true else { return false }
    let telling = [ConfigKey.ropeScaling, ConfigKey.ropeParameters] + ConfigKey.baseAliases + ConfigKey.windows
    return telling.contains { document["\(section)/\($0)"] != nil }
  }

  /// The first entry of `architectures`.
  public var architecture: String? {
    guard case .array(let names)? = document["/architectures"]?.value, case .string(let name)? = names.first?.value
    else { return nil }
    return name
  }

  /// Layer-type labels when the dictionary at `pointer` holds one dictionary per layer type, else none.
  package func layerTypes(of pointer: String) -> [String] {
    // A label becomes part of a JSON pointer, so one that would need escapes is not taken for a layer type.
    let dictionaries = (document[pointer]?.value.members ?? []).filter { member in
      member.node.isObject && !member.key.utf8.contains(where: { "/~".utf8.contains($0) })
    }.map(\.key)
    // Usual names need no look at the list, which has an element for each layer.
    guard !ConfigKey.layerLabels.isSuperset(of: dictionaries) else { return dictionaries }
    let declared = document["\(section)/layer_types"]?.value.elements?.compactMap(\.value.string) ?? []
    return dictionaries.filter(ConfigKey.layerLabels.union(declared).contains)
  }

  /// A member of the language section, else of the whole document.
  package func node(_ key: String) -> (pointer: String, node: JSONNode)? {
    if let node = settings.child(key) { return ("\(section)/\(key)", node) }
    return section.isEmpty ? nil : document.root.child(key).map { ("/\(key)", $0) }
  }

  /// The first whole number among some members.
  func integer(_ keys: [String]) -> Int? { keys.lazy.compactMap { node($0)?.node.value.number?.integer }.first }

  func string(_ key: String, in owner: String) -> String? {
    if case .string(let text)? = document["\(owner)/\(key)"]?.value { return text }
    return nil
  }

  func place(_ pointer: String) -> SourceLocation { place(pointer, document[pointer]) }

  /// The place of a node that stands at a pointer.
  func place(_ pointer: String, _ node: JSONNode?) -> SourceLocation {
    SourceLocation(path: document.path, byteOffset: node.map { UInt64($0.range.lowerBound) }, key: pointer)
  }

  /// The same settings without the long tables that publishers put beside them: label names, quantisation of each
  /// module. The document itself when it is small.
  package var slimmed: HuggingFaceConfig {
    guard document.bytes.count > Self.smallSize, let text = slimText(of: document.root, at: ""),
      let slim = try? JSONDocument(Array(text.compact.utf8), path: document.path),
      let config = try? HuggingFaceConfig(slim, section: section)
    else { return self }
    return config
  }

  private static let smallSize = 1 << 16

  /// An object on the way to the settings, with its long members left out; other values as they are.
  private func slimText(of node: JSONNode, at pointer: String) -> JSONText? {
    let isOnTheWay = pointer.isEmpty || section.hasPrefix("\(pointer)/") || section == pointer
    guard isOnTheWay, case .object(let members) = node.value else {
      return .raw(String(decoding: document.bytes[node.range], as: UTF8.self))
    }
    let kept = [ConfigKey.ropeScaling, ConfigKey.ropeParameters, "layer_types"]
    return .object(
      members.compactMap { member in
        let inner = "\(pointer)/\(member.key)"
        let isLong = member.node.range.count > 1 << 12
        guard !isLong || kept.contains(member.key) || section.hasPrefix(inner) else { return nil }
        return slimText(of: member.node, at: inner).map { (member.key, $0) }
      })
  }
}
