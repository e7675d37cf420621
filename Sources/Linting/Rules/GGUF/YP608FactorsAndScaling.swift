import GGUF
import ModelConfig

extension Rule {
  static let factorsAndScaling = Rule(
    "YP608", "factor tensor combined with YaRN", severity: "error",
    checks: """
      A tensor of divisors (`rope_freqs.weight`, or the lists of LongRoPE) stands beside type yarn or a factor other \
      than 1 that llama.cpp applies.
      """,
    why: """
      llama.cpp divides each angle by the tensor's value and then scales it as the keys say: the two multiply, and the \
      model never saw such frequencies.
      """,
    example: "llama.rope.scaling.type = yarn beside a tensor rope_freqs.weight with values above 1",
    remedy: """
      Keep one of the two. `yarn-patch patch MODEL --context N` of a model that was trained with the tensor puts the \
      whole table into it; the keys alone go with `--method none --allow YP608`.
      """,
    exceptions: """
      A tensor of ones divides nothing. A tensor beside type none is how yarn-patch stores a table. Architectures that \
      load the tensor without using it.
      """,
    sources: ["llama.cpp ggml/src/ggml-cpu/ops.cpp"]
  ) { model in
    model.ggufs.compactMap { gguf in
      guard
        let tensor = gguf.tensors.sorted(by: { $0.key < $1.key }).first(where: { !$0.value.allSatisfy { $0 == 1 } }),
        let reading = gguf.llamaCpp, reading.refused == nil, reading.kind == "yarn" || reading.factor != nil,
        !reading.notes.contains(where: { $0.key == tensor.key })
      else { return nil }
      let factor = reading.factor ?? 1
      // The lists are LongRoPE themselves, which a patch without scaling would replace.
      let isList = tensor.key != GGUFKeys.divisorsTensor && gguf.file[gguf.keys.type] == nil
      let key = gguf.file[gguf.keys.type] != nil ? gguf.keys.type : gguf.keys.factor
      return gguf.finding(
        .error, at: key,
        """
        `\(tensor.key)` already divides the frequencies (\(DivisorEncoding.phrase(tensor.value))), and llama.cpp applies \
        \(reading.kind == "yarn" ? "YaRN" : "a linear factor") ×\(rounded(factor)) on top. Keep one: \
        \(isList ? "take out `\(gguf.keys.factor)`" : "\(gguf.patching("--method none --allow YP608")) takes the keys away").
        """,
        expected: "the tensor or the keys",
        fix: isList
          ? .unsafe("take out \(gguf.keys.factor)", [gguf.change(gguf.keys.factor, nil)]) : nil)
    }
  }
}
