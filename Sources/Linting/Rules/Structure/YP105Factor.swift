import LosslessJSON
import ModelConfig

extension Rule {
  static let factorUnusable = Rule(
    "YP105", "factor missing or unusable", severity: "error; warning when exactly 1",
    checks: """
      The kind needs a factor (yarn, linear, dynamic, llama3 and their vendors' names) and `factor` is absent, null, no \
      number, not finite, or below 1; or it is exactly 1, which scales nothing.
      """,
    why: """
      transformers and vLLM raise at a missing factor and only warn about a bad one; SGLang puts 1 in its place with a \
      line in the log, so the scaling is gone and the model answers as before, up to its old window. A text such as \
      "4.0" raises later, in the middle of the computation.
      """,
    example: #"{"rope_scaling": {"rope_type": "yarn", "original_max_position_embeddings": 32768}}"#,
    remedy: """
      State the window divided by the original length: `yarn-patch patch MODEL --factor F --original-context N`. To \
      leave the model unscaled, `--method none`.
      """,
    exceptions: """
      `dynamic` with `alpha`, which stands in place of the factor. The suggested fix is for yarn only: with linear and \
      dynamic the stated window is the one before scaling, and llama3 factors are no quotient of the two lengths.
      """,
    sources: ["transformers modeling_rope_utils.py", "SGLang rotary_embedding/factory.py _get_rope_param"]
  ) { model in
    model.configs.flatMap { config in
      config.scalings.compactMap { dictionary, declaration in
        let needing = ["yarn", "linear", "dynamic", "llama3", "ntk", "telechat3-yarn"]
        guard let kind = declaration.scalingKind, needing.contains(kind), dictionary["alpha"] == nil else { return nil }
        let stated = dictionary[ConfigKey.factor]
        if let factor = dictionary.number(ConfigKey.factor), factor >= 1 {
          guard factor == 1 else { return nil }
          return config.finding(
            .warning, at: dictionary.pointer(to: ConfigKey.factor),
            """
            A factor of 1 scales nothing, although the kind is \(JSONText.quoted(kind)). State the factor, or type \
            `yarn-patch patch \(model.path.shellWord) --method none` for a model that is not scaled.
            """,
            expected: "a factor above 1", actual: "1")
        }
        let quotient = kind == "yarn" ? declaration.lengthQuotient : nil
        let fix = factorFix(stated, quotient, dictionary, config)
        let readings = config.readings(of: model.deployment.targets, for: dictionary)
        // Of the other kinds the command writes none, and a value that is no number it leaves to the user.
        let remedy =
          stated != nil && dictionary.number(ConfigKey.factor) == nil
          ? "Write \((stated?.value.string.flatMap(Double.init) ?? quotient).map { "\($0)" } ?? "the number") there."
          : ["yarn", "linear", "dynamic", "ntk"].contains(kind)
            ? "Type `yarn-patch patch \(model.path.shellWord) --method \(kind) --factor \(quotient.map(plain) ?? "F")`."
            : "State the factor of the publisher's config."
        return config.finding(
          .error, at: stated == nil ? dictionary.pointer : dictionary.pointer(to: ConfigKey.factor),
          """
          `factor` must be a finite number above 1; found \(stated?.value.noun ?? "none") (\(readings.outcomes)). \(remedy)
          """,
          expected: "a factor above 1", actual: stated?.value.noun ?? "none", fix: fix)
      }
    }
  }

  private static func factorFix(
    _ stated: JSONNode?, _ quotient: Double?, _ dictionary: ScalingDictionary, _ config: LintedConfig
  ) -> Fix? {
    func change(to factor: Double) -> [SettingChange] {
      let kinds = [ConfigKey.ropeType, ConfigKey.type]
      return [config.change(dictionary.pointer(to: ConfigKey.factor), .float(factor), after: kinds)]
    }
    if let text = stated?.value.string, let factor = Double(text), factor.isFinite, factor > 1 {
      return .safe("write the factor as the number \(plain(factor))", change(to: factor))
    }
    return quotient.map { factor in
      .unsafe("state the factor \(plain(factor)), the window over the original length", change(to: factor))
    }
  }
}

extension RoPEDeclaration {
  /// The window over the original length, when that is above 1.
  fileprivate var lengthQuotient: Double? {
    guard let window = contextLength?.value, let original = originalContext?.value, window > original else {
      return nil
    }
    return Double(window) / Double(original)
  }
}
