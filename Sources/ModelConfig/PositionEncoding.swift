import Diagnostics

extension FileError.Code {
  /// The model encodes positions by something other than rotation.
  package static let notRoPE: Self = "not-rope"
}

/// Model families that encode positions without rotation, by `model_type` or GGUF architecture.
///
/// A family is listed only when its published code has no rotary path. A file that states a RoPE key of its own is taken
/// at its word, whatever its family.
enum PositionEncoding: String {
  case learned = "learned position embeddings"
  case alibi = "ALiBi (a bias by distance)"
  case relative = "relative position biases"
  case sinusoidal = "fixed sinusoidal positions"
  case none = "no position encoding of its own"

  /// - Source: `modeling_*.py` of transformers 5.23, `llm_arch` names and `llama_model_rope_type` of llama.cpp.
  static let families: [String: PositionEncoding] = [
    "albert": .learned, "bart": .learned, "beit": .learned, "bert": .learned, "big_bird": .learned,
    "biogpt": .learned, "blip": .learned, "camembert": .learned, "clip": .learned, "clip_vision_model": .learned,
    "convbert": .learned, "data2vec-text": .learned, "deit": .learned, "distilbert": .learned, "electra": .learned,
    "ernie": .learned, "gpt2": .learned, "gpt-sw3": .learned, "gpt_bigcode": .learned, "gpt_neo": .learned,
    "layoutlm": .learned, "longformer": .learned, "mbart": .learned, "mobilebert": .learned, "mpnet": .learned,
    "openai-gpt": .learned, "opt": .learned, "roberta": .learned, "siglip": .learned, "splinter": .learned,
    "starcoder": .learned, "vit": .learned, "whisper": .learned, "xlm-roberta": .learned, "xmod": .learned,
    "bloom": .alibi, "jais": .alibi, "jina-bert-v2": .alibi, "mpt": .alibi, "refact": .alibi,
    "deberta": .relative, "deberta-v2": .relative, "longt5": .relative, "mt5": .relative, "t5": .relative,
    "t5encoder": .relative, "umt5": .relative, "xlnet": .relative,
    "m2m_100": .sinusoidal, "marian": .sinusoidal, "pegasus": .sinusoidal, "xglm": .sinusoidal,
    "arwkv7": .none, "falcon_mamba": .none, "jamba": .none, "mamba": .none, "mamba2": .none, "nemotron_h": .none,
    "rwkv": .none, "rwkv6": .none, "rwkv6qwen2": .none, "rwkv7": .none,
  ]

  /// The refusal for a family without rotation.
  func refusal(of family: String, at place: SourceLocation) -> FileError {
    FileError(
      .notRoPE, at: place, found: "\(family) uses \(rawValue), not rotary position embedding",
      expected: "a model with RoPE", remedy: "nothing to do here: YaRN extends rotary position embedding only")
  }
}
