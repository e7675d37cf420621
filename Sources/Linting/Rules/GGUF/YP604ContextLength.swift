import GGUF
import ModelConfig

extension Rule {
  static let contextLength = Rule(
    "YP604", "context_length not updated", severity: "error",
    checks: "`context_length` of a scaled GGUF is not original length × factor.",
    why: """
      llama-server gives a request at most `context_length` tokens and applications end their sliders there, so a smaller \
      one hides what was scaled; a larger one lets positions in that the scaling does not reach.
      """,
    example: """
      qwen2.context_length = 32768, qwen2.rope.scaling.factor = 4, qwen2.rope.scaling.original_context_length = 32768
      """,
    remedy: "Let all three agree: `yarn-patch patch MODEL --factor F --original-context N`.",
    exceptions: """
      Files that do not state type, factor and original length together; models that were published with this very window \
      and scaling.
      """,
    sources: ["ggml-org/llama.cpp issue 22140", "llama.cpp tools/server/server-context.cpp"]
  ) { model in
    model.ggufs.compactMap { gguf in
      guard let declaration = gguf.declaration, ["yarn", "linear"].contains(declaration.scalingKind),
        let original = declaration.originalContext?.value, let factor = declaration.factor?.value,
        let window = declaration.contextLength?.value
      else { return nil }
      let covered = Double(original) * factor
      // A factor such as 3.2 is not exact in float32.
      guard abs(covered - Double(window)) > max(1, covered * 1e-6) else { return nil }
      if let known = model.known(gguf), known.trainedScaling != nil, known.window == window { return nil }
      let length = UInt32(exactly: covered.rounded())
      let key = gguf.keys.contextLength
      return gguf.finding(
        .error, at: key,
        """
        The scaling covers \(plain(covered.rounded())) tokens (\(original) × \(rounded(factor))) and the file declares \
        \(window): llama.cpp \
        \(covered > Double(window) ? "gives no request more" : "lets positions in that are not scaled far enough"). \
        Type \(gguf.patching("--factor \(plain(factor)) --original-context \(original)")).
        """,
        expected: plain(covered.rounded()),
        fix: length.map { .unsafe("set \(key) to \($0)", [gguf.change(key, .uint32($0))]) })
    }
  }
}
