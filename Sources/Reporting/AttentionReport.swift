import LosslessJSON
import YarnPatch

/// The curves of `verify --attention full` in its JSON document.
enum AttentionReport {
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
}
