import Runtimes

extension [RuntimeReading] {
  /// What each runtime makes of the scaling, those together that agree: `sglang: refused; vllm: yarn with factor 4`.
  var outcomes: String {
    listed { reading in
      if reading.refused != nil { return "refused" }
      if ["default", "none", "mrope"].contains(reading.kind) { return "not scaled" }
      return reading.kind + (reading.factor.map { " with factor \(plain($0))" } ?? "")
    }
  }

  /// What each runtime multiplies cos and sin with: `sglang: 1.139; transformers5 and vllm: 2`.
  var magnitudes: String { listed { reading in reading.table.map { rounded($0.attentionFactor) } } }

  /// A text for each runtime, those together that have the same; runtimes without one are left out.
  func listed(_ text: (RuntimeReading) -> String?) -> String {
    grouped(text).map { "\($0.names.listed): \($0.value)" }.joined(separator: "; ")
  }

  /// What each runtime takes for something: `transformers5 and vllm take 4096, mlx-lm takes 8192`.
  func telling(_ value: (RuntimeReading) -> Double?) -> String {
    grouped(value).map { "\($0.names.listed) \($0.names.count == 1 ? "takes" : "take") \(plain($0.value))" }
      .joined(separator: ", ")
  }

  /// The values in order, each with the runtimes that have it.
  private func grouped<Value: Hashable>(_ value: (RuntimeReading) -> Value?) -> [(value: Value, names: [String])] {
    let pairs = compactMap { reading in value(reading).map { (value: $0, name: reading.runtime) } }
    return pairs.map(\.value).uniqued().map { value in
      (value, pairs.filter { $0.value == value }.map(\.name).uniqued())
    }
  }

  /// Names of the runtimes whose readings fit, each once.
  func names(where fits: (RuntimeReading) -> Bool = { _ in true }) -> [String] {
    filter(fits).map(\.runtime).uniqued()
  }
}
