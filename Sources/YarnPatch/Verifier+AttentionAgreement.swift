import Agreement
import Attention
import RoPE
import Runtimes

extension Verifier {
  /// Logits and outputs by the tables of several runtimes: those that agree must stay within what rounding of their
  /// tables explains, for those that do not it is told how much it matters, whoever is right.
  mutating func compareAttention(_ agreement: RuntimeAgreement) {
    guard attention != .off else { return }
    var largest: [(names: String, difference: TableDifference, length: Int?)] = []
    for comparison in agreement.comparisons {
      for group in comparison.groups { checkAttention(of: group, comparison) }
      let groups = comparison.groups
      for (index, one) in groups.enumerated() {
        for other in groups.dropFirst(index + 1) {
          guard let difference = Self.difference(one.readings[0], other.readings[0], comparison) else { continue }
          let layer = comparison.layerType.map { " in \($0) layers" } ?? ""
          let names = "\(one.runtimes.joined(separator: ", ")) and of \(other.runtimes.joined(separator: ", "))\(layer)"
          if let known = largest.firstIndex(where: { $0.names == names }) {
            if largest[known].difference.isSmaller(than: difference) {
              largest[known] = (names, difference, comparison.sequenceLength)
            }
          } else {
            largest.append((names, difference, comparison.sequenceLength))
          }
        }
      }
    }
    for (names, difference, length) in largest {
      guard let point = difference.largest else { continue }
      func rounded(_ value: Double) -> Float { Float((value * 1000).rounded() / 1000) }
      inform(
        "logits of \(names) differ by up to \(rounded(point.logit)) where their spread is"
          + " \(Int(AttentionSpread.spread)), most at a distance of \(point.distance) tokens\(length.map { " in a sequence of \($0)" } ?? "");"
          + " outputs by up to \(rounded(difference.output))")
    }
  }

  private mutating func checkAttention(of group: RuntimeAgreement.Group, _ comparison: RuntimeAgreement.Comparison) {
    let first = group.readings[0]
    var tables = [first.table]
    var worst: (point: TableDifference.Point, runtime: String)?
    // Tables are compared once, however many runtimes have them.
    for reading in group.readings where !tables.contains(reading.table) {
      tables.append(reading.table)
      guard let point = Self.difference(first, reading, comparison)?.nearest else { continue }
      if let known = worst?.point, known.logit * point.bound >= point.logit * known.bound { continue }
      worst = (point, reading.runtime)
    }
    guard let (point, runtime) = worst else { return }
    checks.append(
      Check(
        "attention-agreement", "attention by tables that agree stays within their rounding", measured: point.logit,
        atMost: point.bound, unit: "of a logit",
        detail: "\(first.runtime) and \(runtime), at a distance of \(point.distance) tokens"))
  }

  private static func difference(
    _ one: RuntimeReading, _ other: RuntimeReading, _ comparison: RuntimeAgreement.Comparison
  ) -> TableDifference? {
    guard let table = one.table, let its = other.table else { return nil }
    let rounding = TableDifference.Rounding(
      frequency: RuntimeReading.rounding(pairCount: table.inverseFrequencies.count),
      factor: RuntimeReading.factorRounding)
    let window = comparison.sequenceLength ?? [one, other].compactMap(\.contextLength).max() ?? 4096
    return TableDifference(table, its, window: window, rounding: rounding)
  }
}

extension TableDifference {
  fileprivate func isSmaller(than other: TableDifference) -> Bool {
    (largest?.logit ?? 0) < (other.largest?.logit ?? 0)
  }
}
