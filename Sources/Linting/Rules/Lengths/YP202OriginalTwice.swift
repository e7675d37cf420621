import ModelConfig

extension Rule {
  static let originalTwice = Rule(
    "YP202", "original length declared twice with different values", severity: "error",
    checks: """
      Whether `original_max_position_embeddings` at the top of the language section differs from the one inside a \
      scaling dictionary.
      """,
    why: """
      transformers 5, and vLLM through it, let the top-level value replace the inner one where one dictionary serves all \
      layers; transformers 4, mlx-lm and llama.cpp's converter take the inner one, and so does SGLang outside its Llama \
      classes. With dictionaries for each kind of layer the top-level value counts for none of them.
      """,
    example: """
      {
        "original_max_position_embeddings": 4096,
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
      }
      """,
    remedy: """
      Find out which length the weights were trained on, then state it in both places; with YaRN, `yarn-patch patch MODEL \
      --factor F --original-context N` does.
      """,
    exceptions: "Equal values. No fix is offered: the file does not tell which of the two is right.",
    sources: [
      "transformers modeling_rope_utils.py standardize_rope_params", "llama.cpp conversion/base.py",
      "SGLang models/llama.py",
    ]
  ) { model in
    model.configs.flatMap { config -> [Finding] in
      guard let (pointer, node) = config.member(ConfigKey.original), let outer = node.value.number?.double else {
        return []
      }
      let unlike = config.dictionaries.filter { dictionary in
        dictionary[ConfigKey.original]?.value.number.map { $0.double != outer } ?? false
      }
      return unlike.map { dictionary in
        let inner = dictionary[ConfigKey.original]?.value.number?.double ?? 0
        let taken = config.readings(of: model.deployment.targets, layer: dictionary.layerType)
          .telling(\.originalContext)
        let declaration = config.scalings.first { $0.dictionary.pointer == dictionary.pointer }?.declaration
        return config.finding(
          .error, at: dictionary.pointer(to: ConfigKey.original),
          """
          Two original lengths: \(plain(outer)) at \(pointer), \(plain(inner)) inside \(dictionary.pointer)\
          \(taken.isEmpty ? "" : "; \(taken)"). State the trained one in both places. \
          \(declaration?.patching(model.path, "--original-context N") ?? "Write it by hand").
          """,
          expected: "\(plain(outer)), as at \(pointer)")
      }
    }
  }
}
