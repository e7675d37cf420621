import ModelConfig
import RoPE

extension Rule {
  static let mscalePair = Rule(
    "YP403", "mscale pair incomplete or contradicted",
    severity: "warning when only one is present; error when `attention_factor` differs from the ratio of the pair",
    checks: """
      A YaRN dictionary has one of `mscale` and `mscale_all_dim` alone, or both together with an `attention_factor` that \
      is not their ratio.
      """,
    why: """
      A lone value is ignored by transformers and by vLLM outside DeepSeek's classes, and combined with the defaults 1 \
      and 0 by mlx-lm and DeepSeek's classes. Beside a pair, transformers and vLLM take `attention_factor`, SGLang and \
      mlx-lm take the pair.
      """,
    example: """
      {"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768, "mscale": 0.707}}
      """,
    remedy: """
      State both as the publisher does, or neither: `yarn-patch patch MODEL --factor F --mscale X --mscale-all-dim Y`.
      """,
    exceptions: """
      `mscale` beside `attention_factor` when all targets that read config.json arrive at one magnitude: the portable \
      form of YP401. No fix, since the missing half is the publisher's to say.
      """,
    sources: ["mlx-lm models/rope_utils.py", "vLLM deepseek_scaling_rope.py"]
  ) { model in
    model.configs.flatMap { config in
      config.yarnScalings.compactMap { dictionary, declaration in
        let present = [ConfigKey.mscale, ConfigKey.mscaleAllDim].filter(dictionary.states)
        guard let first = present.first, let factor = declaration.factor?.value, factor > 1 else { return nil }
        let readings = config.readings(of: model.deployment.targets, for: dictionary).withoutConverter
        guard !readings.isEmpty else { return nil }
        let stated = dictionary.number(ConfigKey.attentionFactor)
        if present.count == 1 {
          guard stated == nil || readings.magnitudeSpread > 1e-3 else { return nil }
          return config.finding(
            .warning, at: dictionary.pointer(to: first),
            """
            Only `\(first)` is set: transformers ignores it, mlx-lm and DeepSeek's classes combine it with the other's \
            default (\(readings.magnitudes)). State both or neither.
            """,
            expected: "mscale and mscale_all_dim together")
        }
        guard let stated, let mscale = declaration.mscale?.value, let all = declaration.mscaleAllDim?.value else {
          return nil
        }
        let ratio = yarnMagnitude(factor: factor, mscale: mscale) / yarnMagnitude(factor: factor, mscale: all)
        guard !stated.isMagnitude(ratio) else { return nil }
        return config.finding(
          .error, at: dictionary.pointer(to: ConfigKey.attentionFactor),
          """
          `attention_factor` is \(plain(stated)) and the mscale pair gives \(rounded(ratio)): transformers and vLLM take \
          the first, SGLang and mlx-lm the pair (\(readings.magnitudes)). Keep one of the two.
          """,
          expected: rounded(ratio))
      }
    }
  }
}
