/// How far back layers look that attend within a sliding window.
package struct SlidingWindow: Sendable {
  /// In tokens.
  package var length: Declared<Int>
  /// Whether every layer slides; otherwise some see all that came before.
  package var isInEveryLayer: Bool
}

extension HuggingFaceConfig {
  /// The sliding window of a config.json, `nil` when there is none, it is switched off, or no layer uses it.
  ///
  /// The layers are those that `layer_types` names, else follow from `max_window_layers`, else from the family.
  /// - Source: `configuration_*.py` of transformers 5.23.
  package var slidingWindow: SlidingWindow? {
    guard let (pointer, node) = node("sliding_window"), let length = node.value.number?.integer, length > 0,
      self.node("use_sliding_window")?.node.value.bool != false, let isInEveryLayer = slidesInEveryLayer
    else { return nil }
    return SlidingWindow(length: Declared(length, at: place(pointer)), isInEveryLayer: isInEveryLayer)
  }

  /// `nil` when no layer slides.
  private var slidesInEveryLayer: Bool? {
    if let layers = node("layer_types")?.node.value.elements {
      let sliding = layers.count { $0.value.string?.contains("sliding") == true }
      return sliding == 0 ? nil : sliding == layers.count
    }
    let family = modelType ?? ""
    if family.hasPrefix("qwen2") || family.hasPrefix("qwen3"),
      let first = node("max_window_layers")?.node.value.number?.integer
    {
      // The layers before this one see everything.
      let layers = ConfigKey.depths.lazy.compactMap { self.node($0)?.node.value.number?.integer }.first
      return first >= layers ?? .max ? nil : first <= 0
    }
    return Self.slidingFamilies.contains(family)
  }

  /// Families whose layers are all alike; where the code mixes kinds of layers, some see everything.
  private static let slidingFamilies: Set = ["mistral", "mixtral", "phi3", "phi3small", "starcoder2"]
}
