import Diagnostics
import LosslessJSON
import ModelConfig

extension Rule {
  static let betas = Rule(
    "YP305", "betas out of order or not positive", severity: "error; warning when equal",
    checks: """
      Whether `beta_fast` lies above `beta_slow`, 32 and 1 standing for what is not stated, and both are numbers above 0.
      """,
    why: """
      The wrong way round, transformers only warns, and the ramp is reversed in every torch code and in mlx-lm: measured \
      with 1 and 32 and factor 4, the fastest pair turns at a quarter of its speed, which destroys the order of \
      neighbouring tokens. A zero or a null is replaced by the default in transformers, while vLLM, SGLang and mlx-lm \
      fail on it.
      """,
    example: #"{"rope_type": "yarn", "factor": 4.0, "beta_fast": 1.0, "beta_slow": 32.0}"#,
    remedy:
      "Swap them, or remove both: 32 and 1 are the defaults everywhere. `--beta-fast` and `--beta-slow` set them.",
    exceptions: """
      Equal betas of weights that were trained with their YaRN, such as Kimi K2 with 1 and 1. Of a GGUF only the \
      architectures count for which llama.cpp reads the betas (YP605). Swapping changes every table, \
      so that it is done only on demand.
      """,
    sources: ["transformers modeling_rope_utils.py", "vLLM rotary_embedding/common.py", "runtimes' recorded tables"]
  ) { model in
    model.configs.flatMap { config in
      config.dictionaries.flatMap { unusableBetas(config, $0) }
        + config.scalings.compactMap { wrongOrder(config, $0.dictionary, $0.declaration, in: model) }
    } + model.ggufs.compactMap { wrongOrder($0, in: model) }
  }

  private static func unusableBetas(_ config: LintedConfig, _ dictionary: ScalingDictionary) -> [Finding] {
    guard ["yarn", "deepseek_yarn"].contains(dictionary.kind) else { return [] }
    return [(ConfigKey.betaFast, 32), (ConfigKey.betaSlow, 1)].compactMap { key, usual in
      guard let value = dictionary[key]?.value else { return nil }
      let number = value.number?.double ?? .nan
      guard !(number > 0 && number.isFinite) else { return nil }
      return config.finding(
        .error, at: dictionary.pointer(to: key),
        """
        `\(key)` is \(value.noun): it must be a number above 0. \
        \(number == 0 || value.isNull
          ? "transformers takes \(usual) instead, vLLM, SGLang and mlx-lm fail" : "No runtime computes a sound ramp with it"). \
        Remove the member for \(usual).
        """,
        expected: "a finite number above 0",
        fix: number == 0 || value.isNull
          ? .safe("remove \(key)", [config.change(dictionary.pointer(to: key), nil)]) : nil)
    }
  }

  private static func wrongOrder(
    _ config: LintedConfig, _ dictionary: ScalingDictionary, _ declaration: RoPEDeclaration, in model: LintedModel
  ) -> Finding? {
    guard declaration.scalingKind == "yarn",
      [ConfigKey.betaFast, ConfigKey.betaSlow].allSatisfy({ dictionary[$0].map { $0.value.number != nil } ?? true })
    else { return nil }
    let (fast, slow) = (declaration.betaFast?.value ?? 32, declaration.betaSlow?.value ?? 1)
    let key = dictionary[ConfigKey.betaFast] == nil ? ConfigKey.betaSlow : ConfigKey.betaFast
    let (fastPlace, slowPlace) = (
      dictionary.pointer(to: ConfigKey.betaFast), dictionary.pointer(to: ConfigKey.betaSlow)
    )
    guard let severity = severity(fast, slow, isTrained: model.isTrainedScaling(of: config)) else { return nil }
    var fix: Fix?
    if severity == .error, declaration.betaFast != nil, declaration.betaSlow != nil {
      fix = .unsafe(
        "swap the betas", [config.change(fastPlace, .float(slow)), config.change(slowPlace, .float(fast))])
    }
    return config.finding(
      severity, at: dictionary.pointer(to: key), orderMessage(fast, slow, severity),
      expected: "beta_fast above beta_slow", actual: "\(plain(fast)) and \(plain(slow))", fix: fix)
  }

  private static func wrongOrder(_ gguf: LintedGGUF, in model: LintedModel) -> Finding? {
    guard gguf.keys.architecture.readsBetas, let declaration = gguf.declaration, declaration.scalingKind == "yarn",
      let place = (declaration.betaFast ?? declaration.betaSlow)?.place.key
    else { return nil }
    let (fast, slow) = (
      declaration.betaFast?.value ?? gguf.keys.architecture.defaultBetaFast, declaration.betaSlow?.value ?? 1
    )
    guard let severity = severity(fast, slow, isTrained: model.isTrainedScaling(of: gguf)) else { return nil }
    return gguf.finding(
      severity, at: place,
      orderMessage(fast, slow, severity)
        + " Type \(gguf.patching("--factor \(plain(declaration.factor?.value ?? 1)) --beta-fast 32 --beta-slow 1")).",
      expected: "beta_fast above beta_slow",
      actual: "\(plain(fast)) and \(plain(slow))")
  }

  private static func severity(_ fast: Double, _ slow: Double, isTrained: Bool) -> Severity? {
    fast < slow ? .error : fast == slow && !isTrained ? .warning : nil
  }

  private static func orderMessage(_ fast: Double, _ slow: Double, _ severity: Severity) -> String {
    severity == .error
      ? """
      beta_fast \(plain(fast)) is below beta_slow \(plain(slow)): the ramp is reversed, fast pairs are slowed by the \
      factor and slow ones kept. Swap them, or remove both for 32 and 1.
      """
      : """
      beta_fast and beta_slow are both \(plain(fast)): there is no ramp between kept and interpolated pairs. Remove \
      both for 32 and 1 unless the weights were trained so.
      """
  }
}
