import GGUF
import ModelConfig

extension Rule {
  static let valueType = Rule(
    "YP610", "wrong value type", severity: "error",
    checks: """
      A RoPE key that llama.cpp reads for the architecture is of another type than the one it takes: FLOAT32 for factor, \
      base, attn_factor, betas and multipliers, UINT32 for context and original length and the rotary dimension, STRING \
      for the type, BOOL for finetuned.
      """,
    why: """
      llama.cpp compares types exactly and the load fails with a message about the type, also where the value would fit. \
      Other readers accept only one width of integer.
      """,
    example: "llama.rope.scaling.factor = 4 as FLOAT64",
    remedy: "Store the same number as the type that is read; `yarn-patch lint --fix` does it where nothing is lost.",
    exceptions: """
      Keys that the architecture does not read load with any type (YP605). A number that its type cannot hold exactly, \
      such as 0.1 stored as FLOAT64, is not changed by a fix.
      """,
    sources: ["llama.cpp src/llama-model-loader.cpp", "EricLBuehler/mistral.rs issue 375"]
  ) { model in
    model.ggufs.flatMap { gguf in
      gguf.keys.readTypes.compactMap { key, type in
        guard let value = gguf.file[key], value.type != type else { return nil }
        let same = value.losslessly(type)
        let remedy =
          same == nil
          ? "\(value.phrase) does not fit exactly: type `yarn-patch patch` with the value that is meant"
          : "Store it as \(type.name)"
        return gguf.finding(
          .error, at: key,
          """
          `\(key)` is stored as \(value.type.name): llama.cpp reads only \(type.name) and does not load the file. \
          \(remedy).
          """,
          expected: type.name, actual: "\(value.type.name) \(value.phrase)",
          fix: same.map { .safe("store \(key) as \(type.name)", [gguf.change(key, $0)]) })
      }
    }
  }
}

extension GGUFKeys {
  /// The RoPE keys that llama.cpp reads for the architecture, each with the one type that it takes.
  var readTypes: [(key: String, type: GGUFValueType)] {
    var floats = [base, factor, oldFactor, attentionFactor, alpha]
    if architecture.readsBetas { floats += [betaFast, betaSlow] }
    if architecture.readsMix { floats += [extrapolationFactor, yarnAttentionFactor] }
    if architecture.logMultiplierUnit != nil { floats.append(logMultiplier) }
    return floats.map { ($0, .float32) } + [contextLength, original, rotaryDimension].map { ($0, .uint32) }
      + [(type, .string), (finetuned, .bool)]
  }
}

extension GGUFValue {
  /// The same value as another type, `nil` where that cannot hold it.
  fileprivate func losslessly(_ type: GGUFValueType) -> GGUFValue? {
    switch type {
    case .float32: doubleValue.flatMap { Float(exactly: $0) }.map { .float32($0) }
    case .uint32:
      (integerValue.map(Double.init) ?? doubleValue).flatMap { UInt32(exactly: $0) }.map { .uint32($0) }
    case .bool: integerValue.flatMap { [0: GGUFValue.bool(false), 1: .bool(true)][$0] }
    default: nil
    }
  }
}
