import LosslessJSON
import ModelConfig
import Runtimes

extension Rule {
  static let originalMissing = Rule(
    "YP106", "original length missing", severity: "error",
    checks: """
      A dictionary of a kind whose ramp starts from the trained length (yarn, llama3, longrope) has no \
      `original_max_position_embeddings`, and there is none beside it.
      """,
    why: """
      Every runtime assumes another length: transformers the maximum, which is already the extended one; SGLang the \
      longest window; mlx-lm 4096; llama.cpp's converter fails. With base 1000000, head 128 and factor 4, the extended \
      length instead of the trained one makes 23 of 64 frequencies wrong by up to 124 % (measured).
      """,
    example: #"{"max_position_embeddings": 131072, "rope_scaling": {"rope_type": "yarn", "factor": 4.0}}"#,
    remedy: """
      State the length the model was trained on: `yarn-patch patch MODEL --factor F --original-context N` \
      for YaRN, else the member of the publisher's config.
      """,
    exceptions: "Kinds that need none: linear, dynamic, default.",
    sources: ["mlx-lm rope_utils.py", "llama.cpp conversion/base.py", "transformers modeling_rope_utils.py"]
  ) { model in
    model.configs.flatMap { config in
      config.scalings.compactMap { dictionary, declaration in
        guard let kind = declaration.scalingKind, ["yarn", "llama3", "longrope", "telechat3-yarn"].contains(kind),
          declaration.originalContext == nil, !dictionary.states(ConfigKey.original)
        else { return nil }
        let assumed = config.readings(of: model.deployment.targets, for: dictionary)
          .listed { reading in reading.originalContext.map(plain) }
        let trained = declaration.contextLength.flatMap { window in
          declaration.factor.flatMap { Int(exactly: Double(window.value) / $0.value) }
        }
        let fix = trained.flatMap { trained in
          model.known(config)?.trainedLength == trained
            ? Fix.unsafe(
              "state the trained length \(trained)",
              [
                config.change(
                  dictionary.pointer(to: ConfigKey.original), .integer(trained), after: [ConfigKey.factor])
              ]) : nil
        }
        let factor = declaration.factor.map { plain($0.value) } ?? "F"
        // The command writes YaRN, which is another table for a model that was trained with llama3 or LongRoPE.
        let remedy =
          kind == "yarn"
          ? "Type `yarn-patch patch \(model.path.shellWord) --original-context N --factor \(factor)`."
          : "Add \"\(ConfigKey.original)\" of the publisher's config to the dictionary."
        return config.finding(
          .error, at: dictionary.pointer,
          """
          Kind \(JSONText.quoted(kind)) without a trained length: each runtime assumes its own\
          \(assumed.isEmpty ? "" : " (\(assumed))"), so the ramp is computed on the wrong one. \(remedy)
          """,
          expected: ConfigKey.original, actual: "none", fix: fix)
      }
    }
  }
}
