/// The two lines of transformers that are read.
enum TransformersLine { case v4, v5 }

/// What the config and rotary classes of transformers do per model family, where that changes a table.
///
/// - Source: `configuration_*.py` and `modeling_*.py` of transformers 4.57.3 and 5.23.0.
enum TransformersFamilies {
  /// Base that the config class supplies where a file states none.
  static func defaultBase(_ modelType: String?, in line: TransformersLine = .v5) -> Double {
    let family = modelType ?? ""
    if line == .v4, let base = basesOfVersion4[family] { return base }
    return bases.first { $0.families.contains(family) }?.base ?? 10_000
  }

  /// `max_position_embeddings` that the config class supplies; `nil` for a family that is not listed here.
  static func defaultWindow(_ modelType: String?) -> Double? {
    windows.first { $0.families.contains(modelType ?? "") }?.window
  }

  /// `head_dim` that the config class supplies instead of dividing the hidden size by the heads.
  static func defaultHeadDimension(_ modelType: String?) -> Double? {
    heads.first { $0.families.contains(modelType ?? "") }?.dimension
  }

  /// Width of a head where a file leaves hidden size and heads to the config class, as Fuyu's text section does.
  static func headOfDefaultWidths(_ modelType: String?) -> Double? { modelType == "persimmon" ? 64 : nil }

  /// Share of the head that rotates where a file states none.
  static func defaultPartialFactor(_ modelType: String?) -> Double? {
    partialFactors.first { $0.families.contains(modelType ?? "") }?.share
  }

  /// Name of the base and of the rotating share at the top of a file, where the family does not use the usual ones.
  static func topLevelKeys(_ modelType: String?) -> (base: String, partialFactor: String) {
    ["gpt_neox", "gpt_neox_japanese"].contains(modelType ?? "")
      ? ("rotary_emb_base", "rotary_pct") : ("rope_theta", "partial_rotary_factor")
  }

  /// Config classes with a field for the original length, and its default.
  static func declaredOriginalLength(_ modelType: String?) -> Double? {
    ["phi3", "phi4_multimodal"].contains(modelType ?? "") ? 4096 : nil
  }

  /// Labels of a nested layout where the file has no `layer_types`: none for classes without that field, whose
  /// dictionary is flat whatever it holds.
  static func layerLabels(_ modelType: String?) -> [String] {
    withoutLayerTypes.contains(modelType ?? "")
      ? [] : ["full_attention", "sliding_attention", "chunked_attention", "linear_attention"]
  }

  /// Families of two tables whose old files state the scaling of the full-attention layers alone: where the base of the
  /// sliding-window layers stands, and the defaults of both.
  static func slidingBase(_ modelType: String?) -> (key: String?, full: Double, sliding: Double)? {
    switch modelType {
    case "gemma3", "gemma3_text", "gemma3n", "gemma3n_text": ("rope_local_base_freq", 1_000_000, 10_000)
    case "olmo3": (nil, 500_000, 500_000)
    default: nil
    }
  }

  /// Whether the rotary class of the family honours a partial rotary factor for the unscaled kind. In transformers 5
  /// Llama-like classes compute that kind over the whole head.
  static func defaultKindRotatesPartially(_ modelType: String?) -> Bool {
    guard let modelType else { return false }
    return partlyRotating.contains { modelType == $0 || modelType == $0 + "_text" }
  }

  /// Whether the attention class multiplies its softmax scale by the square of `m(factor, mscale_all_dim)`.
  static func scalesSoftmax(_ modelType: String?, in line: TransformersLine) -> Bool {
    let ofBoth: Set = ["deepseek_v3", "longcat_flash"]
    let ofVersion5: Set = [
      "deepseek_v2", "deepseek_v32", "glm4_moe_lite", "glm_moe_dsa", "minicpm3", "mistral4", "mistral_large4_text",
      "youtu", "axk1", "axk2", "bailing_hybrid", "hy_v4",
    ]
    return ofBoth.contains(modelType ?? "") || (line == .v5 && ofVersion5.contains(modelType ?? ""))
  }

  /// Whether the config class divides the hidden size by the heads where `head_dim` is null.
  static func replacesNullHead(_ modelType: String?, in line: TransformersLine) -> Bool {
    let ofBoth: Set = [
      "arcee", "aria_text", "csm", "deepseek_v2", "diffllama", "ernie4_5", "kyutai_speech_to_text", "llama", "mimi",
      "moshi", "nemotron", "qwen3_vl_moe_text", "seed_oss",
    ]
    let ofOne: Set =
      line == .v4
      ? ["code_llama", "gpt_oss", "llama4_text", "pixtral", "zamba2"]
      : [
        "cohere_asr", "csm_depth_decoder_model", "deepseek_ocr2_text", "esmc", "eurobert", "higgs_audio_v2",
        "hyperclovax", "internlm3", "iquestcoder", "jais2", "minicpm3", "mistral", "moshi_depth", "nomic_bert",
        "paddleocr_vl_text", "unlimited_ocr_text", "voxtral_realtime_text",
      ]
    return ofBoth.contains(modelType ?? "") || ofOne.contains(modelType ?? "")
  }

  /// Whether transformers 5 loads no config of the family in which `head_dim` is null, scaled or not.
  static func requiresHead(_ modelType: String?) -> Bool { requiringHead.contains(modelType ?? "") }

  private static let requiringHead: Set = [
    "axk2", "bailing_hybrid", "cohere2_moe", "cosmos3_edge_text", "cwm", "deepseek_v32", "deepseek_v4",
    "diffusion_gemma_text", "dots3_note", "dots3_note_text", "embedding_gemma2_text", "flint", "gemma", "gemma2",
    "gemma3_text", "gemma3n_text", "gemma4_text", "gemma4_unified_text", "glm4", "glm5_next", "glm5_next_text",
    "glm_moe_dsa", "gpt_oss", "helium", "hrm_text", "hy_v3", "hy_v4", "inkling2_text", "inkling_text", "kolibri1",
    "laguna", "lfm3", "llama4_text", "longcat_flash", "mellum", "mimo_v2_flash", "minimax_m2", "minimax_m3_vl_text",
    "ministral3", "mistral_large4_text", "molmo2_text", "muse_glimmer_assistant", "muse_glimmer_text",
    "muse_spark_text", "nemotron_h", "qwen2_5_omni_talker", "qwen3", "qwen3_5_moe_text", "qwen3_5_text",
    "qwen3_next", "qwen3_omni_moe_talker_code_predictor", "qwen3_vl_text", "qwen4_exp_text", "solar_open",
    "step3p5", "t5gemma2_decoder", "t5gemma2_text", "vaultgemma", "zaya",
  ]

  private static let bases: [(base: Double, families: Set<String>)] = [
    (100_000, ["helium"]),
    (150_000, ["gpt_oss"]),
    (
      500_000,
      [
        "bitnet", "blt", "cohere", "csm", "ernie4_5", "ernie4_5_moe", "ernie4_5_vl_moe_text", "evolla", "flex_olmo",
        "llama4_text", "mllama_text_model", "olmo3", "paddleocr_vl_text", "qwen3_vl_text", "qwen3_vl_moe_text",
      ]
    ),
    (
      1_000_000,
      [
        "cwm", "emu3_text_model", "lfm2", "lfm2_moe", "lfm3", "minimax", "mixtral", "phimoe", "qwen2_5_omni_text",
        "qwen2_5_omni_talker", "qwen2_5_vl_text", "qwen2_vl_text", "qwen3_omni_moe_text", "solar_open",
      ]
    ),
    (2_000_000, ["smollm3"]),
    (5_000_000, ["minimax_m2", "minimax_m3_vl_text"]),
    (10_000_000, ["longcat_flash"]),
    (11_158_840, ["hy_v3"]),
    (12_000_000, ["apertus"]),
  ]

  /// Where transformers 4 has another default.
  private static let basesOfVersion4: [String: Double] = [
    "persimmon": 25_000, "fuyu": 25_000, "falcon_h1": 100_000, "kyutai_speech_to_text": 100_000,
    "qwen3_vl_text": 5_000_000, "qwen3_vl_moe_text": 5_000_000,
  ]

  private static let windows: [(window: Double, families: Set<String>)] = [
    (
      2048,
      [
        "bitnet", "deepseek_v2", "diffllama", "doge", "dots1", "exaone4", "falcon", "gpt_neox", "granite", "granitemoe",
        "granitemoehybrid", "granitemoeshared", "hunyuan_v1_dense", "hunyuan_v1_moe", "llama", "olmo", "olmo2", "olmo3",
        "phi",
      ]
    ),
    (
      4096,
      [
        "arcee", "deepseek_v3", "flex_olmo", "helium", "jetmoe", "nemotron", "olmoe", "phi3", "stablelm", "starcoder2",
        "zamba2",
      ]
    ),
    (8192, ["cohere", "cohere2", "falcon_h1", "gemma", "gemma2", "vaultgemma"]),
    (16_384, ["fuyu", "persimmon"]),
    (
      32_768,
      [
        "gemma3n_text", "glm4v_text", "internlm3", "minicpm3", "qwen2", "qwen2_5_omni_text", "qwen2_5_vl_text",
        "qwen2_moe", "qwen2_vl_text", "qwen3", "qwen3_5_text", "qwen3_5_moe_text", "qwen3_moe", "qwen3_next",
        "qwen3_omni_moe_text", "smollm3",
      ]
    ),
    (65_536, ["apertus"]),
    (128_000, ["lfm2", "qwen3_vl_text", "qwen3_vl_moe_text"]),
    (
      131_072,
      [
        "ernie4_5", "ernie4_5_moe", "gemma3_text", "glm", "glm4", "glm4_moe", "gpt_oss", "llama4_text", "longcat_flash",
        "minimax", "ministral", "mistral", "mixtral", "mllama_text_model", "phi4_multimodal", "phimoe",
      ]
    ),
    (163_840, ["deepseek_v32"]),
    (196_608, ["minimax_m2"]),
    (202_752, ["glm4_moe_lite", "glm_moe_dsa"]),
    (262_144, ["ministral3"]),
    (524_288, ["seed_oss"]),
  ]

  private static let heads: [(dimension: Double, families: Set<String>)] = [
    (64, ["gpt_oss"]),
    (
      128,
      [
        "cwm", "ernie4_5", "glm", "glm4", "helium", "internlm3", "llama4_text", "minimax_m2", "ministral3", "qwen3",
        "qwen3_omni_moe_text", "qwen3_vl_text", "seed_oss", "solar_open",
      ]
    ),
    (
      256,
      [
        "gemma", "gemma2", "gemma3_text", "gemma3n_text", "qwen3_5_text", "qwen3_5_moe_text", "qwen3_next",
        "vaultgemma",
      ]
    ),
  ]

  private static let partialFactors: [(share: Double, families: Set<String>)] = [
    (0.25, ["gpt_neox", "qwen3_5_text", "qwen3_5_moe_text", "qwen3_next", "stablelm"]),
    (0.5, ["fuyu", "glm", "glm4", "glm4_moe", "glm4v_moe_text", "nemotron", "persimmon", "phi", "recurrent_gemma"]),
    (0.9, ["moonshine"]),
    (1, ["phi3", "phi4_multimodal", "gpt_neox_japanese"]),
  ]

  private static let withoutLayerTypes: Set = [
    "apertus", "arcee", "bitnet", "cohere", "deepseek_v2", "deepseek_v3", "diffllama", "doge", "ernie4_5",
    "ernie4_5_moe", "falcon", "flex_olmo", "gemma", "glm", "glm4", "glm4_moe", "gpt_neox", "granite", "granitemoe",
    "granitemoeshared", "helium", "hunyuan_v1_dense", "hunyuan_v1_moe", "internlm3", "jetmoe", "llama",
    "longcat_flash", "minicpm3", "minimax_m2", "mistral4", "mixtral", "mllama_text_model", "nemotron", "olmo", "olmo2",
    "olmoe", "persimmon", "phi", "phi3", "phi4_multimodal", "phimoe", "qwen3_moe", "seed_oss", "solar_open", "stablelm",
    "starcoder2",
  ]

  private static let partlyRotating: Set = [
    "bamba", "deepseek_v4", "glm", "glm4", "glm4_moe", "glm4_moe_lite", "glm4v", "glm4v_moe", "glm_image", "glm_ocr",
    "gpt_neox", "gpt_neox_japanese", "laguna", "mellum", "mimo_v2_flash", "minimax_m2", "minimax_m3_vl", "moonshine",
    "nemotron", "persimmon", "phi", "phi3", "phi4_multimodal", "qwen3_5", "qwen3_5_moe", "qwen3_next",
    "recurrent_gemma", "solar_open", "stablelm", "zaya",
  ]
}
