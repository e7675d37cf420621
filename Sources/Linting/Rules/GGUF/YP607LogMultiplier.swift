import GGUF
import ModelConfig

extension Rule {
  static let logMultiplier = Rule(
    "YP607", "log-multiplier convention", severity: "error",
    checks: """
      `rope.scaling.yarn_log_multiplier` is at least 0.3 where llama.cpp takes a tenth of mscale_all_dim (deepseek2, \
      deepseek32, mistral4), or above 0 and at most 0.2 where it takes the value itself (mistral3).
      """,
    why: """
      The first families store 0.1 × mscale_all_dim and llama.cpp divides by 0.1; mistral3 stores it as it is. In the \
      other convention the magnitude is computed from a value that is ten times too large or too small.
      """,
    example: "deepseek2.rope.scaling.yarn_log_multiplier = 1",
    remedy: "Convert the model again with a current converter, or let the fix move the decimal point.",
    exceptions: "Architectures for which llama.cpp does not read the key (YP605).",
    sources: ["ggml-org/llama.cpp PR 17945", "llama.cpp src/models/deepseek2.cpp, src/models/mistral3.cpp"]
  ) { model in
    model.ggufs.compactMap { gguf in
      let key = gguf.keys.logMultiplier
      guard let unit = gguf.keys.architecture.logMultiplierUnit, let value = gguf.number(key) else { return nil }
      let isTooLarge = unit < 1 && value >= 0.3
      guard isTooLarge || unit == 1 && value > 0 && value <= 0.2 else { return nil }
      let moved = isTooLarge ? value / 10 : value * 10
      let isUsual = isTooLarge ? moved < 0.3 : moved > 0.2
      return gguf.finding(
        .error, at: key,
        """
        \(rounded(value)) is ten times too \(isTooLarge ? "large" : "small") in a \(gguf.keys.architecture) file: \
        llama.cpp takes \(rounded(value / unit)) for mscale_all_dim. Set `\(key)` to \(rounded(moved)).
        """,
        expected: isTooLarge ? "0.1 × mscale_all_dim" : "mscale_all_dim",
        fix: isUsual ? .unsafe("set \(key) to \(rounded(moved))", [gguf.change(key, .float32(Float(moved)))]) : nil)
    }
  }
}
