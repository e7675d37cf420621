import ModelConfig
import RoPE
import Runtimes

extension Rule {
  static let rampRounding = Rule(
    "YP307", "ramp rounding ignored by a target", severity: "warning",
    checks: """
      With `truncate: false`, whether a target computes the table of rounded ramp bounds nevertheless, with a frequency \
      that differs by more than 0.1 %.
      """,
    why: """
      mlx-lm and llama.cpp always round the bounds to whole pairs. transformers 5 looks for the member beside the \
      dictionaries of kinds of layers, not inside them, and there too rounds. A trainer and a server that differ in this \
      disagree on log-probabilities.
      """,
    example: """
      {"rope_type": "yarn", "factor": 32.0, "original_max_position_embeddings": 4096, "truncate": false}
      """,
    remedy: """
      Serve with a runtime that reads the member, or train and serve with rounded bounds: `yarn-patch patch MODEL \
      --factor F --truncate`. A GGUF can hold the exact table: `yarn-patch patch MODEL.gguf --factor F --no-truncate \
      --encoding factors`.
      """,
    exceptions: """
      Targets that read the member, and bounds that are whole numbers anyway. Where the weights are known to be trained \
      with the exact bounds, no rounding is advised.
      """,
    sources: [
      "vllm-project/vllm issue 27722", "sgl-project/sglang PR 14270", "mlx-lm models/rope_utils.py",
      "llama.cpp ggml/src/ggml.c", "transformers modeling_rope_utils.py",
    ]
  ) { model in
    model.configs.flatMap { config -> [Finding] in
      config.scalings.compactMap { _, declaration in
        guard declaration.truncate?.value == false, let pointer = declaration.truncate?.place.key,
          let formula = config.readings(of: .formula).first(where: { $0.layerType == declaration.layerType }),
          var parameters = formula.parameters, case .yarn(var yarn) = parameters.scaling
        else { return nil }
        let exact = FrequencyTable(parameters)
        yarn.truncate = true
        parameters.scaling = .yarn(yarn)
        let roundedBounds = FrequencyTable(parameters)
        let difference = roundedBounds.largestDifference(from: exact)
        guard difference > 1e-3 else { return nil }
        let rounding = config.readings(of: model.deployment.targets, layer: declaration.layerType).filter { reading in
          reading.table.map { $0.largestDifference(from: roundedBounds) < 1e-4 } ?? false
        }
        guard !rounding.isEmpty else { return nil }
        let advice =
          model.isTrainedScaling(of: config)
          ? ": the weights were trained with the exact bounds"
          : """
          , or type `yarn-patch patch \(model.path.shellWord) --factor \(plain(yarn.factor)) --truncate` for the rounded \
          table everywhere
          """
        return config.finding(
          .warning, at: pointer,
          """
          \(rounding.names().listed) will round the ramp's bounds although `truncate` is false: a rotation frequency changes \
          by up to \(rounded(100 * difference)) %. Serve with another runtime\(advice).
          """,
          expected: "rounded bounds for every runtime, or none that rounds", runtimes: rounding.names())
      }
    }
  }
}
