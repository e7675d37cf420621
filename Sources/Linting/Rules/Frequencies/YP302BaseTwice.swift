import ModelConfig

extension Rule {
  static let baseTwice = Rule(
    "YP302", "base declared twice with different values", severity: "error",
    checks:
      "Whether the places that state the RoPE base of the same layers agree: beside the scaling dictionary, in it, "
      + "or under another name.",
    why: """
      transformers 5, vLLM, SGLang and llama.cpp's converter take the base inside the dictionary; transformers 4 and \
      most of mlx-lm's model files the one beside it.
      """,
    example: #"{"rope_theta": 1000000.0, "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0}}"#,
    remedy: """
      Find out which base the weights were trained with and state it in both places: `yarn-patch patch MODEL --base B` \
      does, with `--factor F` for YaRN or `--method none` for an unscaled model.
      """,
    exceptions: """
      Kinds of layers with dictionaries and bases of their own, where one beside them is for those that have none. No fix \
      is offered: the file does not tell which base is right.
      """,
    sources: ["transformers modeling_rope_utils.py", "mlx-lm models/qwen3.py", "llama.cpp conversion/base.py"]
  ) { model in
    model.configs.flatMap { config in
      config.declarations.flatMap { declaration in
        BaseReport(declaration, stored: [], path: config.path).problems.filter { $0.code == .basesDisagree }
          .compactMap { problem -> Finding? in
            guard let pointer = problem.location.key, let base = declaration.base, let other = base.place.key else {
              return nil
            }
            let taken = config.readings(of: model.deployment.targets, layer: declaration.layerType).telling(\.base)
            return config.finding(
              .error, at: pointer,
              """
              Two bases: \(plain(base.value)) at \(other), \(config.document[pointer]?.value.noun ?? "") at \(pointer)\
              \(taken.isEmpty ? "" : "; \(taken)"). State the one that the weights were trained with in both places. \
              \(declaration.patching(model.path, "--base B")).
              """,
              expected: "\(plain(base.value)), as at \(other)")
          }
      }
    }
  }
}
