import ModelConfig

extension Rule {
  static let servingLength = Rule(
    "YP203", "intended serving length not covered", severity: "error",
    checks: """
      The serving length given with `--serve-length` or in the policy exceeds the window that the file states, or \
      original length × factor.
      """,
    why: """
      Environment variables and options that allow longer sequences lift a check without scaling anything: positions \
      beyond the window get angles that the model has never seen.
      """,
    example: #"{"max_position_embeddings": 65536} with --serve-length 131072"#,
    remedy: "Extend the model: `yarn-patch patch MODEL --context N`, or serve less.",
    exceptions: "Without a serving length there is nothing to compare.",
    sources: ["vLLM VLLM_ALLOW_LONG_MAX_MODEL_LEN", "llama.cpp --ctx-size"]
  ) { model in
    guard let length = model.deployment.serveLength else { return [] }
    return model.files.compactMap { file in
      guard let declaration = file.declaration, let window = declaration.contextLength else { return nil }
      var covered = window.value
      if declaration.scalingKind == "yarn" || declaration.scalingKind == "linear",
        let original = declaration.originalContext?.value, let factor = declaration.factor?.value
      {
        covered = min(covered, Int(exactly: (Double(original) * factor).rounded()) ?? covered)
      }
      guard length > covered else { return nil }
      return Finding(
        .error, at: window.place,
        """
        \(length) tokens are to be served and the file covers \(covered): every runtime computes positions beyond it \
        with angles the model never saw. Type `yarn-patch patch \(model.path) --context \(length)`.
        """,
        expected: "at least \(length)", actual: "\(covered)")
    }
  }
}
