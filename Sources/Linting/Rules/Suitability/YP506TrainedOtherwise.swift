import Diagnostics
import ModelConfig

extension Rule {
  static let trainedOtherwise = Rule(
    "YP506", "training and serving disagree", severity: "warning",
    checks: """
      Whether the scaling kind, factor or base of a file differs from what the weights were trained with: as \
      `rope_scaling`, `rope_parameters` or `rope_theta` of args.json, training_args.json or a safetensors header's \
      `__metadata__` record it, or as the table of published models has it.
      """,
    why: """
      Weights that were trained with one table and are served with another see every position changed, short ones \
      included. It happens when a trainer fixes the scaling and the server makes it dynamic, or when the scaling is lost \
      on the way from one to the other.
      """,
    example: """
      {"rope_scaling": "yarn"} in args.json beside {"rope_scaling": {"rope_type": "linear", "factor": 4.0}}
      """,
    remedy:
      "State what the weights were trained with: `yarn-patch patch MODEL --factor F`, or take the original config.json, as with latent attention (MLA), whose mscale pair a factor does not tell.",
    exceptions: """
      A null in the record, which trainers write for "as the model has it"; a factor that it does not name; training \
      without scaling, which YaRN is made to follow. Weights \
      trained with llama3, longrope or linear scaling and served with YaRN are judged by YP504, a GGUF without the \
      tensors of such a scaling by YP609. Classes that install their scaling themselves, such as gpt-oss, need none in \
      the file.
      """,
    sources: [
      "NVIDIA/Model-Optimizer PR 917", "modelscope/ms-swift issue 5146", "Sources/ModelConfig/known-models.json",
    ]
  ) { model in
    let records = model.trainingRecords
    return model.files.compactMap { file in
      guard let declaration = file.declaration else { return nil }
      let published = model.publishedRecord(of: file, declaration)
      for record in records + [published].compactMap(\.self) {
        if let difference = record.difference(from: declaration) {
          let place =
            difference.isBase ? declaration.base?.place : declaration.kind?.place ?? declaration.contextLength?.place
          return Finding(
            .warning, at: place ?? SourceLocation(path: file.path),
            """
            Trained with \(difference.trained) (\(record.source)), while this file states \(difference.stated): every \
            position changes for the weights. State what they were trained with\
            \(record.kind == "yarn" && record.factor != nil && !declaration.usesLatentAttention
              ? ": `yarn-patch patch \(model.path.shellWord) --factor \(plain(record.factor ?? 1))`" : ", or take the original file").
            """,
            expected: difference.trained, actual: difference.stated)
        }
      }
      return nil
    }
  }
}

extension TrainingRecord {
  fileprivate func difference(
    from declaration: RoPEDeclaration
  ) -> (trained: String, stated: String, isBase: Bool)? {
    let stated = declaration.factor?.value
    let isOtherFactor = factor != nil && stated != nil && factor != stated
    if let kind, kind != declaration.scalingKind || isOtherFactor {
      let own = declaration.scalingKind
      return (phrase(kind, factor), own.map { phrase($0, stated) } ?? "no scaling", false)
    }
    if let base, let other = declaration.base?.value, abs(base - other) > base * 1e-6 {
      return ("base \(plain(base))", "\(plain(other))", true)
    }
    return nil
  }

  private func phrase(_ kind: String, _ factor: Double?) -> String { factor.map { "\(kind) ×\(plain($0))" } ?? kind }
}

extension LintedModel {
  /// What is published about a model, where it says something that no other rule judges.
  fileprivate func publishedRecord(of file: some LintedFile, _ declaration: RoPEDeclaration) -> TrainingRecord? {
    guard let known = published(like: file, window: declaration.contextLength), let trained = known.trainedScaling
    else { return nil }
    if trained.kind != "yarn", declaration.scalingKind == "yarn" || file.input.format == .gguf { return nil }
    if declaration.scalingKind == nil,
      file.readings(of: deployment.targets).contains(where: { $0.kind.contains(trained.kind) })
    {
      return nil
    }
    return TrainingRecord(source: "as published for \(known.name)", kind: trained.kind, factor: trained.factor)
  }
}
