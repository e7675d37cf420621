import Diagnostics
import RoPE

/// The first rows of a cache of cosines or sines that a checkpoint stores, as old model classes registered it.
package struct StoredCache: Sendable {
  /// How the names of such tensors end.
  static let cosines = "rotary_emb.cos_cached"
  static let sines = "rotary_emb.sin_cached"
  /// Positions that are compared: enough to tell tables apart, few enough to read for every model.
  package static let positionCount = 16

  /// Row by row: position 0, position 1, …
  package let values: Declared<[Double]>
  /// Values of a row: one for each pair, or each twice.
  private let width: Int
  private let isSine: Bool
  private let relativeRounding: Double

  /// - Parameters:
  ///   - name: The tensor's, which tells cosines from sines.
  ///   - relativeRounding: Of the stored type, as in ``StoredTable``.
  package init(_ values: Declared<[Double]>, width: Int, name: String, relativeRounding: Double) {
    self.values = values
    self.width = width
    isSine = name.hasSuffix(Self.sines)
    self.relativeRounding = relativeRounding
  }

  /// Whether the rows are a table's, as far as their type can tell: in halves or in neighbouring twos, with the table's
  /// magnitude.
  package func matches(_ table: FrequencyTable) -> Bool {
    let pairs = table.inverseFrequencies.count
    guard pairs > 0, width == pairs || width == 2 * pairs else { return false }
    return matches(table) { $0 % pairs } || width > pairs && matches(table) { $0 / 2 }
  }

  private func matches(_ table: FrequencyTable, pair: (Int) -> Int) -> Bool {
    values.value.enumerated().allSatisfy { index, stored in
      let angle = Double(index / width) * table.inverseFrequencies[pair(index % width)]
      let wanted = table.attentionFactor * (isSine ? sine(angle) : cosine(angle))
      // A frequency is off by as much as in a stored table, which counts once for each position.
      return abs(stored - wanted) <= abs(table.attentionFactor) * (1 + angle) * (2e-6 + relativeRounding)
    }
  }
}
