import LosslessJSON
import ModelConfig

/// Mistral's own description of a model, params.json.
///
/// ```
/// {"dim": 5120, "head_dim": 128, "rope_theta": 1000000.0,
///  "yarn": {"factor": 16.0, "original_max_position_embeddings": 16384, "beta": 32.0, "alpha": 1.0,
///           "apply_scale": false}}
/// ```
/// `beta` and `alpha` are beta_fast and beta_slow; `apply_scale` says whether YaRN's magnitude is applied.
/// - Source: llama.cpp `conversion/mistral.py`, vLLM 0.33 `transformers_utils/configs/mistral.py:114-143`.
struct NativeParameters {
  let model: LintedModel
  let document: JSONDocument?

  init(_ model: LintedModel) {
    self.model = model
    document = model.siblings["params.json"]
  }

  /// What it says differently from config.json.
  func findings(against config: LintedConfig) -> [Finding] {
    guard let document, let declared = config.declaration,
      let settings = ComparedSettings(config, asConverted: false)
    else { return [] }
    guard let yarn = document["/yarn"]?.value, yarn.members != nil else {
      let base = numbers(declared, settings, hasYaRN: false)
      return settings.kind == "yarn" && document["/rope_theta"] != nil
        ? base + [missingYaRN(declared, settings)] : base
    }
    guard settings.kind == "yarn" else {
      return [finding("/yarn", "YaRN", settings.phrase, fix: nil)]
    }
    return numbers(declared, settings, hasYaRN: true)
      + [magnitude(settings)].compactMap(\.self)
  }

  private func finding(_ pointer: String, _ mine: String, _ theirs: String, fix: Fix?) -> Finding {
    let path = document?.path ?? model.path
    return Finding(
      .error, at: document?.location(of: pointer) ?? .init(path: path),
      """
      config.json says \(theirs), params.json \(mine): vLLM and llama.cpp's converter read params.json when they are told \
      to take Mistral's format. Write the same into both.
      """,
      expected: theirs, actual: mine, fix: fix)
  }

  /// Numbers that both state and that differ.
  private func numbers(_ declared: RoPEDeclaration, _ settings: ComparedSettings, hasYaRN: Bool) -> [Finding] {
    var pairs: [(pointer: String, name: String, value: Double?, isLength: Bool)] = [
      ("/rope_theta", "base", declared.base?.value, false)
    ]
    if hasYaRN {
      pairs += [
        ("/yarn/factor", "factor", settings.factor, false),
        ("/yarn/original_max_position_embeddings", "original length", settings.original, true),
        ("/yarn/beta", "beta_fast", declared.betaFast?.value, false),
        ("/yarn/alpha", "beta_slow", declared.betaSlow?.value, false),
      ]
    }
    return pairs.compactMap { pointer, name, value, isLength in
      guard let document, let value, let mine = document[pointer]?.value.number?.double,
        !ComparedSettings.agree(mine, value)
      else { return nil }
      let text = isLength ? Int(exactly: value).map(JSONText.integer) : .float(value)
      let fix = text.map { text in
        Fix.unsafe(
          "set \(pointer) to \(plain(value)) as config.json does",
          [SettingChange(document.path, pointer, .json(text))])
      }
      return finding(
        pointer, "\(name) \(plain(mine))", "\(name) \(plain(value))", fix: name == "base" ? nil : fix)
    }
  }

  private func magnitude(_ settings: ComparedSettings) -> Finding? {
    guard let applies = document?["/yarn/apply_scale"]?.value.bool, let factor = settings.factor,
      let magnitude = settings.magnitude
    else { return nil }
    let native = applies ? RoPEDeclaration().automaticMagnitude(factor: factor) : 1
    guard !ComparedSettings.agree(native, magnitude, within: 1e-4) else { return nil }
    return finding(
      "/yarn/apply_scale", "magnitude \(rounded(native))", "magnitude \(rounded(magnitude))", fix: nil)
  }

  private func missingYaRN(_ declared: RoPEDeclaration, _ settings: ComparedSettings) -> Finding {
    var fix: Fix?
    if let document, let factor = settings.factor, let original = declared.originalContext?.value {
      let automatic = RoPEDeclaration().automaticMagnitude(factor: factor)
      let yarn = JSONText.object([
        ("factor", .float(factor)), ("original_max_position_embeddings", .integer(original)),
        ("beta", .float(declared.betaFast?.value ?? 32)), ("alpha", .float(declared.betaSlow?.value ?? 1)),
        ("apply_scale", .bool(ComparedSettings.agree(settings.magnitude, automatic, within: 1e-4))),
      ])
      fix = .unsafe(
        "state \(settings.phrase) as config.json does",
        [SettingChange(document.path, "/yarn", .json(yarn), after: ["rope_theta"])])
    }
    return finding("/rope_theta", "no scaling", settings.phrase, fix: fix)
  }
}
