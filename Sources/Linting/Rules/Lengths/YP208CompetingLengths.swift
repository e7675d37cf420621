import ModelConfig
import Runtimes

extension Rule {
  static let competingLengths = Rule(
    "YP208", "competing length keys", severity: "warning",
    checks: """
      Whether vLLM or SGLang takes the window from another member than `max_position_embeddings`: `n_positions`, \
      `seq_length`, `max_seq_len`, `max_sequence_length`, `max_seq_length`, `seq_len` or `model_max_length`.
      """,
    why: """
      vLLM takes the smallest of all these, and `model_max_length` whatever its value. SGLang takes the first that it \
      finds of `max_sequence_length`, `seq_length`, `max_seq_len` and `model_max_length` before it looks at \
      `max_position_embeddings`. A patch of the usual member alone then changes no window.
      """,
    example: #"{"max_position_embeddings": 131072, "seq_length": 8192}"#,
    remedy: "Give the other member the same value, or take it out.",
    exceptions: """
      A different value that none of the two takes, such as a larger `n_positions`; equal values; files without \
      `max_position_embeddings`, where the other member is all there is.
      """,
    sources: ["vLLM model_arch_config_convertor.py", "SGLang hf_transformers/common.py"]
  ) { model in
    model.configs.flatMap { config -> [Finding] in
      guard let maximum = config.member(ConfigKey.maximum)?.node.value.number?.integer else { return [] }
      let others = ConfigKey.windows.compactMap { key in
        config.member(key).flatMap { pointer, node in node.value.number?.integer.map { (key, pointer, $0) } }
      }.filter { $0.2 != maximum }
      guard !others.isEmpty else { return [] }
      let servers = config.readings(of: model.deployment.targets).filter {
        [Runtime.vllm.name, Runtime.sglang.name].contains($0.runtime)
      }
      return others.compactMap { key, pointer, length in
        // Windows of linear and dynamic scaling are served multiplied by the factor.
        let factor = config.declaration?.factor?.value ?? 1
        let takers = servers.filter { reading in
          guard let window = reading.contextLength.map(Double.init) else { return false }
          return window == Double(length) || window == (Double(length) * factor).rounded(.down)
        }
        guard !takers.isEmpty else { return nil }
        return config.finding(
          .warning, at: pointer,
          """
          `\(key)` is \(length) and wins over `max_position_embeddings` \(maximum) in \(takers.names().listed). Set it to \
          \(maximum), or remove it.
          """,
          expected: "\(maximum)", runtimes: takers.names(),
          fix: .unsafe("set \(key) to \(maximum)", [config.change(pointer, .integer(maximum))]))
      }
    }
  }
}
