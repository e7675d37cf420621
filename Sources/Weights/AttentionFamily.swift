import Attention
import ModelConfig

/// What a family's code does to form queries and keys that its files do not say.
///
/// Only families whose code was read are listed; others are refused, since a wrong norm or a missed multiplier gives
/// numbers that look right.
struct AttentionFamily {
  enum Norm { case rootMeanSquare, meanAndVariance }

  var norm = Norm.rootMeanSquare
  /// Whether 1 is added to stored norm weights.
  var normAddsOne = false
  /// Whether there is a norm before the projections.
  var hasInputNorm = true
  /// Whether embeddings are multiplied by √width.
  var scalesEmbedding = false
  var pairing = RotaryPairing.halves
  /// Epsilon of the norms within latent attention, where it is not the layer's.
  var latentEpsilon: Double?
  /// Whether the first layer attends within a sliding window when the file does not say which do.
  var firstLayerSlides = false

  private static let plain = AttentionFamily()
  private static let layerNorm = AttentionFamily(norm: .meanAndVariance)
  private static let gemma = AttentionFamily(normAddsOne: true, scalesEmbedding: true)

  /// By `model_type`.
  ///
  /// - Source: `modeling_*.py` of transformers 5.23.
  static let huggingFace: [String: AttentionFamily] = {
    var gemmaSliding = gemma
    gemmaSliding.firstLayerSlides = true
    let latent = AttentionFamily(pairing: .adjacent, latentEpsilon: 1e-6)
    var families = [
      "gemma": gemma, "gemma2": gemmaSliding, "gemma3": gemmaSliding, "gemma3_text": gemmaSliding,
      "olmo2": AttentionFamily(hasInputNorm: false),
      "olmo3": AttentionFamily(hasInputNorm: false, firstLayerSlides: true),
      "cohere": AttentionFamily(norm: .meanAndVariance, pairing: .adjacent),
      "cohere2": AttentionFamily(norm: .meanAndVariance, pairing: .adjacent, firstLayerSlides: true),
      "gpt_oss": AttentionFamily(firstLayerSlides: true),
      "deepseek_v2": latent, "deepseek_v3": latent, "kimi_k2": latent,
    ]
    for name in [
      "arcee", "granite", "granitemoe", "llama", "mistral", "mixtral", "phi3", "qwen2", "qwen2_moe", "qwen3",
      "qwen3_moe", "seed_oss", "smollm3",
    ] { families[name] = plain }
    for name in ["gpt_neox", "phi", "stablelm", "starcoder2"] { families[name] = layerNorm }
    return families
  }()

  /// By `general.architecture`. Converters add the 1 to the norms of Gemma themselves.
  ///
  /// - Source: `src/models/*.cpp` of llama.cpp, and its converter.
  static let gguf: [String: AttentionFamily] = {
    let gemma = AttentionFamily(scalesEmbedding: true)
    let gemmaSliding = AttentionFamily(scalesEmbedding: true, firstLayerSlides: true)
    var families = [
      "gemma": gemma, "gemma2": gemmaSliding, "gemma3": gemmaSliding, "olmo2": AttentionFamily(hasInputNorm: false),
      "cohere2": AttentionFamily(norm: .meanAndVariance, firstLayerSlides: true),
      "gpt-oss": AttentionFamily(firstLayerSlides: true),
    ]
    for name in [
      "arcee", "deepseek2", "granite", "granitemoe", "llama", "phi3", "qwen2", "qwen2moe", "qwen3", "qwen3moe",
      "seed_oss", "smollm3",
    ] { families[name] = plain }
    for name in ["command-r", "gptneox", "phi2", "stablelm", "starcoder2"] { families[name] = layerNorm }
    for (name, family) in families {
      families[name]?.pairing = LlamaCppArchitecture(name).rotatesAdjacentPairs ? .adjacent : family.pairing
    }
    return families
  }()
}
