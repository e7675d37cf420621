import ModelConfig

extension Rule {
  static let scaledTwice = Rule(
    "YP505", "scaling an already scaled model", severity: "error",
    checks: """
      Whether the original length of a YaRN file is a window that scaling had already reached: that of a published model \
      which was trained with YaRN, or the window of the file before the last patch.
      """,
    why: """
      The ramp starts from the wrong length, so pairs that the first scaling interpolates are left alone, and the factor \
      is the second one alone instead of the product of both.
      """,
    example: """
      {"model_type": "deepseek_v3", "max_position_embeddings": 327680,
       "rope_scaling": {"type": "yarn", "factor": 2.0, "original_max_position_embeddings": 163840}}
      """,
    remedy: """
      Scale once, from the length before any scaling: `yarn-patch patch MODEL --context N --original-context O`.
      """,
    exceptions: """
      Models whose scaled window neither the table nor a record of the last patch tells. The fix is left out where a \
      stated magnitude belongs to the old factor, and where the product is a factor that YP205 takes for an error.
      """,
    sources: ["hiyouga/LlamaFactory issue 1298", "Sources/ModelConfig/known-models.json"]
  ) { model in
    let before = model.previous.flatMap { try? HuggingFaceConfig($0) }?.ropeDeclarations().declarations.first
    return model.files.compactMap { file in
      guard let declaration = file.declaration, declaration.scalingKind == "yarn",
        let factor = declaration.factor?.value,
        factor > 1, let original = declaration.originalContext,
        let (length, first) = before?.scaling(reaching: original.value)
          ?? model.published(like: file, window: original)?.scaling
      else { return nil }
      let product = factor * first
      let isBeyondEvidence = product > largestTrainedFactor
      let fix =
        !isBeyondEvidence && [declaration.attentionFactor, declaration.mscale].allSatisfy { $0 == nil }
        ? file.restating(declaration, factor: product, original: length) : nil
      return Finding(
        .error, at: original.place,
        """
        \(original.value) is the window that ×\(plain(first)) from \(length) had reached already. For \
        \(plain((Double(original.value) * factor).rounded(.down))) use factor \(plain(product)) on \(length): `yarn-patch patch \
        \(model.path.shellWord) --factor \(plain(product)) --original-context \(length)`.\
        \(isBeyondEvidence ? " No published model was trained with so much, which YP205 tells then: scale less far." : "")
        """,
        expected: "\(length)", actual: "\(original.value)",
        fix: fix.map { .unsafe("set the original length to \(length) and the factor to \(plain(product))", $0) })
    }
  }
}

extension RoPEDeclaration {
  /// Trained length and factor of a YaRN whose window is a length.
  fileprivate func scaling(reaching window: Int) -> (length: Int, factor: Double)? {
    guard scalingKind == "yarn", contextLength?.value == window, let length = originalContext?.value, length < window,
      let factor = factor?.value, factor > 1
    else { return nil }
    return (length, factor)
  }
}

extension KnownModel {
  /// Trained length and factor, for weights that were trained with YaRN.
  fileprivate var scaling: (length: Int, factor: Double)? {
    guard let trainedScaling, trainedScaling.kind == "yarn", let factor = trainedScaling.factor else { return nil }
    return (trainedLength, factor)
  }
}
