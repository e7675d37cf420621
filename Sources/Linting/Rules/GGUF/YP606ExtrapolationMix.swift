import GGUF
import ModelConfig

extension Rule {
  static let extrapolationMix = Rule(
    "YP606", "extrapolation mix out of range", severity: "error",
    checks: "`rope.scaling.yarn_ext_factor` is outside 0 to 1, or is the scaling factor.",
    why: """
      It is the weight with which the ramp is mixed in, and no scale. A converter that wrote the factor there (64 instead \
      of 1) took perplexity from 13 to 21, in runtimes that read the key.
      """,
    example: "grok.rope.scaling.yarn_ext_factor = 64",
    remedy: "1 switches the ramp on as published. Without the key llama.cpp takes 1 for type yarn.",
    exceptions: "-1, with which llama.cpp itself says \"not stated\".",
    sources: ["ikawrakow/ik_llama.cpp PR 2003", "llama.cpp src/llama-context.cpp"]
  ) { model in
    model.ggufs.compactMap { gguf in
      let key = gguf.keys.extrapolationFactor
      guard let mix = gguf.file[key]?.doubleValue, mix != -1 else { return nil }
      let factor = gguf.number(gguf.keys.factor)
      guard !(0...1).contains(mix) || mix == factor && mix != 1 && mix != 0 else { return nil }
      return gguf.finding(
        .error, at: key,
        """
        `\(key)` is \(rounded(mix)); it is a weight between 0 and 1\(mix == factor ? " and not the scaling factor" : ""). \
        Runtimes that read it extrapolate by as much. Set it to 1.
        """,
        expected: "0 to 1", fix: .unsafe("set \(key) to 1", [gguf.change(key, .float32(1))]))
    }
  }
}
