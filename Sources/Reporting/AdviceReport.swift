import Diagnostics
import LosslessJSON
import ModelConfig
import Runtimes
import YarnPatch

/// `advise`: what it takes for a model to serve a length.
public enum AdviceReport {
  public static func json(_ advice: Advice) -> String {
    JSONText.object([
      ("schema", .string("yarn-patch.advise/1")), ("model", .string(advice.path)),
      ("context", .integer(advice.context)), ("verdict", .string(advice.verdict.rawValue)),
      ("reason", .string(advice.reason)), ("remedy", .optional(advice.remedy)),
      ("arguments", .array(advice.arguments.map(JSONText.string))),
      ("method", .optional(advice.settings?.method.rawValue)), ("factor", .optional(advice.settings?.factor)),
      ("originalContext", .optional(advice.originalContext)), ("contextLength", .optional(advice.window)),
      ("plannedContextLength", .optional(advice.settings?.window)),
      ("lengths", .array(advice.lengths.map(length))), ("cache", cache(advice.cache)),
      ("shortPrompts", advice.shortPrompts.map(cost) ?? .null), ("dynamic", advice.dynamic.map(dynamic) ?? .null),
      ("runtimes", .array(advice.runtimes.map(runtime))), ("notes", .array(advice.notes.map(JSONText.string))),
    ]).pretty() + "\n"
  }

  private static func length(_ length: Advice.Length) -> JSONText {
    .object([
      ("tokens", .integer(length.tokens)), ("factor", .optional(length.factor)),
      ("attentionFactor", .optional(length.attentionFactor)), ("scoreChange", .optional(length.scoreChange)),
      ("cacheBytes16Bit", bytes(length.cache16Bit)), ("cacheBytes8Bit", bytes(length.cache8Bit)),
    ])
  }

  private static func bytes(_ count: UInt64?) -> JSONText { count.map { .raw("\($0)") } ?? .null }

  private static func cache(_ cache: Result<KeyValueCache, FileError>) -> JSONText {
    switch cache {
    case .failure(let error): .object([("unknown", .string("\(error.location.key ?? "?"): \(error.found)"))])
    case .success(let cache):
      .object([
        (
          "layers",
          .array(
            cache.layers.map {
              .object([
                ("count", .integer($0.count)), ("elementsPerToken", .integer($0.elements)),
                ("window", .optional($0.window)),
              ])
            })
        ), ("depth", .integer(cache.depth)), ("exact", .bool(cache.bounds.isEmpty)),
        ("notes", .array((cache.bounds + cache.notes).map(JSONText.string))),
      ])
    }
  }

  private static func cost(_ cost: ShortPromptCost) -> JSONText {
    .object([
      ("length", .integer(cost.length)), ("pairsKept", .optional(cost.kept)),
      ("pairsBlended", .optional(cost.blended)), ("pairsDivided", .optional(cost.divided)),
      ("logitScale", .number(cost.logitScale)),
      ("scoreChanges", .array(cost.scoreChanges.map(AttentionReport.json))),
      ("entropyLength", .integer(cost.entropyLength)),
      ("entropyBefore", .optional(cost.entropyBefore)), ("entropyAfter", .optional(cost.entropyAfter)),
    ])
  }

  private static func dynamic(_ dynamic: DynamicScaling) -> JSONText {
    .object([
      ("runtimes", .array(dynamic.runtimes.map(JSONText.string))), ("refusal", .optional(dynamic.refusal?.found)),
      ("cachedKeys", dynamic.cachedKeys.map(AttentionReport.json) ?? .null),
    ])
  }

  private static func runtime(_ runtime: RuntimeAdvice) -> JSONText {
    .object([
      ("runtime", .string(runtime.runtime)), ("version", .optional(runtime.version)),
      ("file", .optional(runtime.file)), ("contextLength", .optional(runtime.window)),
      ("plannedContextLength", .optional(runtime.plannedWindow)),
      ("obstacles", .array(runtime.obstacles.map(JSONText.string))),
      ("startOption", runtime.startOption.map(TableReport.startOption) ?? .null),
    ])
  }
}
