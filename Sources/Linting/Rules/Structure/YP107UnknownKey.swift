import Bytes
import LosslessJSON
import ModelConfig

extension Rule {
  static let unknownKey = Rule(
    "YP107", "unknown key in the dictionary", severity: "warning; note for known harmless extras",
    checks: """
      A member of a scaling dictionary is none that some runtime reads for its kind: a slip of the pen, a name of \
      another program (`scale`, `scaling_factor`, `beta`, `extrapolation_factor`), or a member of another kind.
      """,
    why: """
      transformers ignores such a member with a line in its log and uses the default, so a misspelled \
      `attention_factor` changes nothing. A few of them are read by one program alone: `extrapolation_factor` by SGLang.
      """,
    example: #"{"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "atention_factor": 1.2}}"#,
    remedy: "Rename the member to the one that is meant, or remove it.",
    exceptions: """
      `attn_factor`, which belongs to the portable magnitude and has a rule of its own (YP401); values that are objects \
      (YP110); kinds that are not known (YP104). What belongs to another kind, and `finetuned`, is a note. \
      Renaming puts a value into effect, so that it is done only on demand.
      """,
    sources: [
      "deepseek-ai/DeepSeek-R1 issue 684", "transformers modeling_rope_utils.py",
      "vLLM transformers_utils/configs/mistral.py",
    ]
  ) { model in
    model.configs.flatMap { config in
      config.dictionaries.flatMap { dictionary -> [Finding] in
        guard let known = ScalingKeys(dictionary.kind) else { return [] }
        return dictionary.members.compactMap { member in
          guard !known.read.contains(member.key), member.node.value.members == nil else { return nil }
          return unknownKey(member, of: dictionary, known, config)
        }
      }
    }
  }

  private static func unknownKey(
    _ member: JSONMember, of dictionary: ScalingDictionary, _ known: ScalingKeys, _ config: LintedConfig
  ) -> Finding {
    let pointer = dictionary.pointer(to: member.key)
    let name = member.key.prefix(60)
    func found(_ severity: Severity, _ text: String, fix: Fix? = nil) -> Finding {
      config.finding(
        severity, at: pointer, text, expected: "a member of kind \(known.kind)", actual: "\(name)", fix: fix)
    }
    if let meaning = ScalingKeys.dialects[member.key] {
      return found(.warning, "Key `\(name)` is not part of kind \(known.kind): \(meaning).")
    }
    if member.key == "finetuned" || ScalingKeys.all.contains(member.key) {
      return found(.note, "Key `\(name)` means nothing to kind \(known.kind); no runtime reads it here. It may go.")
    }
    guard let meant = member.key.slip(of: known.read.sorted()) else {
      return found(.warning, "Key `\(name)` is read by no runtime. Remove it, or write the name that is meant.")
    }
    let isFree = config.document[dictionary.pointer(to: meant)] == nil
    let rename = ByteEdit(
      at: UInt64(member.keyRange.lowerBound), expected: Array(config.document.bytes[member.keyRange]),
      replacement: Array(JSONText.quoted(meant).utf8))
    return found(
      .warning, "Key `\(name)` is read by no runtime, which take the default instead. Did you mean `\(meant)`?",
      fix: isFree
        ? Fix(
          safety: .unsafe, description: "rename it to \(meant)", action: .edit(path: config.path, EditList([rename])))
        : nil)
  }
}

/// What members a scaling dictionary may have.
private struct ScalingKeys {
  let kind: String
  /// Those that some runtime reads for the kind.
  let read: Set<String>

  /// `nil` for a kind whose members are not known.
  init?(_ kind: String?) {
    guard let kind, let read = Self.read[kind] else { return nil }
    (self.kind, self.read) = (kind, read)
  }

  /// Members of any kind.
  static let all = own.values.reduce(into: common) { $0.formUnion($1) }

  private static let common: Set = [
    ConfigKey.ropeType, ConfigKey.type, ConfigKey.ropeTheta, ConfigKey.partialRotaryFactor, "rope_dim", "mrope_section",
    "mrope_interleaved", "interleaved", "xdrope_section",
  ]
  private static let yarn: Set = [
    ConfigKey.factor, ConfigKey.original, ConfigKey.attentionFactor, ConfigKey.attnFactor, ConfigKey.betaFast,
    ConfigKey.betaSlow, ConfigKey.mscale, ConfigKey.mscaleAllDim, ConfigKey.truncate, "apply_yarn_scaling",
    "apply_scale", "llama_4_scaling_beta", ConfigKey.maximum,
  ]
  private static let longrope: Set = [
    "short_factor", "long_factor", "short_mscale", "long_mscale", ConfigKey.factor, ConfigKey.attentionFactor,
    ConfigKey.original,
  ]
  private static let read = own.mapValues(common.union)
  private static let own: [String: Set<String>] = [
    "default": [], "mrope": [], "yarn": yarn, "deepseek_yarn": yarn, "telechat3-yarn": yarn, "longrope": longrope,
    "su": longrope, "linear": [ConfigKey.factor], "proportional": [ConfigKey.factor],
    "dynamic": [ConfigKey.factor, ConfigKey.original, "alpha", "max_trained_positions"],
    "llama3": [ConfigKey.factor, ConfigKey.original, "low_freq_factor", "high_freq_factor"],
    "ntk": [ConfigKey.factor, "mixed_b"], "xdrope": [ConfigKey.factor, "alpha"],
  ]

  /// Names of other programs with what they mean there.
  static let dialects = [
    "extrapolation_factor":
      "SGLang alone reads it from config.json, and mixes the two frequency tables by it. Remove it",
    "alpha":
      "in Mistral's params.json it is `beta_slow`, elsewhere it raises the base. Write `beta_slow` if that is meant",
    "beta": "in Mistral's params.json it is `beta_fast`. Write `beta_fast`",
    "scale": "another program's name for `factor`. Write `factor`",
    "scaling_factor": "another program's name for `factor`. Write `factor`",
  ]
}
