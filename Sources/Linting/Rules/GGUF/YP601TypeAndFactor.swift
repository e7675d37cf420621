import GGUF
import ModelConfig

extension Rule {
  static let typeAndFactor = Rule(
    "YP601", "type and factor do not form a pair", severity: "error; warning for a leftover old key",
    checks: """
      A GGUF states `rope.scaling.factor` and no `rope.scaling.type`; or type yarn or linear and no factor, or 0; or the \
      older `rope.scale_linear` beside the factor or in its place.
      """,
    why: """
      llama.cpp takes a missing type for linear, whatever the factor was meant for, and a missing factor or 0 for 1, so \
      that nothing is scaled. It looks at the old key only where the new one is absent; other readers know one of the two.
      """,
    example: "qwen3.rope.scaling.factor = 4, and no qwen3.rope.scaling.type",
    remedy: """
      State both: `yarn-patch patch MODEL --factor F --original-context N`. An old key that repeats the factor can go.
      """,
    exceptions: """
      A factor of 1 scales nothing under any type, and 0 stands for "not given". Values of a wrong type are YP610's, \
      a factor beside the lists of LongRoPE is YP608's.
      """,
    sources: ["llama.cpp src/llama-model.cpp"]
  ) { model in
    model.ggufs.flatMap { gguf in
      [untypedFactor(gguf), factorlessType(gguf, model), oldFactor(gguf)].compactMap(\.self)
    }
  }

  private static func untypedFactor(_ gguf: LintedGGUF) -> Finding? {
    let keys = gguf.keys
    guard gguf.file[keys.type] == nil, let factor = gguf.number(keys.factor), factor != 0, factor != 1,
      gguf.tensors[GGUFKeys.longFactorsTensor] == nil
    else {
      return nil
    }
    let isYaRN = gguf.number(keys.original) ?? 0 > 0
    return gguf.finding(
      .error, at: keys.factor,
      """
      Factor \(plain(factor)) without `\(keys.type)`: llama.cpp interpolates every frequency linearly. \
      \(isYaRN ? "With an original length YaRN is meant" : "Say what is meant"): type \
      \(gguf.patching("--factor \(plain(factor)) --method \(isYaRN ? "yarn" : "linear")")).
      """,
      expected: keys.type,
      fix: isYaRN ? .unsafe("set \(keys.type) to yarn", [gguf.change(keys.type, .string("yarn"))]) : nil)
  }

  private static func factorlessType(_ gguf: LintedGGUF, _ model: LintedModel) -> Finding? {
    let keys = gguf.keys
    guard let type = gguf.file[keys.type]?.stringValue, type == "yarn" || type == "linear" else { return nil }
    // 0 does not make room for the older key.
    let stated = gguf.file[keys.factor] ?? gguf.file[keys.oldFactor]
    guard stated == nil || stated?.doubleValue == 0 else { return nil }
    return gguf.finding(
      .error, at: keys.type,
      """
      Type \(type) without a factor: llama.cpp takes 1, and nothing is scaled. Type \
      \(gguf.patching("--factor F --method \(type)")).
      """,
      expected: keys.factor)
  }

  private static func oldFactor(_ gguf: LintedGGUF) -> Finding? {
    let keys = gguf.keys
    guard let old = gguf.number(keys.oldFactor) else { return nil }
    guard let new = gguf.number(keys.factor) else {
      return gguf.finding(
        .warning, at: keys.oldFactor,
        """
        Only the old key `\(keys.oldFactor)` states a factor: llama.cpp still reads it, readers of the present keys see \
        none. Type \(gguf.patching("--factor \(plain(old)) --method linear")).
        """,
        expected: keys.factor)
    }
    let removal = [gguf.change(keys.oldFactor, nil)]
    let description = "take out \(keys.oldFactor)"
    return gguf.finding(
      .warning, at: keys.oldFactor,
      """
      The old key says \(plain(old)) and `\(keys.factor)` says \(plain(new)): llama.cpp takes the new one, older \
      readers the old one. Take out `\(keys.oldFactor)`.
      """,
      expected: "only \(keys.factor)",
      fix: old == new ? .safe(description, removal) : .unsafe(description, removal))
  }
}
