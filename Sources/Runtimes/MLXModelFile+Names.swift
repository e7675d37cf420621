extension MLXModelFile {
  /// Files for a model type without one of its own, `MODEL_REMAPPING` of `utils.py`.
  static let aliases = [
    "mistral": "llama", "llava": "mistral3", "phi-msft": "phixtral", "falcon_mamba": "mamba",
    "joyai_llm_flash": "deepseek_v3", "kimi_k2": "deepseek_v3", "qwen2_5_vl": "qwen2_vl", "minimax_m2": "minimax",
    "iquestcoder": "llama", "xverse": "llama", "gemma4_unified": "gemma4", "deepseek_v41_text": "deepseek_v41",
  ]

  /// Files that hand `text_config` to another one, by the name of that one (which may depend on its model type).
  static let wrappers: [String: @Sendable (_ textType: String?) -> String] = [
    "gemma3": { _ in "gemma3_text" }, "gemma4": { _ in "gemma4_text" }, "llama4": { _ in "llama4" },
    "qwen2_vl": { _ in "qwen2" }, "qwen3_vl": { _ in "qwen3" }, "qwen3_vl_moe": { _ in "qwen3_moe" },
    "qwen3_5": { _ in "qwen3_5" }, "qwen3_5_moe": { _ in "qwen3_5" }, "pixtral": { _ in "llama" },
    "kimi_k25": { _ in "deepseek_v3" }, "kimi_vl": { _ in "deepseek_v3" }, "lfm2-vl": { _ in "lfm2" },
    "mistral3": { $0 == "ministral3" || $0 == "mistral4" ? $0 ?? "llama" : "llama" },
  ]

  /// Those that read the whole file when it has no `text_config`.
  static let wrappersWithoutText: Set = ["qwen2_vl", "qwen3_vl", "qwen3_5", "qwen3_5_moe"]

  /// Model files that are not described here: no rotation, or rotary code of their own.
  static let others: Set = [
    "afm7", "baichuan_m1", "bailing_hybrid", "dbrx", "deepseek_v41", "gpt2", "gpt_bigcode", "gptj", "jamba", "kimi_k3",
    "kimi_linear", "lille-130m", "mamba", "mamba2", "minicpm3", "minimax_m3_vl", "muse_spark", "nanochat", "nemotron_h",
    "olmo", "openelm", "phi3small", "phixtral", "plamo", "plamo2", "prism_hadamard_qwen35", "qwen", "recurrent_gemma",
    "rwkv7", "step3p5", "talkie",
  ]

  /// The usual call of `initialize_rope`, with a partial factor as the files that have one apply it.
  static let generic = MLXModelFile(base: 10_000, share: .factor(default: 1), placesShare: true)

  static func named(_ name: String) -> MLXModelFile? { described[name] }

  /// The classes inside wrapping files that have no file of their own.
  static let inner: [String: MLXModelFile] = [
    "llama4": MLXModelFile(),
    "qwen3_5": MLXModelFile(
      base: 100_000, share: .factor(default: 0.25), source: .newOverLegacy(base: 100_000), window: 131_072),
  ]

  private static func layer(_ kind: String, base: Double, share: Double) -> PythonValue {
    .dictionary(
      PythonDictionary([
        ("partial_rotary_factor", .float(share)), ("rope_theta", .float(base)), ("rope_type", .string(kind)),
      ]))
  }

  private static let described: [String: MLXModelFile] = scaled.merging(unscaled) { first, _ in first }

  /// Files that hand their dictionary to `initialize_rope` or check it themselves.
  private static let scaled: [String: MLXModelFile] = [
    "afmoe": MLXModelFile(head: .declared(64), base: 10_000, window: 131_072),
    "apertus": MLXModelFile(head: .quotient),
    "bailing_moe": MLXModelFile(head: .quotient, share: .width(orFactor: 1)),
    "bailing_moe_linear": MLXModelFile(share: .factor(default: 1)),
    "bailing_moe_v3": MLXModelFile(head: .latent(64), base: 6_000_000, window: 131_072, softmax: .unlessDefault),
    "bitnet": MLXModelFile(base: 10_000),
    "deepseek": MLXModelFile(head: .quotient, base: 10_000, module: .linearOnly),
    "deepseek_v2": MLXModelFile(head: .latent(64), base: 10_000, module: .deepseekV2, softmax: .always),
    "deepseek_v3": MLXModelFile(head: .latent(64), base: 10_000, window: 2048, softmax: .always),
    "deepseek_v32": MLXModelFile(head: .latent(64), base: 10_000, window: 2048, softmax: .always),
    "dots1": MLXModelFile(),
    "exaone": MLXModelFile(),
    "exaone4": MLXModelFile(head: .declared(nil)),
    "exaone_moe": MLXModelFile(head: .declared(nil), base: 1_000_000, source: .baseFromNew),
    "falcon_h1": MLXModelFile(head: .declared(64), base: 1e11, window: 131_072),
    "gear": MLXModelFile(head: .declared(nil), base: 1_000_000, sliding: ("rope_local_base_freq", 10_000)),
    "gemma3_text": MLXModelFile(
      head: .declared(256), base: 1_000_000, window: 32_768, sliding: ("rope_local_base_freq", 10_000)),
    "gemma4_text": MLXModelFile(
      head: .declared(256),
      source: .perLayer(
        PerLayer(
          defaults: PythonDictionary([
            ("full_attention", layer("proportional", base: 1_000_000, share: 0.25)),
            ("sliding_attention", layer("default", base: 10_000, share: 1)),
          ]), globalHead: ("global_head_dim", 512))), window: 131_072),
    "glm4_moe_lite": MLXModelFile(head: .latent(64), base: 1_000_000, window: 202_752, softmax: .always),
    "glm_moe_dsa": MLXModelFile(head: .latent(nil), source: .new(requires: ["rope_theta"]), softmax: .always),
    "gpt_oss": MLXModelFile(head: .declared(64), base: 150_000, passesWindow: false),
    "granite": MLXModelFile(head: .quotient),
    "granitemoe": MLXModelFile(head: .quotient),
    "hunyuan": MLXModelFile(head: .quotient, module: .alpha(required: true), demand: Demand(keys: ["factor", "type"])),
    "hunyuan_v1_dense": MLXModelFile(
      base: 10_000, module: .alpha(required: false), demand: Demand(keys: ["alpha", "factor", "type"])),
    "internlm2": MLXModelFile(
      head: .quotient, base: 10_000, window: 32_768,
      demand: Demand(keys: ["factor", "type"], kindKeys: ["type"], kinds: ["linear", "dynamic"])),
    "internlm3": MLXModelFile(
      head: .quotient, base: 10_000, window: 32_768,
      demand: Demand(keys: ["factor", "rope_type"], kindKeys: ["rope_type"], kinds: ["linear", "dynamic"])),
    "iquestloopcoder": MLXModelFile(head: .declared(nil), base: 500_000, window: 131_072),
    "laguna": MLXModelFile(
      head: .declared(128), source: .perLayer(PerLayer(hasShare: true)), window: 262_144),
    "llama": MLXModelFile(base: 10_000),
    "longcat_flash": MLXModelFile(head: .latent(nil), softmax: .always),
    "longcat_flash_ngram": MLXModelFile(head: .latent(nil), softmax: .always),
    "mellum": MLXModelFile(
      head: .declared(nil), source: .perLayer(PerLayer(isRequired: true, ignoresLinear: true))),
    "mimo": MLXModelFile(head: .quotient, base: 10_000, window: 32_768),
    "minicpm": MLXModelFile(head: .quotient, base: 1_000_000),
    "ministral3": MLXModelFile(
      source: .new(requires: ["llama_4_scaling_beta", "original_max_position_embeddings", "rope_theta"])),
    "mistral4": MLXModelFile(
      head: .latent(nil), base: 10_000, source: .newOverLegacy(base: 100_000), softmax: .unlessDefault),
    "nanbeige": MLXModelFile(base: 10_000),
    "nemotron": MLXModelFile(
      base: 10_000, share: .factor(default: 0.5), module: .linearOnly,
      demand: Demand(keys: ["factor"], kindKeys: ["type", "rope_type"], kinds: ["linear"])),
    "nemotron-nas": MLXModelFile(
      head: .quotient, base: 500_000, window: 131_072, demand: Demand(keys: ["factor", "rope_type"])),
    "olmo2": MLXModelFile(base: 10_000),
    "olmo3": MLXModelFile(sliding: ("rope_theta", nil)),
    "olmoe": MLXModelFile(base: 10_000),
    "phi3": MLXModelFile(
      head: .quotient, base: 10_000, share: .factor(default: 1), module: .longrope(requiresType: true),
      window: 131_072, demand: Demand(keys: ["type", "long_factor"])),
    "phimoe": MLXModelFile(head: .quotient, base: 10_000, module: .longrope(requiresType: false), window: 131_072),
    "qwen2": MLXModelFile(head: .quotient, base: 1_000_000, window: 32_768),
    "qwen3": MLXModelFile(head: .declared(nil), source: .legacyThenNew),
    "qwen3_next": MLXModelFile(head: .declared(nil), share: .factor(default: nil)),
    "seed_oss": MLXModelFile(head: .declared(nil), base: 10_000),
    "smollm3": MLXModelFile(base: 10_000),
    "telechat3": MLXModelFile(),
    "youtu_llm": MLXModelFile(head: .latent(64), base: 1_600_000, window: 131_072),
  ]

  /// Files that build a plain module whatever scaling config.json states.
  private static let unscaled: [String: MLXModelFile] = [
    "Klear": MLXModelFile(head: .quotient, module: .plain),
    "cohere": MLXModelFile(head: .quotient, base: 8_000_000, module: .plain),
    "cohere2": MLXModelFile(head: .declared(128), base: 50_000, module: .plain),
    "ernie4_5": MLXModelFile(module: .plain),
    "ernie4_5_moe": MLXModelFile(module: .plain),
    "gemma": MLXModelFile(head: .declared(nil), base: 10_000, module: .plain),
    "gemma2": MLXModelFile(head: .declared(nil), base: 10_000, module: .plain),
    "gemma3n": MLXModelFile(head: .declared(nil), module: .plain, sliding: ("rope_local_base_freq", nil)),
    "glm": MLXModelFile(base: 10_000, module: .plain),
    "glm4": MLXModelFile(head: .declared(nil), share: .factor(default: nil), module: .plain),
    "glm4_moe": MLXModelFile(head: .declared(nil), share: .factor(default: nil), module: .plain),
    "gpt_neox": MLXModelFile(
      head: .quotient, baseKey: "rotary_emb_base", share: .factor("rotary_pct", default: nil), module: .plain),
    "granitemoehybrid": MLXModelFile(head: .quotient, base: 10_000, source: .baseFromNew, module: .plain),
    "helium": MLXModelFile(head: .quotient, module: .plain),
    "lfm2": MLXModelFile(head: .quotient, base: 1_000_000, source: .baseFromNew, module: .plain),
    "lfm2_moe": MLXModelFile(head: .quotient, base: 1_000_000, source: .baseFromNew, module: .plain),
    "llama4_text": MLXModelFile(head: .declared(nil), module: .plain),
    "mimo_v2_flash": MLXModelFile(
      head: .declared(nil), share: .factor(default: nil), module: .plain, sliding: ("swa_rope_theta", nil)),
    "minimax": MLXModelFile(share: .width(orFactor: nil), module: .plain),
    "mixtral": MLXModelFile(head: .quotient, base: 1_000_000, module: .plain),
    "muse_glimmer": MLXModelFile(head: .declared(128), base: 500_000, source: .baseFromNew, module: .plain),
    "olmo_hybrid": MLXModelFile(base: 10_000, source: .baseFromNew, module: .plain),
    "phi": MLXModelFile(head: .quotient, base: 10_000, share: .factor(default: 0.4), module: .plain),
    "plamo3": MLXModelFile(
      head: .declared(128), base: 1_000_000, module: .plain, sliding: ("rope_local_theta", 10_000)),
    "qwen2_moe": MLXModelFile(
      head: .quotient, base: 1_000_000, module: .plain, demand: Demand(keys: ["factor", "type"])),
    "qwen3_moe": MLXModelFile(head: .declared(nil), module: .plain),
    "solar_open": MLXModelFile(head: .declared(nil), share: .factor(default: nil), module: .plain),
    "spark2_5": MLXModelFile(
      head: .declared(nil), source: .perLayer(PerLayer(isRequired: true, hasShare: true)), module: .plain),
    "stablelm": MLXModelFile(head: .quotient, share: .factor(default: nil), module: .plain),
    "starcoder2": MLXModelFile(head: .quotient, base: 100_000, module: .plain),
  ]
}
