import Foundation
import LosslessJSON
import RoPE

@testable import Runtimes

/// The comparison of readings with recorded cases, and its tally.
struct RecordedComparison {
  /// Four units in the last place of a float32: the order of operations is the runtime's, its power function is not.
  static let tolerance = 5e-7
  private(set) var failures: [String] = []
  private(set) var largestError = 0.0
  private(set) var worst = ""

  mutating func fail(_ id: String, _ what: String) { failures.append("\(id): \(what)") }

  func summary(_ name: String, cases: Int) -> String {
    "\(name): \(cases) cases, \(Set(failures.map { $0.split(separator: ":")[0] }).count) failed, "
      + "largest error \(largestError.formatted(.number.precision(.fractionLength(2)))) ULP (\(worst))"
  }

  /// Compares the error, else table, factors and samples, that `recorded` has with a reading.
  ///
  /// - Parameter tolerance: Of the table; only the errors of tables with the usual one are part of the summary.
  mutating func compare(
    _ reading: RuntimeReading, with recorded: [String: JSONValue], id: String, within tolerance: Double = tolerance
  ) {
    if let error = recorded["error"]?.membersByKey {
      let missing = error["missing_key"]?.string
      if reading.refused?.kind != error["type"]?.string || (missing != nil && reading.refused?.missingKey != missing) {
        fail(id, "refused with \(reading.refused.map { "\($0)" } ?? "nothing"), recorded is \(error)")
      }
      return
    }
    guard let table = reading.table else {
      return fail(id, "no table: \(reading.refused.map { "\($0)" } ?? "\(reading.notes)")")
    }
    if recorded["inv_freq"] == nil, recorded["cos_sin"]?.elements?.isEmpty != false { fail(id, "nothing to compare") }
    if let frequencies = recorded["inv_freq"]?.doubles {
      compare(table.inverseFrequencies, frequencies, id: id, within: tolerance)
    }
    if let factor = recorded["attention_factor"]?.number?.double, !isClose(table.attentionFactor, factor, 1e-12) {
      fail(id, "attention factor \(table.attentionFactor), recorded \(factor)")
    }
    // The recorded multiplier of transformers is itself a quotient of two softmax scales.
    let multiplier = recorded["softmax_scale_multiplier"]?.number?.double ?? 1
    if !isClose(table.softmaxScaleMultiplier, multiplier, 1e-12) {
      fail(id, "softmax scale multiplier \(table.softmaxScaleMultiplier), recorded \(multiplier)")
    }
    if let kind = recorded["rope_type_used"]?.string, reading.kind != kind {
      fail(id, "kind \(reading.kind), recorded \(kind)")
    }
    for sample in recorded["cos_sin"]?.elements ?? [] { compare(table, sample.value.membersByKey, id: id) }
  }

  private func isClose(_ value: Double, _ recorded: Double, _ tolerance: Double) -> Bool {
    abs(value - recorded) <= tolerance * max(abs(recorded), 1)
  }

  private mutating func compare(_ values: [Double], _ recorded: [Double], id: String, within tolerance: Double) {
    guard values.count == recorded.count else {
      return fail(id, "\(values.count) pairs, recorded \(recorded.count)")
    }
    for (pair, (value, truth)) in zip(values, recorded).enumerated() {
      guard truth != 0 else {
        if value != 0 { fail(id, "pair \(pair) is \(value), recorded 0") }
        continue
      }
      let ulps = abs(value - truth) / Double(Float(truth).ulp)
      if tolerance == Self.tolerance, !(ulps <= largestError) { (largestError, worst) = (ulps, "\(id) pair \(pair)") }
      if !(abs(value / truth - 1) <= tolerance) {
        return fail(id, "pair \(pair) is \(value), recorded \(truth), \(ulps) ULP")
      }
    }
  }

  /// Angles are rounded to float32 before the cosine, so the tolerance grows with them.
  private mutating func compare(_ table: FrequencyTable, _ sample: [String: JSONValue], id: String) {
    let position = sample["pos"]?.number?.double ?? .nan
    let (cosines, sines) = (sample["cos"]?.doubles ?? [], sample["sin"]?.doubles ?? [])
    guard cosines.count == table.inverseFrequencies.count, sines.count == cosines.count else {
      return fail(id, "\(cosines.count) cosines at position \(position)")
    }
    let scale = abs(table.attentionFactor)
    for (pair, frequency) in table.inverseFrequencies.enumerated() {
      let angle = position * frequency
      let error = max(
        abs(cos(angle) * table.attentionFactor - cosines[pair]), abs(sin(angle) * table.attentionFactor - sines[pair]))
      guard error <= scale * (angle * 1e-6 + 1e-6) else {
        return fail(id, "cos or sin of pair \(pair) at position \(position) is off by \(error)")
      }
    }
  }
}
