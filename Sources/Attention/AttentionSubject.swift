import RoPE

/// What is under test: the parts that attention is computed with, wherever they come from.
///
/// ``ScalingCheck`` holds what a declaration demands of them and shares nothing with it, so that a fault in any part
/// meets a check that does not have the same fault.
package struct AttentionSubject {
  package var table: FrequencyTable
  package var rotateQuery: HeadRotation
  package var rotateKey: HeadRotation
  /// Multiplies the products of queries and keys.
  package var softmaxScale: Double
  /// Positions that are served, in tokens.
  package var window: Int

  /// Our own float32 rotation with a table.
  ///
  /// - Parameter headDimension: At least two lanes for each entry of the table.
  package init(_ table: FrequencyTable, headDimension: Int, pairing: RotaryPairing, window: Int) {
    let rotation = VectorRotation(table, headDimension: headDimension, pairing: pairing)
    self.table = table
    (rotateQuery, rotateKey) = (rotation.rotated, rotation.rotated)
    softmaxScale = table.softmaxScaleMultiplier / Double(headDimension).squareRoot()
    self.window = window
  }
}
