import ModelConfig
import Runtimes

extension Rule {
  static let softmaxCorrection = Rule(
    "YP404", "softmax correction missing or misplaced", severity: "warning",
    checks: """
      A model with latent attention (MLA) scales with YaRN and states no `mscale_all_dim`, or a model with ordinary \
      attention states one.
      """,
    why: """
      With latent attention only a slice of each head rotates, so the correction of the scores has to stand in the \
      softmax scale, as the square of 0.1 · mscale_all_dim · ln s + 1. Without the key transformers, vLLM, SGLang and \
      mlx-lm apply none, while llama.cpp applies it all the same. In ordinary attention the key only lowers the \
      magnitude that mlx-lm computes.
      """,
    example: """
      {"qk_rope_head_dim": 64, "rope_scaling": {"rope_type": "yarn", "factor": 40.0, "original_max_position_embeddings": 4096}}
      """,
    remedy: "Take `mscale` and `mscale_all_dim` from the publisher's config, or leave both out of an ordinary model.",
    exceptions: """
      Mistral's models with ordinary attention, whose own class states the pair; latent attention with \
      `attention_factor` 1 or with `apply_yarn_scaling` or `apply_scale` false, which say that no correction is wanted.
      """,
    sources: ["huggingface/transformers PR 47435", "onnxruntime/mobius PR 548", "llama.cpp src/models/deepseek2.cpp"]
  ) { model in
    model.configs.flatMap { config in
      config.yarnScalings.compactMap { dictionary, declaration in
        let stated = dictionary.number(ConfigKey.mscaleAllDim) ?? 0
        // Asked only where something is wrong.
        var readings: [RuntimeReading] { config.readings(of: model.deployment.targets, for: dictionary) }
        func multipliers(_ readings: [RuntimeReading]) -> String {
          readings.listed { $0.table.map { rounded($0.softmaxScaleMultiplier) } }
        }
        if declaration.usesLatentAttention {
          let isUnwanted =
            dictionary.number(ConfigKey.attentionFactor) == 1
            || ["apply_yarn_scaling", "apply_scale"].contains { dictionary[$0]?.value.bool == false }
          guard stated == 0, !isUnwanted else { return nil }
          return config.finding(
            .warning, at: dictionary.pointer,
            """
            This model has latent attention and no `mscale_all_dim`: its softmax scale is not corrected \
            for the factor (multiplier with \(multipliers(readings))). Add mscale and mscale_all_dim of the publisher's \
            config.
            """,
            expected: ConfigKey.mscaleAllDim, actual: "none")
        }
        guard stated != 0, config.family?.contains("istral") != true else { return nil }
        return config.finding(
          .warning, at: dictionary.pointer(to: ConfigKey.mscaleAllDim),
          """
          `mscale_all_dim` corrects the softmax scale of latent attention, which this model does not have; here it only \
          changes the magnitude (\(readings.magnitudes)). Remove it, or state `attention_factor`.
          """,
          expected: "none")
      }
    }
  }
}
