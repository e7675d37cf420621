import GGUF
import ModelConfig

extension Rule {
  static let ggufOriginalMissing = Rule(
    "YP603", "original_context_length missing", severity: "error",
    checks: "The type is yarn and `rope.scaling.original_context_length` is absent, or 0.",
    why: """
      llama.cpp then takes `context_length`, which is usually the extended length, and computes the ramp on it. With base \
      1000000, head 128 and factor 4, 23 of 64 frequencies are wrong by up to 124 % (measured).
      """,
    example: "qwen3.context_length = 131072, qwen3.rope.scaling.type = yarn, qwen3.rope.scaling.factor = 4",
    remedy: "State the trained length: `yarn-patch patch MODEL --factor F --original-context N`.",
    exceptions: "Linear scaling needs none.",
    sources: ["llama.cpp src/llama-model.cpp"]
  ) { model in
    model.ggufs.compactMap { gguf in
      let keys = gguf.keys
      guard gguf.file[keys.type]?.stringValue == "yarn",
        gguf.file[keys.original] == nil || gguf.number(keys.original) == 0,
        let declaration = gguf.declaration, let window = declaration.contextLength?.value
      else { return nil }
      let factor = declaration.factor?.value ?? 1
      let divided = Int(exactly: Double(window) / factor)
      let trained = divided.flatMap { model.known(gguf, original: $0)?.trainedLength == $0 ? $0 : nil }
      let fix = trained.flatMap { UInt32(exactly: $0) }.map { length in
        Fix.unsafe("set \(keys.original) to \(length)", [gguf.change(keys.original, .uint32(length))])
      }
      return gguf.finding(
        .error, at: keys.type,
        """
        YaRN without an original length: llama.cpp computes the ramp on \(keys.contextLength), \(window)\
        \(trained.map { ", instead of \($0)" } ?? ""). Type \
        \(gguf.patching("--factor \(plain(factor)) --original-context \(trained.map(String.init) ?? "N")")).
        """,
        expected: keys.original, actual: "none", fix: fix)
    }
  }
}
