import LosslessJSON
import ModelConfig

extension Rule {
  static let kindMissing = Rule(
    "YP101", "scaling kind missing", severity: "error",
    checks: """
      A scaling dictionary holds a factor, a beta or an original length and has neither `rope_type` nor `type`.
      """,
    why: """
      transformers, vLLM and mlx-lm take a dictionary without a kind as plain RoPE, so the model runs unscaled and \
      nothing is said; SGLang raises.
      """,
    example: #"{"rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 32768}}"#,
    remedy: """
      Name the kind: `"rope_type": "yarn"`, or write the whole dictionary anew with \
      `yarn-patch patch MODEL --method yarn --factor F --original-context N`.
      """,
    exceptions: """
      Dictionaries with nothing but a base or a rotary share, which need no kind. The fix names yarn and only where an \
      original length or a beta is there, since a factor alone may mean any kind.
      """,
    sources: ["transformers modeling_rope_utils.py", "SGLang rotary_embedding/factory.py"]
  ) { model in
    model.configs.flatMap { config in
      config.dictionaries.compactMap { dictionary in
        let telling = [ConfigKey.factor, ConfigKey.betaFast, ConfigKey.betaSlow, ConfigKey.original]
        guard !dictionary.states(ConfigKey.ropeType), !dictionary.states(ConfigKey.type),
          let first = telling.first(where: dictionary.states)
        else { return nil }
        let readings = config.readings(of: model.deployment.targets, for: dictionary)
        let isYaRN = telling.dropFirst().contains(where: dictionary.states)
        let factor = dictionary.number(ConfigKey.factor).map(plain) ?? "F"
        return config.finding(
          .error, at: dictionary.pointer,
          """
          Scaling values such as `\(first)` and no kind: most runtimes ignore them (\(readings.outcomes)). Add \
          "rope_type": "yarn", or type `yarn-patch patch \(model.path.shellWord) --method yarn --factor \(factor)`.
          """,
          expected: ConfigKey.ropeType, actual: "none",
          fix: isYaRN
            ? .unsafe(
              "add rope_type \"yarn\"", [config.change(dictionary.pointer(to: ConfigKey.ropeType), .string("yarn"))])
            : nil)
      }
    }
  }
}
