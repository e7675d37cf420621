import ModelConfig
import Runtimes

extension Rule {
  static let headSizeNull = Rule(
    "YP304", "head size is null", severity: "error",
    checks: "Whether `head_dim` is null in a config.json with YaRN or dynamic scaling.",
    why: """
      transformers' functions for these two kinds have no way out of a null and raise a TypeError; the one for linear \
      scaling has. Measured with 5.23 for 34 families: Llama, Mistral, InternLM 3, Seed-OSS and Nemotron fill the value \
      in, the other configuration classes keep the null or refuse it.
      """,
    example: #"{"model_type": "qwen2", "head_dim": null, "rope_scaling": {"rope_type": "yarn", "factor": 4.0}}"#,
    remedy: "Write hidden size ÷ heads in its place, or what the projections' shapes give.",
    exceptions: """
      The five families above; other kinds of scaling. The fix is offered where the size follows from the file or the \
      weights, and the model's class has no other default.
      """,
    sources: ["transformers modeling_rope_utils.py _compute_yarn_parameters, measured with 5.23"]
  ) { model in
    guard model.deployment.targets(Runtime.transformers5.name) else { return [] }
    return model.configs.compactMap { config in
      guard let (pointer, node) = config.member(ConfigKey.headDimension), node.value.isNull,
        let declaration = config.declarations.first(where: { ["yarn", "dynamic"].contains($0.scalingKind) }),
        !["llama", "mistral", "internlm3", "seed_oss", "nemotron"].contains(config.family ?? "")
      else { return nil }
      // Classes with a size of their own do not divide.
      let isDivided = config.readings(of: .transformers5).first?.rotaryDimension == declaration.rotaryDimension?.value
      let head = isDivided && config.config.headDimensionRemainder == 0 ? declaration.headDimension?.value : nil
      return config.finding(
        .error, at: pointer,
        """
        `head_dim` is null: transformers raises a TypeError when it computes the frequencies. \
        Write \(head.map { "\($0), which follows from the file" } ?? "the head size of the original model").
        """,
        expected: head.map { "\($0)" } ?? "a number", runtimes: [Runtime.transformers5.name],
        fix: head.map { .safe("write the head size \($0)", [config.change(pointer, .integer($0))]) })
    }
  }
}
