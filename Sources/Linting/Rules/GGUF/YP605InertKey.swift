import GGUF
import ModelConfig
import Runtimes

extension Rule {
  static let inertKey = Rule(
    "YP605", "key inert for this architecture", severity: "warning; note for per-layer bases",
    checks: """
      A key that llama.cpp does not read for the file's architecture, or reads and overwrites, states another value than \
      the one in use: `yarn_ext_factor` and `yarn_attn_factor` (read for grok), `yarn_beta_fast` and `yarn_beta_slow` \
      (grok, mistral3), `yarn_log_multiplier` (deepseek2, deepseek32, mistral4, mistral3), `alpha` (HunYuan). As notes: \
      `finetuned`, which only informs, and a base of the sliding layers that the scaling passes by.
      """,
    why: """
      The converter writes these for every architecture and few loaders ask for them, so a changed beta or magnitude has \
      no effect and nothing says so. `rope.scaling.attn_factor` is honoured by all, relative to YaRN's own magnitude.
      """,
    example: "qwen3.rope.scaling.yarn_beta_fast = 16",
    remedy: """
      Betas: `yarn-patch patch MODEL --beta-fast X --encoding factors` stores the ramp as a tensor where the architecture \
      loads one, otherwise pass `--yarn-beta-fast` to llama.cpp. Magnitude: `yarn-patch patch MODEL --factor F --attention-factor A`.
      """,
    exceptions: """
      A value that is used anyway (betas of 32 and 1, a log multiplier of 0, the magnitude in effect). Betas beside \
      divisors that yarn-patch wrote: they say what the divisors were made from.
      """,
    sources: [
      "llama.cpp src/models/*.cpp", "llama.cpp src/llama-context.cpp", "llama.cpp conversion/base.py",
      "ggml-org/llama.cpp issue 22140",
    ]
  ) { model in
    model.ggufs.flatMap { gguf -> [Finding] in
      guard let reading = gguf.llamaCpp, reading.refused == nil else { return [] }
      let ignored = Set(reading.notes.filter { $0.code == "ignored-key" }.compactMap(\.key))
      return inertNumbers(gguf, ignored, reading)
        + [alpha(gguf, reading), finetuned(gguf), slidingBase(gguf, ignored)]
        .compactMap(\.self)
    }
  }

  private static func inertNumbers(
    _ gguf: LintedGGUF, _ ignored: Set<String>, _ reading: RuntimeReading
  ) -> [Finding] {
    let keys = gguf.keys
    guard gguf.declaration?.encodedDivisors == nil else { return [] }
    let magnitude = reading.table?.attentionFactor ?? 1
    func beta(_ option: String, _ key: String) -> String {
      let value = "\(option) \(rounded(gguf.number(key) ?? 0))"
      return keys.architecture.takesDivisors
        ? "type \(gguf.patching("--factor F \(value) --encoding factors"))"
        : "pass --yarn-\(value.dropFirst(2)) on llama.cpp's command line"
    }
    let inUse = [
      (keys.betaFast, keys.architecture.defaultBetaFast, beta("--beta-fast", keys.betaFast)),
      (keys.betaSlow, 1, beta("--beta-slow", keys.betaSlow)),
      (keys.extrapolationFactor, reading.kind == "yarn" ? 1 : 0, "pass --yarn-ext-factor on llama.cpp's command line"),
      (
        keys.logMultiplier, 0,
        "state the magnitude with \(gguf.patching("--factor F --attention-factor A")), and take this key out"
      ),
      (
        keys.yarnAttentionFactor, magnitude,
        "type \(gguf.patching("--factor F --attention-factor \(rounded(gguf.number(keys.yarnAttentionFactor) ?? 1))"))"
      ),
    ]
    return inUse.compactMap { key, used, remedy in
      guard ignored.contains(key), let stated = gguf.number(key), abs(stated - used) > 1e-4 * max(1, abs(used)) else {
        return nil
      }
      return gguf.finding(
        .warning, at: key,
        """
        llama.cpp does not use `\(key)` (\(rounded(stated))) in a \(keys.architecture) file: \(rounded(used)) is in \
        effect. To have it, \(remedy).
        """,
        expected: rounded(used),
        fix: key == keys.yarnAttentionFactor
          ? magnitudeFix(gguf, stated, magnitude)
          : key == keys.logMultiplier ? .unsafe("take out \(key)", [gguf.change(key, nil)]) : nil)
    }
  }

  /// `rope.scaling.attn_factor` multiplies what is computed, so the stated magnitude is divided by that.
  private static func magnitudeFix(_ gguf: LintedGGUF, _ stated: Double, _ magnitude: Double) -> Fix? {
    let keys = gguf.keys
    let relative = Float(stated / (magnitude / (gguf.number(keys.attentionFactor) ?? 1)))
    guard stated > 0, relative.isFinite, relative > 0 else { return nil }
    return .unsafe(
      "move \(rounded(stated)) to \(keys.attentionFactor), as \(rounded(Double(relative)))",
      [gguf.change(keys.attentionFactor, .float32(relative)), gguf.change(keys.yarnAttentionFactor, nil)])
  }

  /// Every architecture's loader asks for it and few graphs use it, so what counts is whether it changes a table.
  private static func alpha(_ gguf: LintedGGUF, _ reading: RuntimeReading) -> Finding? {
    let key = gguf.keys.alpha
    guard let alpha = gguf.number(key), alpha != 0, gguf.llamaCpp(imagining: key, nil)?.table == reading.table else {
      return nil
    }
    return gguf.finding(
      .warning, at: key,
      """
      llama.cpp uses `\(key)` for HunYuan only: \(rounded(alpha)) changes nothing here. Take it out; a raised base is \
      stated with `yarn-patch patch \(gguf.path.shellWord) --factor F --base B`.
      """,
      expected: "none", fix: .unsafe("take out \(key)", [gguf.change(key, nil)]))
  }

  private static func finetuned(_ gguf: LintedGGUF) -> Finding? {
    let key = gguf.keys.finetuned
    guard gguf.file[key] != nil else { return nil }
    return gguf.finding(
      .note, at: key, "`\(key)` only informs: llama.cpp computes nothing with it, and nothing has to be done.")
  }

  private static func slidingBase(_ gguf: LintedGGUF, _ ignored: Set<String>) -> Finding? {
    let key = gguf.keys.slidingBase
    guard let base = gguf.number(key) else { return nil }
    let readings = gguf.readings(of: .llamaCpp)
    let isPassedBy = readings.first?.factor != nil && readings.contains { $0.layerType != nil && $0.factor == nil }
    guard isPassedBy || ignored.contains(key) else { return nil }
    return gguf.finding(
      .note, at: key,
      isPassedBy
        ? """
        The sliding layers keep their base \(plain(base)) and are not scaled: llama.cpp scales the layers that see the \
        whole window alone, as the model needs it.
        """
        : "llama.cpp reads no `\(key)` for \(gguf.keys.architecture): every layer takes `\(gguf.keys.base)`.")
  }
}
