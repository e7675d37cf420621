import Diagnostics
import ModelConfig

extension Rule {
  static let rotaryDimension = Rule(
    "YP303", "rotary dimension invalid", severity: "error",
    checks: """
      Whether the rotating part of a head is an even number of at most the head size, whether the rotating share lies \
      above 0 and at most 1, whether a head size that must be divided out is a whole number, and whether latent \
      attention states its rotating slice alike everywhere.
      """,
    why: """
      Elements rotate in pairs. vLLM raises for a share outside the range, transformers 5.23 for an odd head that \
      rotates wholly, and others compute with a rounded width. With latent attention only `qk_rope_head_dim` elements \
      rotate; a runtime that takes another width computes other frequencies for every pair.
      """,
    example: #"{"hidden_size": 2016, "num_attention_heads": 32}"#,
    remedy: "Correct the member: take `head_dim`, `qk_rope_head_dim` or the share from the original config.json.",
    exceptions: """
      A head size that the file leaves to the model's class. With latent attention, a `head_dim` of the rotating slice or \
      of the whole head, as families differ in what they mean by it. Keys of a GGUF by itself are judged by YP611.
      """,
    sources: [
      "transformers modeling_rope_utils.py validate_rope", "vLLM rotary_embedding/__init__.py get_rope",
      "llama.cpp src/models/deepseek2.cpp",
    ]
  ) { model in
    model.configs.flatMap { config in
      config.problems.filter { $0.code == .badRotaryDimension }.map { problem in
        config.finding(
          .error, at: problem.location.key ?? "",
          "Invalid rotation of the heads: \(problem.found), and it must be \(problem.expected). Correct the member.",
          expected: problem.expected, runtimes: [])
      } + [dividedHead(config), latentSlice(config, in: model)].compactMap(\.self)
    }
  }

  private static func dividedHead(_ config: LintedConfig) -> Finding? {
    // Classes with a size of their own do not divide.
    guard config.config.headDimensionRemainder != 0, let head = config.declaration?.headDimension,
      head.place.path == config.path, let pointer = head.place.key,
      config.readings(of: .transformers5).first?.rotaryDimension == config.declaration?.rotaryDimension?.value
    else { return nil }
    return config.finding(
      .error, at: pointer,
      """
      The head size does not follow from the file: the hidden size divided by the number of heads is no whole number, \
      and runtimes round it down to \(head.value). State `\(ConfigKey.headDimension)`.
      """,
      expected: "a multiple of the number of heads, or \(ConfigKey.headDimension)")
  }

  private static func latentSlice(_ config: LintedConfig, in model: LintedModel) -> Finding? {
    guard let declaration = config.declaration, declaration.usesLatentAttention,
      let slice = declaration.rotaryDimension?.value, let whole = declaration.headDimension?.value
    else { return nil }
    if let (pointer, node) = config.member(ConfigKey.headDimension), let head = node.value.number?.integer,
      head != slice, head != whole
    {
      return config.finding(
        .error, at: pointer,
        """
        `\(ConfigKey.headDimension)` is \(head), while \(slice) elements of a head of \(whole) rotate \
        (`\(ConfigKey.latentRotaryDimension)`): runtimes that read the one or the other compute different frequencies. \
        Set it to \(slice), or remove it.
        """,
        expected: "\(slice)")
    }
    let other = model.ggufs.lazy.compactMap(\.declaration).filter(\.usesLatentAttention)
      .compactMap(\.rotaryDimension).first { $0.value != slice }
    return other.map { other in
      Finding(
        .error, at: other.place,
        """
        The GGUF rotates \(other.value) elements of a head, config.json \(slice) (`\(ConfigKey.latentRotaryDimension)`): \
        only one can be right. Convert the model again.
        """,
        expected: "\(slice)", actual: "\(other.value)", runtimes: ["llama.cpp"])
    }
  }
}
