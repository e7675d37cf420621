import Runtimes
import TestSupport
import Testing

@testable import Linting
@testable import YarnPatch

/// A fixed file is not only silent: runtimes read from it what the rule asked for.
@Suite struct FixEffectTests {
  struct Effect: Sendable, CustomTestStringConvertible {
    let rule: String
    let name: String
    /// What a runtime reads afterwards: `yarn ×4 from 32768 of 131072, magnitude 1.139`.
    let expected: String
    var runtime = Runtime.llamaCpp
    /// Whether only what changes no meaning is made.
    var safeOnly = false

    var testDescription: String { "\(rule) \(name)" }
    var lintCase: LintCase { LintCase(rule: rule, fires: true, name: name) }
  }

  static let effects = [
    Effect(rule: "YP201", name: "short", expected: "yarn ×4 from 32768 of 131072, magnitude 1.139", runtime: .vllm),
    Effect(rule: "YP201", name: "headroom", expected: "yarn ×4 from 32768 of 131072, magnitude 1.139", runtime: .vllm),
    Effect(
      rule: "YP203", name: "odd-original", expected: "yarn ×3.277 from 40000 of 131072, magnitude 1.119",
      runtime: .sglang),
    Effect(rule: "YP203", name: "gguf", expected: "yarn ×4 from 32768 of 131072, magnitude 1.139"),
    Effect(rule: "YP204", name: "gguf", expected: "yarn ×2 from 32768 of 65536, magnitude 1.069"),
    Effect(
      rule: "YP305", name: "null", expected: "yarn ×4 from 32768 of 131072, magnitude 1.139", runtime: .vllm,
      safeOnly: true),
    Effect(rule: "YP601", name: "no-type", expected: "yarn ×4 from 32768 of 131072, magnitude 1.139"),
    Effect(rule: "YP601", name: "old-key-equal", expected: "linear ×4 of 16384, magnitude 1", safeOnly: true),
    Effect(rule: "YP603", name: "known-model", expected: "yarn ×4 from 32768 of 131072, magnitude 1.139"),
    Effect(rule: "YP604", name: "not-raised", expected: "yarn ×4 from 32768 of 131072, magnitude 1.139"),
    Effect(rule: "YP605", name: "magnitude", expected: "yarn ×4 from 32768 of 131072, magnitude 1"),
    Effect(rule: "YP605", name: "magnitude-overwritten", expected: "yarn ×4 from 32768 of 131072, magnitude 1.5"),
    Effect(rule: "YP606", name: "factor", expected: "yarn ×4 from 32768 of 131072, magnitude 1.139"),
    Effect(rule: "YP607", name: "deepseek2-raw", expected: "yarn ×4 from 32768 of 131072, magnitude 1"),
    Effect(rule: "YP607", name: "mistral3-tenth", expected: "yarn ×4 from 32768 of 131072, magnitude 1"),
    Effect(rule: "YP610", name: "several", expected: "yarn ×4 from 32768 of 131072, magnitude 1.139", safeOnly: true),
    Effect(
      rule: "YP612", name: "renamable", expected: "yarn ×4 from 32768 of 131072, magnitude 1.139"),
    Effect(rule: "YP801", name: "gguf-unscaled", expected: "yarn ×4 from 32768 of 131072, magnitude 1.139"),
    Effect(rule: "YP801", name: "magnitude-dropped", expected: "yarn ×4 from 32768 of 131072, magnitude 1"),
    Effect(
      rule: "YP802", name: "other-factor", expected: "yarn ×4 from 32768 of 131072, magnitude 1.139", runtime: .vllm),
    Effect(
      rule: "YP803", name: "newer-layout", expected: "yarn ×4 from 32768 of 131072, magnitude 1.139",
      runtime: .transformers5),
    Effect(rule: "YP803", name: "magnitude", expected: "yarn ×4 from 32768 of 131072, magnitude 1", runtime: .vllm),
    Effect(
      rule: "YP803", name: "llama3-lost", expected: "llama3 ×8 from 8192 of 131072, magnitude 1", runtime: .sglang),
  ]

  @Test(arguments: LintCase.all.filter(\.fires))
  func `a fix that keeps the meaning changes no table`(_ lintCase: LintCase) throws {
    let before = try lintCase.findings()
    var draft = FixDraft()
    guard draft.make(before.findings, of: before.model, allowing: { $0.safety == .safe }) else { return }
    let after = try lintCase.findings(after: draft).model
    for file in before.model.files {
      guard let fixed = after.files.first(where: { $0.path == file.path }) else { continue }
      for runtime in Runtime.all {
        for reading in file.readings(of: runtime) where reading.refused == nil {
          let same = fixed.readings(of: runtime).first { $0.layerType == reading.layerType }
          #expect(same?.refused == nil && same?.table == reading.table, "\(runtime.name)")
        }
      }
    }
  }

  @Test(arguments: effects)
  func `a runtime reads from a fixed file what the rule asked for`(_ effect: Effect) throws {
    let before = try effect.lintCase.findings()
    var draft = FixDraft()
    let own = before.findings.filter { $0.rule == effect.rule }
    let made = draft.make(own, of: before.model) { !effect.safeOnly || $0.safety == .safe }
    #expect(made)
    let model = try effect.lintCase.findings(after: draft).model
    let files = model.files.filter { effect.runtime.formats[0] == $0.input.format }
    let reading = try #require(files.first?.readings(of: effect.runtime).first)
    #expect(reading.refused == nil)
    let original = reading.originalContext.map { " from \(plain($0))" } ?? ""
    let window = files.first?.declaration?.contextLength?.value ?? 0
    #expect(
      "\(reading.kind) ×\(rounded(reading.factor ?? 1))\(original) of \(window), "
        + "magnitude \(rounded(reading.table?.attentionFactor ?? 0))" == effect.expected)
  }
}
