import GGUF
import ModelConfig
import RoPE
import Runtimes

extension Rule {
  static let rotaryTensors = Rule(
    "YP609", "LongRoPE or llama3 tensors incomplete or wrong", severity: "error",
    checks: """
      Type longrope, or one of its two lists, without both lists; a rotary tensor that llama.cpp refuses (not one value \
      for each pair, not F32, not known to the architecture) or with a value that is not finite and above 0; \
      `rope_freqs.weight` missing or different from what the config.json in the same folder gives.
      """,
    why: """
      Files converted without the tensors, or with those of another base, load and produce wrong text beyond the trained \
      window; perplexities of 2916 instead of 5.5 were reported. A tensor of another shape or type ends the load.
      """,
    example: "phi3.rope.scaling.type = longrope, without the tensor rope_factors_long.weight",
    remedy: "Convert the model again with a current converter.",
    exceptions: "Without a config.json that describes the same model there is nothing to compare the values with.",
    sources: [
      "ggml-org/llama.cpp issue 24820, PRs 8676, 9141 and 12889", "ikawrakow/ik_llama.cpp PR 402",
      "llama.cpp conversion/base.py",
    ]
  ) { model in
    let unreadable = model.findings(
      of: [.ggufTensorValues], consequence: "llama.cpp takes rotary tensors of F32 only.", runtimes: ["llama.cpp"])
    return unreadable
      + model.ggufs.flatMap { gguf in
        [missingList(gguf), refusedTensors(gguf), differingDivisors(gguf, model)].compactMap(\.self)
          + unusableValues(gguf)
      }
  }

  private static func missingList(_ gguf: LintedGGUF) -> Finding? {
    let lists = [GGUFKeys.shortFactorsTensor, GGUFKeys.longFactorsTensor]
    let missing = lists.filter { gguf.tensors[$0] == nil }
    let isTyped = gguf.file[gguf.keys.type]?.stringValue == "longrope"
    guard !missing.isEmpty, isTyped || missing.count < lists.count else { return nil }
    return gguf.finding(
      .error, at: isTyped ? gguf.keys.type : GGUFKeys.longFactorsTensor,
      """
      LongRoPE without \(missing.listed): llama.cpp runs the model unscaled where a list is missing. Convert the model \
      again.
      """,
      expected: lists.listed, actual: "\(lists.count - missing.count) of \(lists.count)")
  }

  /// The tensors are at fault when llama.cpp would load the file without them.
  private static func refusedTensors(_ gguf: LintedGGUF) -> Finding? {
    guard let tensor = gguf.tensors.keys.min(), let refusal = gguf.llamaCpp?.refused,
      Runtime.llamaCpp.read(.gguf(gguf.file, [:])).first?.refused == nil
    else { return nil }
    return gguf.finding(
      .error, at: tensor, "llama.cpp does not load the file: \(refusal.reason). Convert the model again.",
      expected: "F32, one value for each of \((gguf.declaration?.rotaryDimension?.value ?? 0) / 2) pairs")
  }

  private static func unusableValues(_ gguf: LintedGGUF) -> [Finding] {
    gguf.tensors.sorted { $0.key < $1.key }.compactMap { name, values in
      guard let pair = values.firstIndex(where: { !($0.isFinite && $0 > 0) }) else { return nil }
      return gguf.finding(
        .error, at: name,
        """
        Value \(pair) of `\(name)` is \(values[pair]): llama.cpp divides the angles of that pair by it. Convert the model \
        again.
        """,
        expected: "finite and above 0", actual: "\(values[pair])")
    }
  }

  private static func differingDivisors(_ gguf: LintedGGUF, _ model: LintedModel) -> Finding? {
    guard let config = model.configs.first(where: { $0.describes(sameModelAs: gguf) }),
      let reading = config.readings(of: .llamaCpp).first, reading.kind == "rope_freqs",
      case .longrope(let wanted)? = reading.parameters?.scaling
    else { return nil }
    let name = GGUFKeys.divisorsTensor
    guard let stored = gguf.tensors[name] else {
      return gguf.finding(
        .error, at: name,
        """
        config.json declares \(config.declaration?.scalingKind ?? "a scaling"), which llama.cpp takes from \
        `\(name)`, and the GGUF has no such tensor: it runs unscaled. Convert the model again.
        """,
        expected: DivisorEncoding.phrase(wanted), actual: "none")
    }
    let pair =
      stored.count == wanted.count
      ? zip(stored, wanted).enumerated().first { abs($1.0 - $1.1) > 1e-4 * $1.1 }?.offset : 0
    guard let pair else { return nil }
    return gguf.finding(
      .error, at: name,
      """
      `\(name)` holds \(DivisorEncoding.phrase(stored)), config.json gives \(DivisorEncoding.phrase(wanted)); they first \
      differ at pair \(pair), so llama.cpp computes another table than the other runtimes. Convert the model again.
      """,
      expected: DivisorEncoding.phrase(wanted), actual: DivisorEncoding.phrase(stored))
  }
}
