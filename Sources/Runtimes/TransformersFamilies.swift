/// What the config and rotary classes of transformers do per model family, where that changes a table.
///
/// - Source: `configuration_*.py` and `modeling_*.py` of transformers 5.23.
enum TransformersFamilies {
  /// `default_theta` of the config class, taken where a file states no base.
  static func defaultBase(_ modelType: String?) -> Double {
    switch modelType {
    case "gpt_oss": 150_000
    case "mixtral", "ministral3": 1_000_000
    case "olmo3", "ernie4_5", "cohere", "cohere2", "llama4", "llama4_text": 500_000
    default: 10_000
    }
  }

  /// Whether the rotary class of the family honours a partial rotary factor for the unscaled kind. In transformers 5
  /// Llama-like classes compute that kind over the whole head.
  static func defaultKindRotatesPartially(_ modelType: String?) -> Bool {
    guard let modelType else { return false }
    let families = [
      "glm", "glm4", "glm4_moe", "phi", "phimoe", "stablelm", "qwen3_next", "qwen3_5", "qwen3_5_moe", "gpt_neox",
      "persimmon", "fuyu", "nemotron", "minimax_m2", "laguna",
    ]
    return families.contains { modelType == $0 || modelType == $0 + "_text" }
  }
}
