import Agreement
import Attention
import RoPE
import Runtimes

extension Verifier {
  /// Logits and outputs by the tables of several runtimes: those that agree must stay within what rounding of their
  /// tables explains, for those that do not it is told how much it matters, whoever is right.
  mutating func compareAttention(_ agreement: RuntimeAgreement) {
    guard attention != .off else { return }
    for comparison in agreement.comparisons {
      for group in comparison.groups { checkAttention(of: group, comparison) }
    }
    attentionDifferences = Self.differences(agreement)
    for difference in attentionDifferences { inform(difference.summary) }
  }

  /// The same for all runtimes that have a table for the model. Nobody asked for their agreement, so it is told how far
  /// they are apart, and no difference fails; that of the authors' code, which serves nobody, is told but not counted.
  mutating func measureAttention(of agreement: RuntimeAgreement) {
    attentionDifferences = Self.differences(agreement)
    for difference in attentionDifferences { inform(difference.summary) }
    let authors = [Runtime.yarnRepository.name]
    let counted = attentionDifferences.filter { $0.runtimes != authors && $0.others != authors }
    let within = agreement.comparisons.flatMap { comparison in
      comparison.groups.flatMap { group in
        group.readings.dropFirst().compactMap { Self.difference(group.readings[0], $0, comparison)?.largest.logit }
      }
    }
    let logits = counted.map(\.logit) + within
    guard !logits.isEmpty else { return }
    let readers = agreement.comparisons.flatMap(\.groups).filter { $0.runtimes != authors }.flatMap(\.runtimes)
      .uniqued().joined(separator: ", ")
    let verdict =
      counted.isEmpty
      ? "their tables are the same but for rounding" : "their tables differ; --runtime all tells why"
    var check = Check(
      "runtimes-attention", "how far logits by the runtimes' tables lie apart", passed: true,
      detail: "\(readers): \(verdict)")
    check.measured = logits.allSatisfy(\.isFinite) ? logits.max() : nil
    check.unit = "of a logit"
    checks.append(check)
  }

  /// The largest for each two groups of runtimes, over all lengths.
  private static func differences(_ agreement: RuntimeAgreement) -> [AttentionDifference] {
    var largest: [AttentionDifference] = []
    for comparison in agreement.comparisons {
      for (index, one) in comparison.groups.enumerated() {
        for other in comparison.groups.dropFirst(index + 1) {
          guard let tables = difference(one.readings[0], other.readings[0], comparison) else { continue }
          let found = AttentionDifference(one, other, tables, in: comparison)
          guard let known = largest.firstIndex(where: found.isAlike) else {
            largest.append(found)
            continue
          }
          if largest[known].logit < found.logit { largest[known] = found }
        }
      }
    }
    return largest
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
