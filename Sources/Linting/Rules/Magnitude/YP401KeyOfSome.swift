import LosslessJSON
import ModelConfig
import RoPE
import Runtimes

extension Rule {
  static let magnitudeOfSome = Rule(
    "YP401", "magnitude key read by some runtimes only",
    severity: "error when the final magnitude differs between targets by more than 0.1 %, else warning",
    checks: """
      A YaRN dictionary states `attn_factor` without `attention_factor`, or an `attention_factor` that is not the \
      automatic 0.1 ln s + 1 without the other spellings beside it.
      """,
    why: """
      `attention_factor` is the final value for transformers and vLLM; SGLang and older vLLM multiply the automatic \
      value by `attn_factor` and ignore the other; mlx-lm reads neither and takes `mscale`. With one of the keys alone \
      the attention scores of the same model differ by the square of the ratio.
      """,
    example: """
      {"rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768, "attn_factor": 0.878}}
      """,
    remedy: """
      Write all spellings of the value A: `attention_factor` A, `attn_factor` A / default, `mscale` (A − 1) / (0.1 ln s), \
      without `mscale_all_dim`. `yarn-patch patch MODEL --factor F --attention-factor A` and the suggested fix do.
      """,
    exceptions: """
      llama.cpp takes no magnitude from config.json; its key is `rope.scaling.attn_factor` of the GGUF, relative to the \
      automatic value. Of latent attention (MLA) the spellings mean other things, so there is no fix.
      """,
    sources: [
      "PrimeIntellect-ai/prime-rl PR 2802", "vllm-project/vllm PRs 46280 and 56446", "ml-explore/mlx-lm PR 1507",
    ]
  ) { model in
    model.configs.flatMap { config in
      config.yarnScalings.compactMap { dictionary, declaration in
        OneSidedMagnitude(dictionary, declaration, config, model)?.finding
      }
    }
  }
}

/// A magnitude that not every runtime reads.
private struct OneSidedMagnitude {
  let config: LintedConfig
  let path: String
  let dictionary: ScalingDictionary
  let readings: [RuntimeReading]
  let factor: Double
  /// The key that says what is wanted, with its value.
  let key: String
  let value: Double
  /// The final value that it stands for.
  let wanted: Double
  let isLatent: Bool
  /// The options that leave out the runtimes that take no magnitude from a config.json.
  let readers: String

  init?(
    _ dictionary: ScalingDictionary, _ declaration: RoPEDeclaration, _ config: LintedConfig, _ model: LintedModel
  ) {
    let stated = dictionary.number(ConfigKey.attentionFactor)
    guard let factor = declaration.factor?.value, factor > 1,
      let value = stated ?? dictionary.number(ConfigKey.attnFactor)
    else { return nil }
    let automatic = yarnMagnitude(factor: factor)
    wanted = stated ?? value * automatic
    // What no model can attend with is YP402's.
    guard wanted > 0 else { return nil }
    if let stated, stated.isMagnitude(automatic), !dictionary.states(ConfigKey.attnFactor) { return nil }
    readings = config.readings(of: model.deployment.targets, for: dictionary).withoutConverter
    let spellings = [ConfigKey.attentionFactor, ConfigKey.attnFactor, ConfigKey.mscale]
    guard readings.contains(where: { $0.table != nil }),
      readings.magnitudeSpread > 1e-3 || !spellings.allSatisfy(dictionary.states)
    else {
      return nil
    }
    (self.config, self.dictionary, self.factor, self.value) = (config, dictionary, factor, value)
    path = model.path
    key = stated == nil ? ConfigKey.attnFactor : ConfigKey.attentionFactor
    isLatent = declaration.usesLatentAttention
    readers = config.magnitudeReaders(among: model.deployment.targets)
  }

  var finding: Finding {
    let remedy =
      isLatent
      ? "With latent attention state `mscale` and `mscale_all_dim` instead, which every runtime reads there."
      : """
      Write all spellings: \
      `yarn-patch patch \(path.shellWord) --factor \(plain(factor)) --attention-factor \(plain(wanted))\(readers)`.
      """
    return config.finding(
      readings.magnitudeSpread > 1e-3 ? .error : .warning, at: dictionary.pointer(to: key),
      """
      `\(key)` is read by some runtimes only, and the magnitude depends on who runs the model \
      (\(readings.magnitudes)). \(remedy)
      """,
      expected: "\(rounded(wanted)) for every runtime", actual: "\(key) \(plain(value))",
      runtimes: readings.names { !($0.table?.attentionFactor.isMagnitude(wanted) ?? true) }, fix: isLatent ? nil : fix)
  }

  /// All spellings, or none where the wanted value is the automatic one.
  private var fix: Fix {
    let spelled = config.magnitudeChanges(wanted, factor: factor, of: dictionary)
    let keys = [ConfigKey.attentionFactor, ConfigKey.attnFactor, ConfigKey.mscale, ConfigKey.mscaleAllDim]
    let removed = keys.map { config.change(dictionary.pointer(to: $0), nil) }
    return .unsafe("write the magnitude \(rounded(wanted)) for every runtime", spelled.isEmpty ? removed : spelled)
  }
}
