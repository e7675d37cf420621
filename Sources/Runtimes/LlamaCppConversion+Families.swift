import ModelConfig

extension LlamaCppConversion {
  /// What the converter class of an architecture does beside the common keys.
  struct Family {
    let architecture: String
    var width: RotaryWidth = .unwritten
    var steps: Steps = []
  }

  /// What is written as the rotary dimension.
  enum RotaryWidth {
    case unwritten
    /// `head_dim`, else hidden size over heads.
    case head
    /// Hidden size over heads, whatever `head_dim` says.
    case quotient
    /// A share of `head`; without a default the share has to be there.
    case partialHead(Double?)
    /// A share of `quotient`.
    case partialQuotient(Double?)
    /// A share of the hidden size, over heads.
    case partialHidden(Double?)
    /// Half of `attention_dim`, else of `quotient`, unless a share is stated.
    case chatGLM
    /// The member `rotary_dim`.
    case stated
    /// The part of latent attention that rotates.
    case latent
  }

  struct Steps: OptionSet {
    let rawValue: Int
    /// The class writes parameters of its own: neither scaling nor base.
    static let bare = Steps(rawValue: 1)
    /// The divisors of kind llama3 become a tensor; other classes drop that kind.
    static let llama3 = Steps(rawValue: 2)
    /// The lists of LongRoPE become tensors.
    static let longrope = Steps(rawValue: 4)
    /// The scaling type is set to none.
    static let unscaled = Steps(rawValue: 8)
  }

  private static let families: [(Family, classes: [String])] = [
    (
      Family(architecture: "llama", width: .head, steps: .llama3),
      [
        "LlamaForCausalLM", "LLaMAForCausalLM", "MistralForCausalLM", "MixtralForCausalLM", "VLlama3ForCausalLM",
        "LlavaForConditionalGeneration", "VoxtralForConditionalGeneration", "IQuestCoderForCausalLM", "LlamaModel",
        "JanusForConditionalGeneration", "Sarashina2VisionForCausalLM",
      ]
    ),
    (Family(architecture: "llama", width: .head), ["InternLM3ForCausalLM"]),
    (
      Family(architecture: "llama4", width: .head, steps: .llama3),
      ["Llama4ForConditionalGeneration", "Llama4ForCausalLM"]
    ),
    (Family(architecture: "llama-embed", width: .head, steps: .llama3), ["LlamaBidirectionalModel"]),
    (
      Family(architecture: "mistral3", width: .head, steps: .llama3),
      ["Mistral3ForConditionalGeneration", "Ministral3ForCausalLM"]
    ),
    (Family(architecture: "arcee", width: .head, steps: .llama3), ["ArceeForCausalLM"]),
    (Family(architecture: "smollm3", width: .head, steps: .llama3), ["SmolLM3ForCausalLM"]),
    (Family(architecture: "apertus", width: .head, steps: .llama3), ["ApertusForCausalLM"]),
    (Family(architecture: "nanbeige", width: .head, steps: .llama3), ["NanbeigeForCausalLM"]),
    (Family(architecture: "afmoe", width: .head, steps: .llama3), ["AfmoeForCausalLM"]),
    (Family(architecture: "deci", width: .head, steps: .llama3), ["DeciLMForCausalLM"]),
    (Family(architecture: "granite", width: .quotient, steps: .llama3), ["GraniteForCausalLM"]),
    (
      Family(architecture: "granitemoe", width: .quotient, steps: .llama3),
      ["GraniteMoeForCausalLM", "GraniteMoeSharedForCausalLM"]
    ),
    (
      Family(architecture: "qwen2"),
      [
        "Qwen2ForCausalLM", "Qwen2Model", "Qwen2AudioForConditionalGeneration", "KORMoForCausalLM",
        "AudioFlamingo3ForConditionalGeneration", "DotsOCRForCausalLM",
      ]
    ),
    (Family(architecture: "qwen2moe"), ["Qwen2MoeForCausalLM"]),
    (
      Family(architecture: "qwen2vl"),
      [
        "Qwen2VLForConditionalGeneration", "Qwen2VLModel", "Qwen2_5_VLForConditionalGeneration", "Qwen2_5OmniModel",
      ]
    ),
    (Family(architecture: "qwen3"), ["Qwen3ForCausalLM", "Qwen3Model", "StepVLForConditionalGeneration"]),
    (Family(architecture: "qwen3moe"), ["Qwen3MoeForCausalLM"]),
    (Family(architecture: "qwen3vl"), ["Qwen3VLForConditionalGeneration", "Qwen3ASRForConditionalGeneration"]),
    (
      Family(architecture: "qwen3vlmoe"),
      ["Qwen3VLMoeForConditionalGeneration", "Qwen3OmniMoeForConditionalGeneration"]
    ),
    (Family(architecture: "qwen3next", width: .partialHead(0.25)), ["Qwen3NextForCausalLM"]),
    (
      Family(architecture: "qwen35", width: .partialHead(0.25)),
      ["Qwen3_5ForConditionalGeneration", "Qwen3_5ForCausalLM"]
    ),
    (
      Family(architecture: "qwen35moe", width: .partialHead(0.25)),
      ["Qwen3_5MoeForConditionalGeneration", "Qwen3_5MoeForCausalLM"]
    ),
    (Family(architecture: "gpt-oss"), ["GptOssForCausalLM"]),
    (Family(architecture: "gemma", steps: .bare), ["GemmaForCausalLM"]),
    (Family(architecture: "gemma2", steps: .bare), ["Gemma2ForCausalLM"]),
    (Family(architecture: "gemma3"), ["Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"]),
    (Family(architecture: "gemma-embedding"), ["Gemma3TextModel"]),
    (Family(architecture: "gemma3n"), ["Gemma3nForCausalLM", "Gemma3nForConditionalGeneration"]),
    (
      Family(architecture: "gemma4"),
      ["Gemma4ForConditionalGeneration", "Gemma4ForCausalLM", "Gemma4UnifiedForConditionalGeneration"]
    ),
    (Family(architecture: "deepseek", width: .head, steps: .unscaled), ["DeepseekForCausalLM"]),
    (
      Family(architecture: "deepseek2", width: .latent),
      [
        "DeepseekV2ForCausalLM", "DeepseekV3ForCausalLM", "KimiVLForConditionalGeneration", "Glm4MoeLiteForCausalLM",
        "KimiK25ForConditionalGeneration", "YoutuForCausalLM", "YoutuVLForConditionalGeneration",
      ]
    ),
    (Family(architecture: "deepseek32", width: .latent), ["DeepseekV32ForCausalLM"]),
    (Family(architecture: "glm-dsa", width: .latent), ["GlmMoeDsaForCausalLM"]),
    (Family(architecture: "phi2", width: .partialHidden(nil), steps: .bare), ["PhiForCausalLM"]),
    (
      Family(architecture: "phi3", width: .partialHidden(1), steps: [.bare, .longrope]),
      ["Phi3ForCausalLM", "Phi4ForCausalLMV"]
    ),
    (Family(architecture: "phimoe", width: .partialHidden(1), steps: [.bare, .longrope]), ["PhiMoEForCausalLM"]),
    (Family(architecture: "minicpm", steps: .longrope), ["MiniCPMForCausalLM"]),
    (
      Family(architecture: "glm4", width: .partialHead(0.5)),
      ["Glm4ForCausalLM", "Glm4vForConditionalGeneration", "GlmOcrForConditionalGeneration"]
    ),
    (
      Family(architecture: "glm4moe", width: .partialHead(0.5)),
      ["Glm4MoeForCausalLM", "Glm4vMoeForConditionalGeneration", "SolarOpenForCausalLM"]
    ),
    (Family(architecture: "command-r", steps: .unscaled), ["CohereForCausalLM"]),
    (Family(architecture: "cohere2", width: .partialQuotient(nil), steps: .unscaled), ["Cohere2ForCausalLM"]),
    (Family(architecture: "exaone", width: .partialQuotient(nil), steps: .llama3), ["ExaoneForCausalLM"]),
    (Family(architecture: "exaone4", steps: .llama3), ["Exaone4ForCausalLM", "Exaone4_5_ForConditionalGeneration"]),
    (
      Family(architecture: "exaone-moe", steps: [.llama3, .unscaled]), ["ExaoneMoEForCausalLM", "ExaoneMoeForCausalLM"]
    ),
    (Family(architecture: "hunyuan-dense"), ["HunYuanDenseV1ForCausalLM"]),
    (Family(architecture: "hunyuan-moe"), ["HunYuanMoEV1ForCausalLM"]),
    (Family(architecture: "nemotron", width: .partialHidden(nil)), ["NemotronForCausalLM"]),
    (Family(architecture: "gptneox", width: .partialQuotient(nil), steps: .bare), ["GPTNeoXForCausalLM"]),
    (
      Family(architecture: "stablelm", width: .partialQuotient(nil), steps: .bare),
      [
        "StableLmForCausalLM", "StableLMEpochForCausalLM", "LlavaStableLMEpochForCausalLM",
      ]
    ),
    (Family(architecture: "internlm2"), ["InternLM2ForCausalLM"]),
    (Family(architecture: "bailingmoe", width: .head), ["BailingMoeForCausalLM"]),
    (Family(architecture: "bailingmoe2", width: .partialHead(0.5)), ["BailingMoeV2ForCausalLM"]),
    (Family(architecture: "minimax-m2", width: .stated), ["MiniMaxM2ForCausalLM"]),
    (Family(architecture: "mimo2", width: .partialHead(nil)), ["MiMoV2FlashForCausalLM", "MiMoV2ForCausalLM"]),
    (Family(architecture: "baichuan", width: .quotient), ["BaichuanForCausalLM", "BaiChuanForCausalLM"]),
    (Family(architecture: "xverse", width: .quotient), ["XverseForCausalLM"]),
    (Family(architecture: "arctic", width: .quotient), ["ArcticForCausalLM"]),
    (
      Family(architecture: "chatglm", width: .chatGLM, steps: .bare),
      ["ChatGLMModel", "ChatGLMForConditionalGeneration", "GlmForCausalLM"]
    ),
    (Family(architecture: "falcon", steps: .bare), ["FalconForCausalLM", "RWForCausalLM"]),
    (Family(architecture: "laguna"), ["LagunaForCausalLM"]),
    (Family(architecture: "cohere2moe", width: .head, steps: .unscaled), ["Cohere2MoeForCausalLM"]),
    (Family(architecture: "dream"), ["DreamModel"]),
    (Family(architecture: "rnd1"), ["RND1"]),
    (Family(architecture: "olmo"), ["OlmoForCausalLM", "OLMoForCausalLM"]),
    (Family(architecture: "olmo2"), ["Olmo2ForCausalLM", "Olmo3ForCausalLM"]),
    (Family(architecture: "olmoe"), ["OlmoeForCausalLM"]),
    (Family(architecture: "seed_oss"), ["SeedOssForCausalLM"]),
    (Family(architecture: "starcoder2"), ["Starcoder2ForCausalLM"]),
    (Family(architecture: "ernie4_5"), ["Ernie4_5_ForCausalLM", "Ernie4_5ForCausalLM"]),
    (Family(architecture: "ernie4_5-moe"), ["Ernie4_5_MoeForCausalLM"]),
    (Family(architecture: "paddleocr"), ["PaddleOCRVLForConditionalGeneration"]),
    (Family(architecture: "dots1"), ["Dots1ForCausalLM"]),
    (Family(architecture: "lfm2"), ["Lfm2ForCausalLM", "LFM2ForCausalLM"]),
    (Family(architecture: "lfm2moe"), ["Lfm2MoeForCausalLM"]),
    (Family(architecture: "smallthinker"), ["SmallThinkerForCausalLM"]),
    (Family(architecture: "grovemoe"), ["GroveMoeForCausalLM"]),
    (Family(architecture: "mellum"), ["MellumForCausalLM"]),
  ]

  /// Families whose config class is not part of transformers: the converter falls back to the JSON text.
  static func needsRemoteCode(_ modelType: String?) -> Bool {
    guard let modelType else { return true }
    return [
      "baichuan", "bailing_moe", "deepseek", "exaone", "grok-1", "internlm2", "internlm3", "kimi_k2", "kimi_k25",
      "kimi_vl", "minicpm", "minicpm3", "orion", "qwen", "smallthinker", "xverse",
    ].contains(modelType)
  }

  /// Rotary models that the converter knows and whose rules are not given here.
  private static let notModelled: Set = [
    "BailingMoeV3ForCausalLM", "BailingMoeV3VLForConditionalGeneration", "BambaForCausalLM", "BitNetForCausalLM",
    "BitnetForCausalLM", "ChameleonForCausalLM", "ChameleonForConditionalGeneration", "CodeShellForCausalLM",
    "CogVLMForCausalLM", "DbrxForCausalLM", "DeepseekOCRForCausalLM", "DeepseekV4ForCausalLM", "Dots3NoteForCausalLM",
    "Dots3NoteForConditionalGeneration", "EuroBertModel", "FalconH1ForCausalLM", "Glm5NextForConditionalGeneration",
    "GraniteMoeHybridForCausalLM", "GraniteMoeSWAForCausalLM", "GraniteSWAForCausalLM", "GraniteSwitchForCausalLM",
    "Grok1ForCausalLM", "GrokForCausalLM", "HYV3ForCausalLM", "HYV4ForCausalLM", "HrmTextForCausalLM",
    "HunYuanVLForConditionalGeneration", "Jais2ForCausalLM", "KimiK3ForConditionalGeneration",
    "KimiLinearForCausalLM", "LLaDAMoEModelLM", "LLaDAModelLM", "MaincoderForCausalLM", "MapleForCausalLM",
    "MiniCPM3ForCausalLM", "MiniCPMV4_6ForConditionalGeneration", "MiniMaxM1ForCausalLM",
    "MiniMaxM3SparseForCausalLM", "MiniMaxText01ForCausalLM", "ModernBertForMaskedLM", "ModernBertModel",
    "MuseGlimmerForConditionalGeneration", "NemotronHForCausalLM", "NemotronHPuzzleForCausalLM", "NeoBERT",
    "NomicBertModel", "OpenELMForCausalLM", "OrionForCausalLM", "PLMForCausalLM", "PLaMo2ForCausalLM",
    "PLaMo3ForCausalLM", "PanguEmbeddedForCausalLM", "Plamo2ForCausalLM", "Plamo3ForCausalLM", "PlamoForCausalLM",
    "QWenLMHeadModel", "Qwen3TTSForConditionalGeneration", "Qwen4ExpForCausalLM",
    "Qwen4ExpForConditionalGeneration", "SarvamMoEForCausalLM", "Spark2_5ForCausalLM", "Step3p5ForCausalLM",
    "Step3p7ForConditionalGeneration", "TalkieForCausalLM", "UltravoxModel", "UnlimitedOCRForCausalLM",
  ]

  /// - Throws: `ValueError` without a class name, `NotImplementedError` for classes the converter does not register, and
  ///   `not modelled` where we do not know what it would write.
  static func family(of config: HuggingFaceConfig) throws(RuntimeRefusal) -> Family {
    let inner = config.document["\(config.section)/architectures"]?.value.elements?.first?.value.string
    guard let name = inner ?? config.architecture else {
      throw RuntimeRefusal(
        "ValueError", missing: "architectures", "the converter goes by architectures, which is missing")
    }
    guard var family = families.first(where: { $0.classes.contains(name) })?.0 else {
      throw notModelled.contains(name)
        ? RuntimeRefusal("not modelled", "which keys the converter writes for \(name) is not known here")
        : RuntimeRefusal("NotImplementedError", "architecture \(name) is not supported by the converter")
    }
    if family.architecture == "mistral3", config.modelType == "mistral4" {
      family = Family(architecture: "mistral4", width: .latent)
    }
    return family
  }
}

extension HuggingFaceConfig {
  /// The architecture that llama.cpp's converter names in a GGUF of this model, `nil` where that is not known here.
  package var convertedArchitecture: String? { (try? LlamaCppConversion.family(of: self))?.architecture }
}
