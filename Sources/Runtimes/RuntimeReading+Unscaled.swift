import RoPE

extension RuntimeReading {
  /// The table of the same base and width without scaling; empty where they are not known.
  package var unscaledTable: FrequencyTable {
    guard let base, let rotaryDimension else { return FrequencyTable(inverseFrequencies: []) }
    var plain = RoPEParameters(base: base, rotaryDimension: rotaryDimension)
    if case .proportional(_, let head)? = parameters?.scaling {
      plain.scaling = .proportional(factor: 1, headDimension: head)
    }
    return FrequencyTable(plain)
  }
}
