import ModelConfig

extension Rule {
  static let shortPrompts = Rule(
    "YP501", "static scaling affects short prompts", severity: "note",
    checks: "Whether a model has YaRN with a factor above 1; said once for each model.",
    why: """
      No runtime switches YaRN by the length of a prompt: the frequencies of a scaled file are in effect from the first \
      token on, and short prompts lose some quality. Publishers advise to enable it only when it is needed.
      """,
    example: #"{"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}}"#,
    remedy: """
      Keep an unscaled copy for short prompts: `yarn-patch patch MODEL --method none -o COPY`. Turn this note off where \
      it is known: `{"severities": {"YP501": "off"}}` in `.yarn-patch.json`.
      """,
    exceptions:
      "Weights that were trained with their YaRN, by the table of published models: they need it at every length.",
    sources: ["QwenLM/Qwen3 issue 1567", "vllm-project/vllm issue 18728", "Qwen3 model cards"]
  ) { model in
    let finding = model.files.lazy.compactMap { file -> Finding? in
      guard let declaration = file.declarations.first(where: { $0.scalingKind == "yarn" }),
        let factor = declaration.factor, factor.value > 1, !model.isTrainedScaling(of: file)
      else { return nil }
      return Finding(
        .note, at: factor.place,
        """
        YaRN ×\(plain(factor.value)) is in effect for short prompts too. Keep an unscaled copy for them: `yarn-patch \
        patch \(model.path.shellWord) --method none -o COPY`.
        """,
        actual: plain(factor.value))
    }.first
    return [finding].compactMap(\.self)
  }
}
