import ModelConfig

extension Rule {
  /// Beyond it lies one published model, which YP205 knows.
  static let largestTrainedFactor = 64.0

  static let factorUnproven = Rule(
    "YP205", "factor beyond the evidence",
    severity:
      "error above 64; warning above 32, or above 8 without a record of training; note above what the publisher "
      + "states",
    checks: """
      A YaRN factor against the factors that published weights were trained with, what the publisher states for the \
      model, and a record of training beside the weights.
      """,
    why: """
      Without training there is no evidence for factors beyond 8, and with training none beyond those of published \
      models: gpt-oss 32, DeepSeek 40, Kimi and Laguna 64, Mistral Small 4 with 128. Their publishers went there in \
      stages and trained at each.
      """,
    example: #"{"rope_scaling": {"rope_type": "yarn", "factor": 16.0, "original_max_position_embeddings": 8192}}"#,
    remedy: """
      Use the smallest factor that covers what you serve (`yarn-patch patch MODEL --context N`), or extend in stages, \
      each by a factor of 2 to 4, and evaluate each.
      """,
    exceptions: """
      Weights that were trained with a factor at least as large, by the table of published models. A record of training \
      that names the factor (see YP506) is evidence up to 32. Sizes of a model that a publisher advises against \
      scaling are not known to the table.
      """,
    sources: [
      "Sources/ModelConfig/known-models.json", "NVIDIA/Megatron-LM issue 1418", "ggml-org/llama.cpp PR 2268",
    ]
  ) { model in
    model.files.compactMap { file in
      guard let declaration = file.declaration, declaration.scalingKind == "yarn", let factor = declaration.factor
      else { return nil }
      let known = model.known(file)
      let trained = known?.trainedScaling.flatMap { $0.kind == "yarn" ? $0.factor : nil } ?? 1
      let stated = known?.testedFactor
      guard factor.value > max(trained, stated ?? 8, 1) else { return nil }
      let isRecorded = model.trainingRecords.contains { $0.kind == "yarn" && $0.factor ?? 0 >= factor.value }
      guard
        let severity: Severity =
          factor.value > largestTrainedFactor
          ? .error
          : factor.value > 32 || (factor.value > 8 && !isRecorded)
            ? .warning
            : stated != nil && !isRecorded ? .note : nil
      else { return nil }
      let evidence =
        isRecorded
        ? "training with it is recorded, but few models have proved as much"
        : trained > 1
          ? "\(known?.name ?? "the model") was trained with \(plain(trained))"
          : stated.map { "the publisher of \(known?.name ?? "the model") states YaRN up to \(plain($0))" }
            ?? (severity == .error ? "no published model was trained with so much" : "no record of training names it")
      // Weights that know a factor are not better off with another one.
      let advice =
        isRecorded
        ? "Evaluate at the lengths you serve; the factor itself belongs to the weights"
        : """
        Extend in stages of 2 to 4 and evaluate each, or type `yarn-patch patch \(model.path.shellWord) --context N` for \
        the smallest factor that covers what you serve
        """
      return Finding(
        severity, at: factor.place,
        """
        Factor \(plain(factor.value)): \(evidence). \(advice).
        """,
        expected: "at most \(plain(max(trained, stated ?? 8)))", actual: plain(factor.value))
    }
  }
}
