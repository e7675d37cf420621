import LosslessJSON
import ModelConfig
import Runtimes

extension Rule {
  static let numberLiteral = Rule(
    "YP108", "number literal of the wrong kind", severity: "note; error when a target raises at it",
    checks: """
      A factor, a beta or a magnitude is written as a whole number, or a length with a decimal point or as a text.
      """,
    why: """
      transformers 4.57 warns about whole numbers for factor and betas, and both versions about a whole \
      `attention_factor`; the values are used. Of a linear scaling vLLM and SGLang demand a float: `"factor": 4` raises \
      a TypeError there, which makes it an error. A length written as 32768.0 has broken engines that count with it.
      """,
    example: #"{"rope_scaling": {"rope_type": "linear", "factor": 4}}"#,
    remedy: "Write 4.0 for factors, betas and magnitudes, and 32768 for lengths. The fix keeps each value.",
    exceptions: "Dictionaries without a scaling; a length that is no whole number, for which there is no fix.",
    sources: ["transformers 4.57 rope_config_validation", "vLLM linear_scaling_rope.py"]
  ) { model in
    model.configs.flatMap { config in
      config.scalings.flatMap { dictionary, declaration -> [Finding] in
        guard declaration.scalingKind != nil else { return [] }
        let floats = Rule.floats.compactMap { integerLiteral($0, in: dictionary, config, model) }
        return floats + [dictionary.pointer(to: ConfigKey.original)].compactMap { lengthLiteral($0, config) }
      }
        + [ConfigKey.original, ConfigKey.maximum].compactMap { config.member($0)?.pointer }
        .compactMap { lengthLiteral($0, config) }
    }
  }

  private static let floats = [
    ConfigKey.factor, ConfigKey.betaFast, ConfigKey.betaSlow, ConfigKey.attentionFactor, "low_freq_factor",
    "high_freq_factor",
  ]

  private static func integerLiteral(
    _ key: String, in dictionary: ScalingDictionary, _ config: LintedConfig, _ model: LintedModel
  ) -> Finding? {
    guard let number = dictionary[key]?.value.number, number.isInteger, number.double.isFinite else { return nil }
    let text = JSONText.float(number.double).compact
    let raising =
      dictionary.kind == "linear"
      ? config.readings(of: model.deployment.targets, for: dictionary).names { $0.refused?.kind == "TypeError" } : []
    return config.finding(
      raising.isEmpty ? .note : .error, at: dictionary.pointer(to: key),
      raising.isEmpty
        ? "`\(key)` is a whole number; transformers 4.57 wants a float there, and most of its classes warn. Write \(text)."
        : "`\(key)` is a whole number, at which \(raising.listed) raise\(raising.count == 1 ? "s" : ""). Write \(text).",
      expected: text, runtimes: raising.isEmpty ? [Runtime.transformers4.name] : raising,
      fix: .safe("write \(text)", [config.change(dictionary.pointer(to: key), .float(number.double))]))
  }

  private static func lengthLiteral(_ pointer: String, _ config: LintedConfig) -> Finding? {
    let length: Int?
    switch config.document[pointer]?.value {
    case .number(let number)? where !number.isInteger: length = number.integer
    case .string(let text)?: length = Int(text)
    default: return nil
    }
    let place = pointer.drop { $0 == "/" }
    return config.finding(
      .note, at: pointer,
      "`\(place)` is a count of tokens and not written as a whole number. Write \(length.map(String.init) ?? "one").",
      expected: length.map(String.init) ?? "a whole number",
      fix: length.map { .safe("write \($0)", [config.change(pointer, .integer($0))]) })
  }
}
