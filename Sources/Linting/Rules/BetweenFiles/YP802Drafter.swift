import ModelConfig

extension Rule {
  static let drafter = Rule(
    "YP802", "drafter does not match target", severity: "error",
    checks: """
      A draft model and its target, named under `drafts` in the policy, differ in base, scaling kind, factor or original \
      length, or the drafter's window is shorter than its target's.
      """,
    why: """
      The drafter proposes at the target's positions. With another table its proposals are rejected from some length on; \
      beyond its own window vLLM reads past its table (asserts after 2048 positions were reported).
      """,
    example: #"{"drafts": {".": "target"}} where the target has YaRN ×4 and the drafter none"#,
    remedy: "Extend both alike: `yarn-patch patch DRAFTER --factor F --original-context N`.",
    exceptions: """
      A drafter with a scaling of its own that its weights were trained with (llama3, LongRoPE): its table need not be \
      the target's, only its window is compared. A base that differs has no fix, the weights were trained with it.
      """,
    sources: ["vllm-project/vllm issue 48894", "vllm-project/speculators PR 574", "sgl-project/sglang issue 6783"]
  ) { model in
    guard let file = model.files.first, let target = model.target?.files.first else { return [] }
    var findings: [Finding] = []
    if !["llama3", "longrope"].contains(file.declaration?.scalingKind) {
      findings = SettingDifference.all(of: file, from: target, for: model.deployment.targets).filter {
        $0.setting != .rotaryDimension
      }.map { difference in
        Finding(
          .error, at: difference.place,
          """
          The drafter has \(difference.mine), its target \(difference.theirs): what it proposes at long positions is \
          rejected. \(difference.advice)
          """,
          expected: difference.theirs, actual: difference.mine,
          fix: difference.isScaling ? .copyScaling(of: target, to: file) : nil)
      }
    }
    if let window = file.declaration?.contextLength, let wanted = target.declaration?.contextLength?.value,
      window.value < wanted
    {
      // What the target does not do the drafter should not do alone; what it does, the finding above tells to type.
      let advice =
        target.declaration?.scalingKind == nil
          || target.declaration?.scalingKind == file.declaration?.scalingKind
            && findings.isEmpty
        ? "Serve \(window.value), or take a drafter with the target's window"
        : "Scale it as the target is scaled, or serve \(window.value)"
      findings.append(
        Finding(
          .error, at: window.place,
          """
          The drafter covers \(window.value) positions, its target \(wanted): runtimes read past the drafter's table or \
          stop drafting there. \(advice).
          """,
          expected: "at least \(wanted)", actual: "\(window.value)"))
    }
    return findings
  }
}
