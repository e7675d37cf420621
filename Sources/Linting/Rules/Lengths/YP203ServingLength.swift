import ModelConfig
import Runtimes

extension Rule {
  static let servingLength = Rule(
    "YP203", "intended serving length not covered", severity: "error",
    checks: """
      The serving length given with `--serve-length` or in the policy exceeds the window that the file states or, with \
      YaRN, original length × factor.
      """,
    why: """
      Environment variables and options that allow longer sequences lift a check without scaling anything: positions \
      beyond the window get angles that the model has never seen.
      """,
    example: #"{"max_position_embeddings": 65536} with --serve-length 131072"#,
    remedy: "Extend the model: `yarn-patch patch MODEL --context N`, or serve less.",
    exceptions: """
      Without a serving length there is nothing to compare. A linear or dynamic config.json states the window before \
      scaling, which servers multiply by the factor; so does this rule. The fix restates factor and maximum of a file \
      that has YaRN already, unless its weights were trained with it or it states a magnitude, which belongs to its \
      factor.
      """,
    sources: [
      "vLLM VLLM_ALLOW_LONG_MAX_MODEL_LEN", "llama.cpp --ctx-size", "vllm-project/vllm issue 8793",
      "defilantech/LLMKube issue 507",
    ]
  ) { model in
    guard let length = model.deployment.serveLength else { return [] }
    return model.files.compactMap { file in
      guard let declaration = file.declaration, let window = declaration.contextLength else { return nil }
      var covered = file.readings(of: .formula).first?.contextLength ?? window.value
      if declaration.scalingKind == "yarn", let product = declaration.scaledLength {
        covered = min(covered, Int(exactly: product.rounded(.down)) ?? covered)
      }
      guard length > covered else { return nil }
      let fix = model.rescaling(file, to: length)
      return Finding(
        .error, at: window.place,
        """
        \(length) tokens are to be served and the file covers \(covered)\
        \(fix.map { _ in "; factor \(plain(Double(length) / Double(declaration.originalContext?.value ?? 1))) is needed" }
          ?? ""): every runtime computes positions beyond it with angles the model never saw. Type `yarn-patch patch \
        \(model.path.shellWord) --context \(length)\(model.magnitudeOption(file))`\(model.magnitudeOption(file).isEmpty ? "" : ", A the magnitude at the new factor").
        """,
        expected: "at least \(length)", actual: "\(covered)", fix: fix)
    }
  }
}

extension LintedModel {
  /// Another factor and window for a file that YaRN extends, `nil` where more than these two numbers would have to change.
  func rescaling(_ file: some LintedFile, to length: Int) -> Fix? {
    guard let declaration = file.declaration, declaration.scalingKind == "yarn",
      let original = declaration.originalContext?.value, length > original, length < 1 << 31,
      file.declarations.count(where: { $0.scalingKind != nil }) == 1,
      [declaration.attentionFactor, declaration.mscale].allSatisfy({ $0 == nil }),
      known(file)?.trainedScaling == nil
    else { return nil }
    let factor = file.factor(covering: length, from: original)
    guard let window = Int(exactly: (Double(original) * factor).rounded(.down)),
      let changes = file.restating(declaration, factor: factor, window: window)
    else { return nil }
    return .unsafe("set the factor to \(plain(factor)) and the maximum to \(window)", changes)
  }
}
