import ModelConfig

extension Rule {
  static let factorTooLarge = Rule(
    "YP204", "factor larger than needed", severity: "warning",
    checks: """
      With a serving length given, whether a YaRN factor is more than half again as large as that length needs, or the \
      length fits the original window without scaling.
      """,
    why: """
      Static scaling changes every position of every prompt. Reports name a loss of 15 to 20 % on agent tasks, and one \
      benchmark that fell from 39 to 26.5 with factor 4; the smaller the factor, the smaller the loss.
      """,
    example: """
      {"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}}
      """,
    remedy: """
      Patch for the length you serve: `yarn-patch patch MODEL --context N`; without need for scaling, `yarn-patch patch \
      MODEL --method none`.
      """,
    exceptions: """
      Without a serving length nothing is known to be unneeded. Weights that were trained with their YaRN, by the table \
      of published models, keep it at every length. The fix lowers factor and maximum; it is left to the command where \
      the scaling should go altogether or where a stated magnitude belongs to the old factor.
      """,
    sources: ["vllm-project/vllm issue 18728", "QwenLM/Qwen3 issue 1567", "ollama/ollama issue 8493"]
  ) { model in
    guard let length = model.deployment.serveLength else { return [] }
    return model.files.compactMap { file in
      guard let declaration = file.declaration, declaration.scalingKind == "yarn", let factor = declaration.factor,
        factor.value > 1, let original = declaration.originalContext?.value, !model.isTrainedScaling(of: file)
      else { return nil }
      let needed = Double(length) / Double(original)
      guard needed <= 1 || factor.value > 1.5 * needed else { return nil }
      let isUnneeded = needed <= 1
      return Finding(
        .warning, at: factor.place,
        """
        Serving \(length) tokens needs \(isUnneeded ? "no scaling" : "factor \(rounded(needed))"), the model having been \
        trained on \(original); factor \(plain(factor.value)) trades quality on short prompts for length that is not \
        used. Type `yarn-patch patch \(model.path.shellWord) \(isUnneeded ? "--method none" : "--context \(length)\(model.magnitudeOption(file))")`.
        """,
        expected: isUnneeded ? "no scaling" : "about \(rounded(needed))", actual: plain(factor.value),
        fix: model.rescaling(file, to: length))
    }
  }
}
