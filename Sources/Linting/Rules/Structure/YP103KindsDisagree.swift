import LosslessJSON
import ModelConfig

extension Rule {
  static let kindsDisagree = Rule(
    "YP103", "kinds disagree", severity: "error",
    checks: "`type` and `rope_type` of one scaling dictionary name different kinds.",
    why: """
      vLLM refuses the file; transformers 5 and SGLang go by `rope_type`; mlx-lm and most classes of transformers 4 go \
      by `type`. One file then runs with two tables.
      """,
    example: #"{"rope_scaling": {"type": "linear", "rope_type": "yarn", "factor": 4.0}}"#,
    remedy: "Give both the kind that is meant; `yarn-patch patch MODEL --method KIND --factor F` writes one kind.",
    exceptions: """
      `su` beside `longrope` and `mrope` beside `default`: an old name beside its new one, which all of them understand. \
      There is no fix, since only the publisher knows which is meant.
      """,
    sources: ["vLLM patch_legacy_rope_type", "mlx-lm models/rope_utils.py", "transformers modeling_rope_utils.py"]
  ) { model in
    model.configs.flatMap { config in
      config.dictionaries.compactMap { dictionary in
        guard let old = dictionary[ConfigKey.type]?.value.string,
          let new = dictionary[ConfigKey.ropeType]?.value.string, old != new,
          !(old == "su" && new == "longrope"), !(old == "mrope" && new == "default")
        else { return nil }
        let readings = config.readings(of: model.deployment.targets, for: dictionary)
        return config.finding(
          .error, at: dictionary.pointer(to: ConfigKey.type),
          """
          `type` says \(JSONText.quoted(String(old.prefix(40)))) and `rope_type` says \
          \(JSONText.quoted(String(new.prefix(40)))); runtimes pick different ones (\(readings.outcomes)). Give both the \
          kind that is meant.
          """,
          expected: "one kind", actual: "\(old.prefix(40)) and \(new.prefix(40))")
      }
    }
  }
}
