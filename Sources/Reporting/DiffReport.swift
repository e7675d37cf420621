import Agreement
import LosslessJSON
import YarnPatch

/// `diff`: what two models state and compute differently.
public enum DiffReport {
  public static func json(_ difference: ModelDifference) -> String {
    JSONText.object([
      ("schema", .string("yarn-patch.diff/1")), ("same", .bool(difference.isSame)),
      ("models", .array([.string(difference.first), .string(difference.second)])),
      (
        "compared",
        .array(
          difference.compared.map {
            .object([("runtime", .string($0.runtime)), ("against", .optional($0.against ?? $0.runtime))])
          })
      ),
      ("settings", .array(difference.settings.map(json))), ("differences", .array(difference.results.map(json))),
    ]).pretty() + "\n"
  }

  private static func json(_ setting: ModelDifference.Setting) -> JSONText {
    .object([
      ("member", .string(setting.member)), ("layerType", .optional(setting.layerType)),
      ("values", .array([.optional(setting.first), .optional(setting.second)])),
      ("declaredAt", .array([.optional(setting.firstPlace), .optional(setting.secondPlace)])),
    ])
  }

  private static func json(_ result: ModelDifference.Result) -> JSONText {
    .object([
      ("aspect", .string(result.effect.aspect.rawValue)), ("runtimes", .array(result.runtimes.map(JSONText.string))),
      ("against", .optional(result.against)),
      ("layerType", .optional(result.layerType)), ("size", .number(result.effect.size)),
      ("logitScaleRatio", .number(result.effect.logitScaleRatio)), ("message", .string(result.effect.phrase)),
      ("keys", .array(result.keys.map(JSONText.string))), ("cure", .optional(result.cure)),
    ])
  }

  public static func text(_ difference: ModelDifference) -> String {
    let title = printable("\(difference.first) and \(difference.second): \(verdict(difference))") + "\n"
    let settings = difference.settings.map { setting in
      let layer = setting.layerType.map { ", \($0) layers" } ?? ""
      return [
        "\(setting.member)\(layer)", "\(setting.first ?? "(not stated)") and \(setting.second ?? "(not stated)")",
      ]
    }
    // What the same runtimes see stands together.
    let subjects = difference.results.map(subject).uniqued()
    return title + columns(settings)
      + subjects.map { subject in text(subject, difference.results.filter { self.subject($0) == subject }) }.joined()
  }

  private static func subject(_ result: ModelDifference.Result) -> String {
    names(result.runtimes, against: result.against) + (result.layerType.map { ", \($0) layers" } ?? "")
  }

  private static func text(_ subject: String, _ results: [ModelDifference.Result]) -> String {
    let keys = results.flatMap(\.keys).map(key).uniqued()
    let rows =
      results.map { ["what", $0.effect.phrase] }
      + (keys.isEmpty ? [] : [["because of", keys.joined(separator: ", ")]])
      + results.compactMap(\.cure).uniqued().map { ["cure", $0] }
    return "  " + printable(subject) + "\n" + columns(rows, indent: 4)
  }

  /// The pointer or key of a place.
  private static func key(_ place: String) -> String {
    place.lastIndex(of: "#").map { String(place[place.index(after: $0)...]) } ?? place
  }

  private static func names(_ runtimes: [String], against other: String?) -> String {
    runtimes.joined(separator: ", ") + (other.map { " against \($0)" } ?? "")
  }

  private static func verdict(_ difference: ModelDifference) -> String {
    guard !difference.compared.isEmpty else { return "no runtime reads both" }
    let parts = difference.compared.map(\.against).uniqued().map { other in
      names(difference.compared.filter { $0.against == other }.map(\.runtime), against: other)
    }
    let compared = parts.joined(separator: "; ")
    return difference.isSame ? "the same for \(compared)" : "DIFFERENT; compared: \(compared)"
  }
}
