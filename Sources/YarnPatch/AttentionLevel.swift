/// How much `verify` looks at attention itself.
public enum AttentionLevel: String, Sendable, CaseIterable {
  case off
  /// Rotated heads against a double-precision reference.
  case quick
  /// ``quick``, and the true queries and keys of the first layer: ``FirstLayerAttention``.
  case weights
}
