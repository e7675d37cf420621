import RoPE

extension RuntimeReading {
  /// The table of the same base and width without scaling; empty where they are not known.
  package var unscaledTable: FrequencyTable {
    guard let base, let rotaryDimension else { return FrequencyTable(inverseFrequencies: []) }
    let scaled = RoPEParameters(
      base: base, rotaryDimension: rotaryDimension, scaling: parameters?.scaling ?? .none)
    return FrequencyTable(scaled.unscaled)
  }
}
