import Diagnostics
import ModelConfig

extension Rule {
  static let copyLostScaling = Rule(
    "YP803", "quantised or merged copy lost its scaling", severity: "error; note when `quantization_config` is present",
    checks: """
      A copy and the model it was made from, named under `copies` in the policy, differ in scaling or base. Where the \
      copy has a `quantization_config`, a note says that its scaling may be edited.
      """,
    why: """
      Tools that save a model again take the config of a template or of one parent, so the copy runs with another table \
      than the weights were made for. Merging does not reconcile bases.
      """,
    example: #"{"copies": {".": "original"}} where the original has YaRN ×4 and the copy none"#,
    remedy:
      "`yarn-patch patch COPY --factor F --original-context N`; quantisation and scaling do not depend on each other.",
    exceptions: "A base that differs has no fix: a number in the config does not change what the weights learned.",
    sources: ["arcee-ai/mergekit issues 325 and 667"]
  ) { model in
    guard let file = model.files.first, let original = model.base?.files.first else { return [] }
    let differences = SettingDifference.all(of: file, from: original, for: model.deployment.targets)
    var findings = differences.map { difference in
      Finding(
        .error, at: difference.place,
        """
        The original has \(difference.theirs), this copy \(difference.mine): every runtime computes another table than \
        for the original. \(difference.advice)
        """,
        expected: difference.theirs, actual: difference.mine,
        fix: difference.isScaling ? .copyScaling(of: original, to: file) : nil)
    }
    if !findings.isEmpty, let config = file as? LintedConfig, let (pointer, _) = config.member("quantization_config") {
      findings.append(
        config.finding(
          .note, at: pointer,
          "The copy is quantised: that does not touch the scaling, whose keys can be edited without new weights."))
    }
    return findings
  }
}
