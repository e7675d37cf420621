import Agreement
import LosslessJSON
import Runtimes

/// Which runtimes compute the same from a model, and why the others do not.
enum AgreementReport {
  static func json(_ agreement: RuntimeAgreement) -> JSONText {
    .object([
      ("comparisons", .array(agreement.comparisons.map(json))),
      ("disagreements", .array(agreement.disagreements.map(json))),
      ("unable", .array(agreement.unable.map(json))),
    ])
  }

  private static func json(_ comparison: RuntimeAgreement.Comparison) -> JSONText {
    .object([
      ("layerType", .optional(comparison.layerType)), ("sequenceLength", .optional(comparison.sequenceLength)),
      ("groups", .array(comparison.groups.map { names($0.runtimes) })),
    ])
  }

  private static func json(_ disagreement: Disagreement) -> JSONText {
    .object([
      ("aspect", .string(disagreement.effect.aspect.rawValue)), ("runtimes", names(disagreement.runtimes)),
      ("others", names(disagreement.others)), ("layerType", .optional(disagreement.layerType)),
      ("sequenceLength", .optional(disagreement.sequenceLength)),
      ("size", .number(disagreement.effect.size)), ("logitScaleRatio", .number(disagreement.effect.logitScaleRatio)),
      ("message", .string(disagreement.effect.phrase)), ("keys", names(disagreement.cause?.keys ?? [])),
      ("cure", .optional(disagreement.cause?.cure)), ("remarks", names(disagreement.cause?.remarks ?? [])),
    ])
  }

  private static func json(_ reading: RuntimeReading) -> JSONText {
    .object([("runtime", .string(reading.runtime)), ("reason", .string(reading.refused?.reason ?? "no table"))])
  }

  private static func names(_ names: [String]) -> JSONText { .array(names.map(JSONText.string)) }

  /// The groups, then each departure with its size, what causes it and what to do.
  static func text(_ agreement: RuntimeAgreement) -> String {
    let rows = distinct(agreement.comparisons).flatMap { comparison in
      comparison.groups.enumerated().map { number, group in
        let place = place(comparison.layerType, comparison.sequenceLength) ?? "alike"
        return [number == 0 ? place : "", group.runtimes.joined(separator: ", ")]
      }
    }
    var text = "runtimes\n" + columns(rows)
    for disagreement in agreement.disagreements { text += self.text(disagreement) }
    for reading in agreement.unable {
      text += "  " + printable("\(reading.runtime) cannot read it: \(reading.refused?.reason ?? "no table")") + "\n"
    }
    return text
  }

  private static func text(_ disagreement: Disagreement) -> String {
    var subject =
      "\(disagreement.runtimes.joined(separator: ", ")) against \(disagreement.others.joined(separator: ", "))"
    if let place = place(disagreement.layerType, disagreement.sequenceLength) { subject += ", \(place)" }
    var rows = [["what", disagreement.effect.phrase]]
    if let cause = disagreement.cause {
      rows.append(["because of", cause.keys.joined(separator: ", ")])
      rows += cause.remarks.map { ["", $0] }
      rows.append(["cure", cause.cure])
    }
    return "  " + printable(subject) + "\n" + columns(rows, indent: 4)
  }

  private static func place(_ layerType: String?, _ length: Int?) -> String? {
    let parts = [layerType.map { "\($0) layers" }, length.map { "\($0) tokens" }].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: " at ")
  }

  /// Lengths at which the groups are those of the length before say nothing new.
  private static func distinct(_ comparisons: [RuntimeAgreement.Comparison]) -> [RuntimeAgreement.Comparison] {
    var shown: [String?: [[String]]] = [:]
    return comparisons.filter { comparison in
      let groups = comparison.groups.map(\.runtimes)
      defer { shown[comparison.layerType] = groups }
      return shown[comparison.layerType] != groups
    }
  }
}
