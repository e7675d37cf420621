import LosslessJSON
import ModelConfig
import Runtimes

extension Rule {
  static let unknownKind = Rule(
    "YP104", "unknown, misspelled or vendor kind", severity: "error; warning for known vendor aliases",
    checks: """
      A kind is none of default, linear, dynamic, yarn, longrope, llama3, proportional; or it is a name that only some \
      runtimes know (su, ntk, xdrope, mrope, deepseek_yarn, telechat3-yarn) and a target refuses the file for it.
      """,
    why: """
      vLLM, SGLang and mlx-lm raise at a kind they do not know, transformers warns and fails when the model is built. \
      Each knows another set of vendors' names, and `telechat3-yarn` means YaRN with 0.07 in place of 0.1 in the \
      magnitude, so that replacing it by `yarn` alone would change the scores.
      """,
    example: #"{"rope_scaling": {"rope_type": "YaRN", "factor": 4.0, "original_max_position_embeddings": 32768}}"#,
    remedy: """
      Write the kind in lower case under its published name. For an alias write `yarn` with the magnitude that the alias \
      stands for; the suggested fix does that.
      """,
    exceptions: """
      An alias that every target reads, such as `mrope` in Qwen2-VL. `ntk`, `xdrope` and `mrope` have no equal among the \
      published kinds and get no fix.
      """,
    sources: ["vLLM rotary_embedding/__init__.py", "vllm-project/vllm PR 56446", "mlx-lm models/rope_utils.py"]
  ) { model in
    model.configs.flatMap { config in
      config.dictionaries.flatMap { dictionary in
        [ConfigKey.ropeType, ConfigKey.type].compactMap { key in
          UnknownKind(key, dictionary, config, model)?.finding
        }
      }
    }
  }

  /// The kinds that are published under these names and that most runtimes know.
  static let publishedKinds = ["default", "linear", "dynamic", "yarn", "longrope", "llama3", "proportional"]
}

/// A kind that is none of the published ones.
private struct UnknownKind {
  let config: LintedConfig
  let model: LintedModel
  let dictionary: ScalingDictionary
  let key: String
  /// The keys under which the kind stands.
  private let keys: [String]
  /// `nil` when the kind is no text.
  let kind: String?

  /// Names that some runtime knows, with the published kind in whose place they stand.
  private static let aliases: [String: String?] = [
    "su": "longrope", "deepseek_yarn": "yarn", "telechat3-yarn": "yarn", "ntk": nil, "xdrope": nil, "mrope": nil,
  ]

  init?(_ key: String, _ dictionary: ScalingDictionary, _ config: LintedConfig, _ model: LintedModel) {
    guard let value = dictionary[key]?.value, !value.isNull else { return nil }
    (self.config, self.model, self.dictionary, self.key) = (config, model, dictionary, key)
    let text = value.string
    // The same under both names is one finding.
    let keys = [ConfigKey.ropeType, ConfigKey.type].filter { dictionary[$0]?.value.string == text }
    if let text, Rule.publishedKinds.contains(text) || keys.first != key { return nil }
    (self.kind, self.keys) = (text, keys)
  }

  private var readings: [RuntimeReading] { config.readings(of: model.deployment.targets, for: dictionary) }

  var finding: Finding? {
    guard let kind else {
      return found(.error, "The kind is not a text: no runtime can use it.", "Name the kind, such as \"yarn\".")
    }
    let name = JSONText.quoted(String(kind.prefix(40)))
    if let published = Self.aliases[kind] {
      // Who refuses the file under the published name as well has another reason.
      let renamed = config.imagining(changes(to: published ?? "default"))
      let reading = renamed?.readings(of: model.deployment.targets, for: dictionary).names { $0.refused == nil } ?? []
      let refusing = readings.names { $0.refused != nil && reading.contains($0.runtime) }
      guard !refusing.isEmpty else { return nil }
      return found(
        .warning, "Kind \(name) is a name that not every runtime knows (\(readings.outcomes)).",
        published.map { "Write \"\($0)\"." } ?? "There is no published kind that is equal to it.", runtimes: refusing,
        fix: published.flatMap(replacement))
    }
    let plainSpelling = String(kind.prefix(64).lowercased().filter { !$0.isWhitespace })
    if Rule.publishedKinds.contains(plainSpelling) {
      return found(
        .error, "Kind \(name) is not recognised (\(readings.outcomes)).", "Write \"\(plainSpelling)\".",
        fix: .safe("write the kind as \"\(plainSpelling)\"", changes(to: plainSpelling)))
    }
    let guess = plainSpelling.slip(of: Rule.publishedKinds)
    return found(
      .error, "Kind \(name) is not recognised (\(readings.outcomes)).",
      guess.map { "Did you mean \"\($0)\"?" } ?? "Known are \(Rule.publishedKinds.listed).")
  }

  private func found(
    _ severity: Severity, _ what: String, _ remedy: String, runtimes: [String] = [], fix: Fix? = nil
  ) -> Finding {
    config.finding(
      severity, at: dictionary.pointer(to: key), "\(what) \(remedy)", expected: "a published kind", runtimes: runtimes,
      fix: fix)
  }

  private func changes(to kind: String) -> [SettingChange] {
    keys.map { config.change(dictionary.pointer(to: $0), .string(kind)) }
  }

  /// The published kind with the magnitude that a runtime computes which knows the alias.
  private func replacement(_ published: String) -> Fix? {
    var changes = changes(to: published)
    let knowing = config.readings(of: [.vllm, .mlxLM], for: dictionary).first { $0.table != nil }
    if published == "yarn", config.declaration?.usesLatentAttention != true {
      guard let magnitude = knowing?.table?.attentionFactor, let factor = knowing?.factor, factor > 1 else {
        return nil
      }
      changes += config.magnitudeChanges(magnitude, factor: factor, of: dictionary)
    }
    let addition = changes.count > keys.count ? " with the magnitude of \(kind ?? "")" : ""
    return .unsafe("write \"\(published)\"\(addition)", changes)
  }
}
