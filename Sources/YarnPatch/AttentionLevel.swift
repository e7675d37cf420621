/// How much `verify` looks at attention itself.
public enum AttentionLevel: String, Sendable, CaseIterable {
  case off
  /// Rotated heads and a few keys against double-precision references, and what scaling promises of scores.
  case quick
  /// ``quick`` over more keys, and the curves of ``AttentionCurves``.
  case full
  /// ``quick``, and the true queries and keys of the first layer: ``FirstLayerAttention``.
  case weights
}
