import LosslessJSON
import ModelConfig

extension Rule {
  static let legacyKind = Rule(
    "YP102", "legacy kind key only", severity: "warning",
    checks: "A scaling dictionary names its kind as `type` and not as `rope_type`.",
    why: """
      transformers and vLLM translate the old spelling; code that reads only `rope_type` takes the model as unscaled or \
      fails.
      """,
    example: #"{"rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}}"#,
    remedy: "Add `\"rope_type\"` with the same value. The old spelling may stay: mlx-lm reads it first.",
    exceptions: """
      A dictionary that names both, or neither (YP101). LongRoPE's lists as Phi-3 has them: its class in transformers 4 \
      wants exactly the members `type`, `short_factor` and `long_factor` and refuses a fourth.
      """,
    sources: ["huggingface/transformers issue 32166", "vLLM transformers_utils/config.py"]
  ) { model in
    model.configs.flatMap { config in
      config.dictionaries.compactMap { dictionary in
        guard dictionary[ConfigKey.ropeType] == nil, let kind = dictionary[ConfigKey.type]?.value.string,
          dictionary["short_factor"] == nil
        else { return nil }
        return config.finding(
          .warning, at: dictionary.pointer(to: ConfigKey.type),
          """
          Only the old spelling `type` is present: code that reads `rope_type` alone sees no scaling. Add \
          "rope_type": \(JSONText.quoted(kind)).
          """,
          expected: "rope_type beside it",
          fix: .safe(
            "add rope_type \(JSONText.quoted(kind))",
            [config.change(dictionary.pointer(to: ConfigKey.ropeType), .string(kind), after: [ConfigKey.type])]))
      }
    }
  }
}
