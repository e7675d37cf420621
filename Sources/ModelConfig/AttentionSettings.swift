import Diagnostics
import GGUF
import LosslessJSON

/// What a file states about how the first layer forms queries and keys and weighs their scores, beside rotation.
///
/// A member that the file does not state is `nil`.
package struct AttentionSettings: Sendable {
  /// `model_type` of a config.json, `general.architecture` of a GGUF.
  package var family: Declared<String>
  package var headCount: Declared<Int>
  /// Lanes of a head; with latent attention those that rotate and those that do not.
  package var headDimension: Declared<Int>?
  /// Rotating lanes of a head with latent attention.
  package var latentRotaryDimension: Declared<Int>?
  /// Whether lanes 2i and 2i+1 rotate together, where the file chooses.
  package var rotatesAdjacentPairs: Bool?
  /// Added to the mean square, or the variance, of a norm.
  package var normEpsilon: Declared<Double>?
  package var embeddingMultiplier: Declared<Double>?
  /// Multiplies the scores; 1/√(head dimension) where it is not stated.
  package var softmaxScale: Declared<Double>?
  /// Scores `s` become `cap * tanh(s / cap)`.
  package var scoreCap: Declared<Double>?
  /// Queries and keys are cut to this magnitude.
  package var clamp: Declared<Double>?
  /// Whether the first layer attends within a sliding window, where the file says so layer by layer.
  package var firstLayerSlides: Bool?
}

extension HuggingFaceConfig {
  /// - Throws: `bad-length` or `bad-number` for an unusable member, and for a missing family or head count.
  package func attentionSettings() throws(FileError) -> AttentionSettings {
    var reader = SettingReader(self)
    func length(_ key: String) -> Declared<Int>? { node(key).flatMap { reader.length($0.pointer) } }
    func positive(_ keys: String...) -> Declared<Double>? {
      keys.lazy.compactMap { self.node($0)?.pointer }.first.flatMap { reader.positive($0) }
    }
    let heads = length("num_attention_heads")
    if let problem = reader.problems.first { throw problem }
    guard let heads else { throw missing("num_attention_heads", expected: "the number of query heads") }
    guard let modelType else { throw missing("model_type", expected: "the name of the model's family") }
    var settings = AttentionSettings(family: Declared(modelType, at: place("\(section)/model_type")), headCount: heads)
    settings.headDimension = length("head_dim")
    settings.latentRotaryDimension = length("qk_rope_head_dim")
    if let rotating = settings.latentRotaryDimension, let others = length("qk_nope_head_dim") {
      // Each is at most 2^53.
      settings.headDimension = others.map { $0 + rotating.value }
    }
    settings.rotatesAdjacentPairs = node("rope_interleave")?.node.value.bool
    settings.normEpsilon = positive("rms_norm_eps", "layer_norm_eps", "norm_epsilon", "layer_norm_epsilon")
    settings.embeddingMultiplier = positive("embedding_multiplier")
    settings.softmaxScale =
      positive("attention_multiplier") ?? positive("query_pre_attn_scalar")?.map { 1 / $0.squareRoot() }
    settings.scoreCap = positive("attn_logit_softcapping")
    settings.clamp = positive("clip_qkv")
    settings.firstLayerSlides = node("layer_types")?.node.value.elements?.first?.value.string
      .map { $0 == "sliding_attention" }
    if let problem = reader.problems.first { throw problem }
    return settings
  }

  private func missing(_ key: String, expected: String) -> FileError {
    FileError(
      .badNumber, at: place("\(section)/\(key)"), found: "the member is missing", expected: expected,
      remedy: "take it from the model's original config.json")
  }
}

extension GGUFKeys {
  fileprivate var epsilons: [String] {
    ["layer_norm_rms_epsilon", "layer_norm_epsilon"].map { "\(architecture).attention.\($0)" }
  }
  fileprivate var embeddingScale: String { "\(architecture).embedding_scale" }
  fileprivate var attentionScale: String { "\(architecture).attention.scale" }
  fileprivate var clamp: String { "\(architecture).attention.clamp_kqv" }
  fileprivate var scoreCap: String { "\(architecture).attn_logit_softcapping" }

  /// Depth of the models whose score multiplier comes from the width over the number of heads, not from the head's own
  /// size: llama.cpp tells them by it.
  ///
  /// - Source: llama.cpp `src/models/gemma2.cpp` and `gemma3.cpp`, `LLM_TYPE_27B`.
  fileprivate var widthScaledDepth: Int? { ["gemma2": 46, "gemma3": 62][architecture.name] }
}

extension GGUFFile {
  /// - Throws: `bad-length` or `bad-number` for an unusable key and for a missing head count, `gguf-no-architecture`.
  package func attentionSettings() throws(FileError) -> AttentionSettings {
    guard let architecture else {
      throw unusable("general.architecture", .noArchitecture, expected: "the name of the model's architecture")
    }
    let keys = GGUFKeys(architecture)
    let family = Declared(architecture, at: place("general.architecture"))
    guard let heads = try given(keys.headCount) else {
      throw unusable(keys.headCount, .badLength, expected: "the number of query heads")
    }
    var settings = AttentionSettings(family: family, headCount: heads)
    let compressed = try given(keys.headDimension)
    settings.headDimension = try given(keys.latentHeadDimension) ?? compressed
    if keys.architecture.scalesLatentSoftmax { settings.latentRotaryDimension = try given(keys.rotaryDimension) }
    for key in keys.epsilons where settings.normEpsilon == nil { settings.normEpsilon = try positive(key) }
    settings.embeddingMultiplier = try positive(keys.embeddingScale)
    settings.softmaxScale = try positive(keys.attentionScale)
    if let depth = keys.widthScaledDepth, self[keys.blockCount]?.integerValue == depth,
      let width = try given(keys.embeddingLength)
    {
      settings.softmaxScale = width.map { 1 / Double(max($0 / heads.value, 1)).squareRoot() }
    }
    settings.scoreCap = try positive(keys.scoreCap)
    settings.clamp = try positive(keys.clamp)
    return settings
  }

  private func given(_ key: String) throws(FileError) -> Declared<Int>? { try length(key, zeroIsAbsent: true) }
  private func positive(_ key: String) throws(FileError) -> Declared<Double>? { try number(key, zeroIsAbsent: true) }
}
