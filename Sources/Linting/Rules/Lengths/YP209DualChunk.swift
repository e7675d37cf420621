import ModelConfig
import Runtimes

extension Rule {
  static let dualChunk = Rule(
    "YP209", "dual-chunk attention shadows scaling", severity: "error",
    checks: "Whether a config.json with YaRN also has a `dual_chunk_attention_config`.",
    why: """
      vLLM and SGLang choose the dual-chunk rotation before they look at the scaling kind, so YaRN has no effect there; \
      transformers knows no dual-chunk attention and applies YaRN.
      """,
    example: """
      {"dual_chunk_attention_config": {"chunk_size": 262144}, "rope_scaling": {"rope_type": "yarn", "factor": 4.0}}
      """,
    remedy: """
      Keep one of the two: remove `dual_chunk_attention_config` to serve with YaRN, or remove the scaling with \
      `yarn-patch patch MODEL --method none`.
      """,
    exceptions: """
      A null member, a file without YaRN, and deployments that use neither vLLM nor SGLang. No fix is offered: both are \
      ways to a longer window, and the file does not tell which was meant.
      """,
    sources: ["vLLM rotary_embedding/__init__.py get_rope", "SGLang rotary_embedding/factory.py get_rope"]
  ) { model in
    let servers = [Runtime.vllm.name, Runtime.sglang.name].filter(model.deployment.targets)
    guard !servers.isEmpty else { return [] }
    return model.configs.compactMap { config in
      guard let (pointer, node) = config.member(ConfigKey.dualChunk), !node.value.isNull,
        let declaration = config.scalings.lazy.map(\.declaration).first(where: { $0.scalingKind == "yarn" })
      else { return nil }
      return config.finding(
        .error, at: pointer,
        """
        Dual-chunk attention disables YaRN\(declaration.factor.map { " ×\(plain($0.value))" } ?? "") in \
        \(servers.listed), while transformers applies it. Remove this member to serve with YaRN, or type `yarn-patch \
        patch \(model.path.shellWord) --method none`.
        """,
        expected: "none beside YaRN", runtimes: servers)
    }
  }
}
