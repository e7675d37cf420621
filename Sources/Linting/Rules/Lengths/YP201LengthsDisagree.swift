import ModelConfig

extension Rule {
  static let lengthsDisagree = Rule(
    "YP201", "maximum, original and factor do not agree",
    severity: "error when the maximum is at most the original length or above original × factor; warning between; "
      + "note when original × factor is no whole number",
    checks: """
      In a config.json with YaRN, whether `max_position_embeddings` equals `original_max_position_embeddings` × `factor`.
      """,
    why: """
      Only the equality is read alike everywhere. vLLM 0.33 and SGLang serve the stated maximum and no more, so one that \
      stayed at the original length keeps the short window although every frequency is scaled; earlier vLLM served \
      original × factor. LMDeploy's TurboMind replaces the factor by maximum ÷ original for the frequencies and keeps \
      the stated one for the magnitude. Above original × factor, positions run past the table that vLLM computes.
      """,
    example: """
      {
        "max_position_embeddings": 40960,
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}
      }
      """,
    remedy: """
      Let the patch write all three: `yarn-patch patch MODEL --factor F --original-context N`. By hand, set the maximum \
      to original × factor. Mind published windows that are not the trained length: Qwen3 states 40960 and was trained \
      on 32768.
      """,
    exceptions: """
      Kinds other than YaRN: llama3 models are published with other windows, linear and dynamic ones state the window \
      before scaling. A GGUF is judged by YP604. No fix is offered where kinds of layers need different maxima, or for a \
      product that is no whole number.
      """,
    sources: [
      "vLLM config/model.py, transformers_utils/model_arch_config_convertor.py", "SGLang hf_transformers/common.py",
      "LMDeploy turbomind/models/utils.py", "theroyallab/tabbyAPI issue 239", "rasbt/reasoning-from-scratch issue 42",
    ]
  ) { model in
    model.configs.flatMap { config in
      let scaled = config.scalings.map(\.declaration).filter { $0.scalingKind == "yarn" }
      // One maximum cannot be right for layers that need different ones.
      let isFixable = Set(scaled.map(\.scaledLength)).count == 1
      return scaled.compactMap { lengths(of: $0, in: config, model, isFixable: isFixable) }
    }
  }

  private static func lengths(
    of declaration: RoPEDeclaration, in config: LintedConfig, _ model: LintedModel, isFixable: Bool
  ) -> Finding? {
    guard let maximum = declaration.contextLength, let original = declaration.originalContext?.value,
      let factor = declaration.factor?.value, let product = declaration.scaledLength, Double(maximum.value) != product
    else { return nil }
    let key = maximum.place.key ?? ""
    let length = plain((product * 100).rounded() / 100)
    let facts = "Maximum \(maximum.value), original \(original), factor \(plain(factor))"
    if product != product.rounded(), Double(maximum.value) == product.rounded(.down) {
      return config.finding(
        .note, at: key,
        """
        \(facts): original × factor is \(length), no whole number of tokens. Type `yarn-patch patch \
        \(model.path.shellWord) --context \(maximum.value) --original-context \(original)` for a factor that fits.
        """,
        expected: "a whole number of tokens")
    }
    let (isShort, isBeyond) = (maximum.value <= original, Double(maximum.value) > product)
    let consequence =
      isShort
      ? "the window stays short although every frequency is scaled"
      : isBeyond
        ? "positions from \(length) on lie beyond what the scaling covers, and past the table of vLLM"
        : "runtimes that derive the window or the factor from the other two arrive at other numbers"
    let served = config.readings(of: model.deployment.targets).telling { $0.contextLength.map(Double.init) }
    let known = model.model(whoseWindowIs: original, like: config)
    let fix = isFixable ? lengthsFix(config, declaration, product, trained: known?.trainedLength) : nil
    return config.finding(
      isShort || isBeyond ? .error : .warning, at: key,
      """
      \(facts): \(consequence)\(served.isEmpty ? "" : " (as the window, \(served))").\
      \(known.map { " \(original) is the window of \($0.name), which was trained on \($0.trainedLength)." } ?? "") \
      \(fix.map { "To correct it, \($0.description)" } ?? "State a maximum of original × factor, \(length)").
      """,
      expected: length, fix: fix)
  }

  private static func lengthsFix(
    _ config: LintedConfig, _ declaration: RoPEDeclaration, _ product: Double, trained: Int?
  ) -> Fix? {
    guard let factor = declaration.factor?.value, let window = Int(exactly: product), window < 1 << 31 else {
      return nil
    }
    if let trained, Double(trained) * factor == declaration.contextLength.map({ Double($0.value) }) {
      return config.restating(declaration, original: trained).map {
        .unsafe("set the original length to \(trained)", $0)
      }
    }
    return config.restating(declaration, window: window).map { .unsafe("set the maximum to \(window)", $0) }
  }
}

extension LintedModel {
  /// The published model whose window a length is, where that is longer than what the weights were trained on.
  fileprivate func model(whoseWindowIs original: Int, like config: LintedConfig) -> KnownModel? {
    guard let stated = config.declaration?.originalContext, stated.value == original,
      let known = published(like: config, window: stated), known.trainedLength < original
    else { return nil }
    return known
  }
}
