/// What the code of an architecture makes llama.cpp do with the rotary keys.
///
/// - Source: `load_arch_hparams`, `load_arch_tensors` and the graphs of `src/models/*.cpp`, llama.cpp as vendored by
///   llama-cpp-python 0.3.36.
package struct LlamaCppArchitecture: Sendable, CustomStringConvertible {
  package let name: String
  package var description: String { name }
  package init(_ name: String) { self.name = name }

  /// Whether the beta keys are read; for all other architectures 32 and 1 are fixed.
  package var readsBetas: Bool { ["grok", "mistral3"].contains(name) }

  /// Whether ``GGUFKeys/extrapolationFactor`` and ``GGUFKeys/yarnAttentionFactor`` are read.
  package var readsMix: Bool { name == "grok" }

  /// The beta fast where the key is missing.
  package var defaultBetaFast: Double { name == "grok" ? 8 : 32 }

  /// What the log multiplier is divided by to give mscale_all_dim, or `nil` where it is not read.
  package var logMultiplierUnit: Double? {
    switch name {
    case "deepseek2", "deepseek32", "mistral4": 0.1
    case "mistral3": 1
    default: nil
    }
  }

  /// Whether elements 2i and 2i+1 rotate together (mode 0); otherwise i and i + d/2 do.
  package var rotatesAdjacentPairs: Bool {
    [
      "arcee", "arctic", "bailingmoe", "baichuan", "chameleon", "chatglm", "cohere2", "command-r", "deci", "deepseek",
      "deepseek2", "deepseek32", "ernie4_5", "granite", "granitehybrid", "granitemoe", "internlm2", "llama", "llama4",
      "minicpm", "mistral3", "mistral4", "olmo", "plm", "smollm3", "starcoder", "xverse",
    ].contains(name)
  }

  /// Whether mscale is taken to be mscale_all_dim, not 1.
  package var takesMscaleAllDimTwice: Bool { name == "deepseek2" }

  /// The loader throws when fewer elements rotate than the head has.
  package var refusesPartialRotation: Bool { ["llama", "llama-embed", "deci", "falcon"].contains(name) }

  /// `GGML_ASSERT(n_embd_head == n_rot)` stands in the graph.
  package var assertsWholeRotation: Bool {
    [
      "apertus", "arcee", "arctic", "baichuan", "chameleon", "codeshell", "cogvlm", "cohere2moe", "dbrx", "deci",
      "deepseek", "dots1", "dream", "ernie4_5", "ernie4_5-moe", "exaone", "exaone-moe", "exaone4", "falcon", "granite",
      "granite_swa", "granitemoe", "graniteswitch", "grok", "grovemoe", "hunyuan-dense", "hunyuan-moe", "hunyuan_vl",
      "hy_v3", "internlm2", "jais2", "llada", "llada-moe", "llama", "llama-embed", "llama4", "maincoder", "mellum",
      "minicpm", "mistral3", "olmo", "olmo2", "olmoe", "orion", "paddleocr", "pangu-embedded", "plamo", "pockettts",
      "qwen2", "qwen2moe", "qwen2vl", "qwen3", "qwen3moe", "qwen3vl", "qwen3vlmoe", "rnd1", "seed_oss",
      "smallthinker", "smollm3", "starcoder2", "talkie", "xverse",
    ].contains(name)
  }

  /// Queries and keys rotate in a part of their own, so ``GGUFKeys/headDimension`` says nothing about its width.
  package var rotatesSeparatePart: Bool {
    scalesLatentSoftmax
      || ["minicpm3", "plm", "kimi-linear", "dots3note", "deepseek4", "hy_v4", "bailingmoe3"].contains(name)
  }

  /// The square of YaRN's magnitude enters the softmax scale.
  package var scalesLatentSoftmax: Bool {
    ["deepseek2", "deepseek2-ocr", "deepseek32", "glm-dsa", "mistral4"].contains(name)
  }

  /// Whether the rotary tensors are loaded. A tensor that no code asks for makes the whole load fail.
  package func loads(_ tensor: String, isLongrope: Bool) -> Bool {
    let either: Set = [
      "apertus", "deci", "granite", "granite_swa", "granitemoe", "llama", "llama-embed", "minicpm", "mistral3",
      "pangu-embedded", "refact", "step35",
    ]
    if tensor == GGUFKeys.divisorsTensor {
      let divisors: Set = [
        "arcee", "cogvlm", "dflash", "eagle3", "exaone", "exaone-moe", "exaone4", "falcon-h1", "gemma4",
        "gemma4-assistant", "granitehybrid", "llada", "llama4", "nanbeige",
      ]
      return divisors.contains(name) || either.contains(name) && !isLongrope
    }
    return ["minicpm3", "phi3", "phimoe"].contains(name) || either.contains(name) && isLongrope
  }

  /// These load the rotary tensors and hand none to the operation.
  package var leavesTensorsUnused: Bool { ["cogvlm", "falcon-h1", "llada", "pangu-embedded", "refact"].contains(name) }

  /// How sliding-window layers rotate where they have numbers of their own.
  package struct SlidingLayers {
    /// Base without a key of its own: the file's, else 10000.
    package var inheritsBase = true
    /// The file's frequency scale, whatever the command line says; else 1.
    package var inheritsScale = false
    /// No YaRN and no magnitude either.
    package var isPlain = false
    /// `freq_base_swa` counts.
    package var readsBase = true
  }

  package var slidingLayers: SlidingLayers? {
    switch name {
    case "afmoe", "cohere2", "gemma2", "gpt-oss", "llama4", "maple", "smallthinker", "spark2_5":
      SlidingLayers(inheritsScale: true)
    case "dots3note", "gemma-embedding", "gemma3", "gemma3n", "gemma4", "gemma4-assistant", "mimo2", "modern-bert",
      "plamo3", "step35":
      SlidingLayers(inheritsBase: false)
    case "muse-glimmer": SlidingLayers()
    case "laguna": SlidingLayers(isPlain: true)
    case "olmo2": SlidingLayers(isPlain: true, readsBase: false)
    default: nil
    }
  }

  /// Whether a tensor of divisors is loaded and divides the angles of full layers.
  package var takesDivisors: Bool { loads(GGUFKeys.divisorsTensor, isLongrope: false) && !leavesTensorsUnused }
}
