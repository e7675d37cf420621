import ModelConfig
import Runtimes

extension Rule {
  static let cachesAndLength = Rule(
    "YP502", "length-dependent kind with caches", severity: "warning",
    checks: """
      Whether a deployment with prefix caching, cache reuse or continuous batching serves a model of kind dynamic or \
      longrope with a runtime whose frequencies change with the length of a sequence.
      """,
    why: """
      Keys in a cache were rotated with the table of the sequence that wrote them. Once another sequence, or the same one \
      grown longer, is rotated with another table, queries and cached keys no longer fit, and the answer depends on what \
      was served before. transformers and mlx-lm compute dynamic scaling anew for each length; transformers and SGLang \
      choose LongRoPE's divisors by it.
      """,
    example:
      #"{"features": ["prefix-caching"]} in .yarn-patch.json, {"rope_scaling": {"type": "dynamic", "factor": 2.0}}"#,
    remedy: """
      Serve without these caches, or with a runtime that decides once. In place of dynamic scaling use a fixed one: \
      `yarn-patch patch MODEL --factor F`.
      """,
    exceptions: """
      Deployments that name no such feature. vLLM and llama.cpp decide once when they start, SGLang computes one table \
      for dynamic scaling, and mlx-lm takes LongRoPE's long divisors at every length, so none of these is warned of.
      """,
    sources: [
      "huggingface/transformers issue 25104", "QwenLM/Qwen issue 401", "vllm-project/vllm PR 27431",
      "SGLang rotary_embedding/rope_variant.py", "lablup/mlxcel issue 1358",
    ]
  ) { model in
    guard !model.deployment.features.isEmpty else { return [] }
    let features = Deployment.Feature.allCases.filter(model.deployment.features.contains).map(\.rawValue)
    return model.configs.compactMap { config in
      guard
        let declaration = config.declarations.first(where: { ["dynamic", "longrope"].contains($0.scalingKind) }),
        let kind = declaration.kind, let window = declaration.contextLength?.value
      else { return nil }
      let names = model.deployment.targets.filter { runtime in
        guard ![Runtime.vllm.name, Runtime.llamaCpp.name].contains(runtime.name) else { return false }
        let tables = [1, 2 * window].map { length in
          runtime.read(config.input, RuntimeOptions(sequenceLength: length)).map(\.table)
        }
        return tables[0] != tables[1]
      }.map(\.name).uniqued()
      guard !names.isEmpty else { return nil }
      return config.finding(
        .warning, at: kind.place.key ?? "",
        """
        Kind "\(kind.value)" together with \(features.listed): \(names.listed) \(names.count == 1 ? "rotates" : "rotate") \
        by a table that depends on the sequence's length, so keys that are cached under one and read under another give \
        results that depend on history. Serve without it, or with a runtime that decides once, such as vLLM\
        \(declaration.scalingKind == "dynamic"
          ? "; or fix the scaling: `yarn-patch patch \(model.path.shellWord) --factor F`" : "").
        """,
        expected: "a scaling that is the same at every length", runtimes: names)
    }
  }
}
