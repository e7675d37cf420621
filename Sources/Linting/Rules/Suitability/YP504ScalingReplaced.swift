import LosslessJSON
import ModelConfig

extension Rule {
  static let scalingReplaced = Rule(
    "YP504", "replacing another trained scaling", severity: "error",
    checks: """
      Whether a file declares YaRN for weights that were trained with llama3, longrope or linear scaling: by the table \
      of published models, by the members that the old kind left in the dictionary, or by the file before the last patch.
      """,
    why: """
      The weights have learned the other table. With YaRN in its place every slow pair turns at a speed they never saw, \
      also within the window that worked before.
      """,
    example: """
      {"max_position_embeddings": 131072,
       "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                        "original_max_position_embeddings": 32768}}
      """,
    remedy: """
      Restore the published scaling (`yarn-patch undo MODEL`, or the model's original config.json); for a longer window \
      take a model that was trained for it.
      """,
    exceptions: """
      A trained length that fits a published model without scaling as well: YaRN ×16 from 8192 may be Llama 3. A previous \
      linear scaling alone, which may have been a patch. Runtimes that read the kind as another one, as transformers \
      does for Phi-3. A GGUF's factor tensors beside YaRN are judged by YP608.
      """,
    sources: ["vllm-project/vllm issue 10537", "Sources/ModelConfig/known-models.json"]
  ) { model in
    let before = model.previous.flatMap { try? HuggingFaceConfig($0) }?.ropeDeclarations().declarations.first
    return model.files.compactMap { file in
      guard let declaration = file.declaration, declaration.scalingKind == "yarn", let kind = declaration.kind,
        let (trained, evidence) = model.replacedScaling(of: file)
          ?? before?.scalingKind.flatMap({
            ["llama3", "longrope"].contains($0) ? ($0, "the file before the last patch") : nil
          }),
        file.readings(of: model.deployment.targets).contains(where: { $0.kind.contains("yarn") })
      else { return nil }
      return Finding(
        .error, at: kind.place,
        """
        This model was trained with \(trained) scaling (\(evidence)); YaRN in its place changes frequencies that the \
        weights have learned. Restore the published scaling: `yarn-patch undo \(model.path.shellWord)`, or take the model's \
        original file.
        """,
        expected: trained, actual: kind.value)
    }
  }
}

extension LintedModel {
  /// The kind of scaling that a file's YaRN has taken the place of, and what tells it.
  fileprivate func replacedScaling(of file: some LintedFile) -> (kind: String, evidence: String)? {
    guard let declaration = file.declaration else { return nil }
    if declaration.lowFrequencyFactor != nil && declaration.highFrequencyFactor != nil {
      return ("llama3", "its low_freq_factor and high_freq_factor are still there")
    }
    if file.input.format == .config, declaration.longFactors != nil || declaration.shortFactors != nil {
      return ("longrope", "its per-pair factors are still there")
    }
    // The length that is named as the trained one tells more than the window, which changes with each patch.
    let known =
      published(like: file, window: declaration.originalContext)
      ?? published(like: file, window: declaration.contextLength)
    guard let known, let kind = known.trainedScaling?.kind, ["llama3", "longrope", "linear"].contains(kind) else {
      return nil
    }
    return (kind, "as published for \(known.name)")
  }
}
