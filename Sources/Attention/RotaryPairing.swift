/// Which two lanes of a head turn together. Frequencies are the same in both.
package enum RotaryPairing: String, Sendable, CaseIterable {
  /// Lanes `2i` and `2i + 1`: the original RoPE, llama.cpp's mode 0.
  case adjacent
  /// Lanes `i` and `i + d/2`: transformers, GPT-NeoX, llama.cpp's mode 2.
  case halves

  /// The lanes of pair `i` in a head of which `rotaryDimension` lanes rotate, counted from the first that does.
  package func lanes(ofPair i: Int, rotaryDimension: Int) -> (Int, Int) {
    switch self {
    case .adjacent: (2 * i, 2 * i + 1)
    case .halves: (i, i + rotaryDimension / 2)
    }
  }
}
