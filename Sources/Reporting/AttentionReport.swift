import LosslessJSON
import YarnPatch

/// What `verify --attention full` measures: curves in its JSON document, the same at doubling steps as tables.
enum AttentionReport {
  // MARK: JSON

  static func json(_ difference: AttentionDifference) -> JSONText {
    .object([
      ("runtimes", .array(difference.runtimes.map(JSONText.string))),
      ("others", .array(difference.others.map(JSONText.string))), ("layerType", .optional(difference.layerType)),
      ("sequenceLength", .optional(difference.sequenceLength)), ("distance", .integer(difference.distance)),
      ("logit", .optional(difference.logit.isFinite ? difference.logit : nil)),
      ("output", .optional(difference.output.isFinite ? difference.output : nil)),
    ])
  }

  static func json(_ curves: AttentionCurves) -> JSONText {
    .object([
      ("place", .string(curves.place)), ("trainedLength", .integer(curves.trainedLength)),
      ("window", .integer(curves.window)),
      (
        "logits",
        .array(
          curves.logits.map {
            .object([
              ("distance", .integer($0.distance)), ("unscaled", .number($0.unscaled)), ("scaled", .number($0.scaled)),
            ])
          })
      ),
      (
        "entropies",
        .array(
          curves.entropies.map {
            .object([
              ("length", .integer($0.length)), ("unscaled", .number($0.unscaled)),
              ("withoutAttentionFactor", .number($0.withoutFactor)), ("scaled", .number($0.scaled)),
            ])
          })
      ), ("cachedKeys", curves.cachedKeys.map(json) ?? .null),
    ])
  }

  static func json(_ keys: CachedKeys) -> JSONText {
    .object([
      ("firstChangedLength", .integer(keys.firstChangedLength)), ("length", .integer(keys.length)),
      ("errors", .array(keys.errors.map(json))),
    ])
  }

  static func json(_ change: ScoreChange) -> JSONText {
    .object([("distance", .integer(change.distance)), ("relative", .number(change.relative))])
  }
  // MARK: text

  static func text(_ curves: AttentionCurves) -> String {
    let place = "\(curves.place): trained on \(curves.trainedLength) tokens, window \(curves.window) tokens"
    let logits = curves.logits.filter { isPower($0.distance) || $0.distance == curves.window - 1 }.map {
      ["\($0.distance)", percent($0.unscaled), percent($0.scaled)]
    }
    let entropies = curves.entropies.map {
      ["\($0.length)", significant($0.unscaled, 3), significant($0.scaled, 3), significant($0.withoutFactor, 3)]
    }
    return printable("attention of \(place)") + "\n"
      + columns([["distance", "logit, unscaled", "scaled"]] + logits)
      + columns([["tokens", "entropy, unscaled", "scaled", "without the attention factor"]] + entropies)
      + (curves.cachedKeys.map(text) ?? "")
  }

  private static func text(_ keys: CachedKeys) -> String {
    let title = "error of keys cached after rotation, in a sequence of \(keys.length) tokens, where there is any"
    let shown = keys.errors.filter { error in
      let position = keys.length - 1 - error.distance
      return error.relative > 0
        && (isPower(error.distance) || isPower(position) || position + 2 == keys.firstChangedLength)
    }
    return columns([["distance", title]] + shown.map { ["\($0.distance)", percent($0.relative)] })
  }

  /// Of two; 0 counts as one.
  private static func isPower(_ value: Int) -> Bool { value & (value - 1) == 0 }

  private static func percent(_ value: Double) -> String { "\(significant(100 * value, 3)) %" }
}
