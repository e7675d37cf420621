import ModelConfig
import Runtimes

extension Rule {
  static let headSizeNull = Rule(
    "YP304", "head size is null", severity: "error",
    checks: "Whether `head_dim` is null in a config.json where a runtime needs a number.",
    why: """
      transformers' functions for YaRN, dynamic scaling and LongRoPE have no way out of a null and raise a TypeError; \
      those for the other kinds divide the hidden size by the heads. Some configuration classes fill the value in, as \
      Llama's does; some of version 5, such as those of Qwen3 and Gemma, load no null at all, and vLLM and SGLang load \
      configs with them. Measured for every class of 4.57.3 and 5.23.
      """,
    example: #"{"model_type": "qwen2", "head_dim": null, "rope_scaling": {"rope_type": "yarn", "factor": 4.0}}"#,
    remedy: "Write hidden size ÷ heads in its place, or what the projections' shapes give.",
    exceptions: """
      Families whose class fills the value in, other kinds of scaling, and targets without a problem. The fix is \
      offered where the size follows from the file or the weights, and the model's class has no other default.
      """,
    sources: ["transformers modeling_rope_utils.py _compute_yarn_parameters, measured with 4.57.3 and 5.23"]
  ) { model in
    model.configs.compactMap { config in
      guard let (pointer, node) = config.member(ConfigKey.headDimension), node.value.isNull else { return nil }
      let failing = config.readings(of: model.deployment.targets).names { $0.refused == .nullHead }
      guard !failing.isEmpty else { return nil }
      // Classes with a size of their own do not divide where the member is missing.
      let absent = config.imagining([config.change(pointer, nil)])?.readings(of: .transformers5).first
      let isDivided = absent?.rotaryDimension == config.declaration?.rotaryDimension?.value
      let head = isDivided && config.config.headDimensionRemainder == 0 ? config.declaration?.headDimension?.value : nil
      return config.finding(
        .error, at: pointer,
        """
        `head_dim` is null: \(failing.listed) \(failing.count == 1 ? "raises" : "raise") a TypeError. \
        Write \(head.map { "\($0), which follows from the file" } ?? "the head size of the original model").
        """,
        expected: head.map { "\($0)" } ?? "a number", runtimes: failing,
        fix: head.map { .safe("write the head size \($0)", [config.change(pointer, .integer($0))]) })
    }
  }
}
