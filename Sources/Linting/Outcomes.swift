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
    var groups: [(text: String, names: [String])] = []
    for reading in self {
      guard let text = text(reading) else { continue }
      if let index = groups.firstIndex(where: { $0.text == text }) {
        if !groups[index].names.contains(reading.runtime) { groups[index].names.append(reading.runtime) }
      } else {
        groups.append((text, [reading.runtime]))
      }
    }
    return groups.map { "\($0.names.listed): \($0.text)" }.joined(separator: "; ")
  }

  /// Names of the runtimes whose readings fit, each once.
  func names(where fits: (RuntimeReading) -> Bool = { _ in true }) -> [String] {
    reduce(into: []) { names, reading in
      if fits(reading), !names.contains(reading.runtime) { names.append(reading.runtime) }
    }
  }
}
