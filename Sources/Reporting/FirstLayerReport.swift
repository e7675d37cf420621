import Diagnostics
import LosslessJSON
import RoPE
import YarnPatch

/// How the first layer attends, in numbers: `verify --attention weights`.
enum FirstLayerReport {
  static let shows = "the true queries and keys of the first layer, for these tokens at these distances"
  static let doesNotShow = "what later layers make of text, nor how good the model's answers are"

  // MARK: JSON

  static func json(_ result: Result<FirstLayerAttention, FileError>) -> JSONText {
    switch result {
    case .failure(let error):
      .object([("refused", .object([("code", .string(error.code.rawValue)), ("reason", .string("\(error)"))]))])
    case .success(let attention): json(attention)
    }
  }

  private static func json(_ attention: FirstLayerAttention) -> JSONText {
    .object([
      ("refused", .null), ("source", .string(attention.source)),
      (
        "tokens",
        .object([
          ("count", .integer(attention.tokenCount)), ("distinct", .integer(attention.distinctTokenCount)),
          ("given", .bool(attention.hasGivenTokens)),
        ])
      ),
      ("originalContext", .integer(attention.originalContext)), ("headCount", .integer(attention.headCount)),
      ("settings", .array(attention.settings.map { json($0, heads: attention.heads) })),
      ("shows", .string(shows)), ("doesNotShow", .string(doesNotShow)),
      ("notes", .array(attention.notes.map(JSONText.string))),
    ])
  }

  private static func json(_ setting: FirstLayerAttention.Setting, heads: [Int]) -> JSONText {
    let summary = AttentionProfile(of: setting.profiles).map { members($0) } ?? []
    return .object(
      [
        ("name", .string(setting.name)), ("attentionFactor", .number(setting.attentionFactor)),
        ("softmaxScaleMultiplier", .number(setting.softmaxScaleMultiplier)),
      ] + summary + [
        (
          "heads",
          .array(
            zip(heads, setting.profiles).map { head, profile in
              .object([("head", .integer(head))] + members(profile))
            })
        )
      ])
  }

  private static func members(_ profile: AttentionProfile) -> [(key: String, value: JSONText)] {
    let lengths = profile.lengths.map { length in
      JSONText.object([
        ("length", .integer(length.length)), ("entropy", .number(length.entropy)),
        ("within\(FirstLayerAttention.nearDistance)", .number(length.nearShare)),
      ])
    }
    let distances = profile.distances.map { distance in
      JSONText.object([
        ("from", .integer(distance.range.lowerBound)), ("to", .integer(distance.range.upperBound - 1)),
        ("mean", .number(distance.mean)), ("largest", .number(distance.largest)),
      ])
    }
    return [
      ("largestInside", .number(profile.largestInside)), ("largestBeyond", .optional(profile.largestBeyond)),
      ("lengths", .array(lengths)), ("distances", .array(distances)),
    ]
  }

  // MARK: text

  static func text(_ result: Result<FirstLayerAttention, FileError>, detail: ReportDetail) -> String {
    switch result {
    case .failure(let error):
      // The whole error, with what to do, goes where errors go.
      "first layer: not looked at, \(printable(error.found))\n"
    case .success(let attention): text(attention, detail: detail)
    }
  }

  private static func text(_ attention: FirstLayerAttention, detail: ReportDetail) -> String {
    let kind = attention.hasGivenTokens ? "given" : "seeded"
    let title =
      "first layer of \(attention.source): \(attention.tokenCount) \(kind) tokens, "
      + "\(attention.distinctTokenCount) different, heads \(attention.heads.map(String.init).joined(separator: ", ")) of "
      + "\(attention.headCount), original length \(attention.originalContext)"
    let rows = lengthRows(attention) + distanceRows(attention) + headRows(attention)
    let text = printable(title) + "\n" + columns(rows)
    if detail == .quiet { return text }
    let notes = ["shows \(shows)", "does not show \(doesNotShow)"] + attention.notes
    return text + columns(notes.map { ["note", $0] })
  }

  /// Entropy and share of near keys, means of the heads, by the number of keys that a query sees.
  private static func lengthRows(_ attention: FirstLayerAttention) -> [[String]] {
    let near = "within \(FirstLayerAttention.nearDistance)"
    return rows(
      attention, title: ["keys", "log keys"], columns: ["entropy", near], of: \.lengths,
      labels: { ["\($0.length)", shown(logarithm(Double($0.length)))] },
      cells: { [shown($0.entropy), significant($0.nearShare * 100, 3) + " %"] })
  }

  /// Mean and largest logit of all heads, by distance.
  private static func distanceRows(_ attention: FirstLayerAttention) -> [[String]] {
    rows(
      attention, title: ["distance", "beyond"], columns: ["logit", "largest"], of: \.distances,
      labels: { [name($0.range), $0.range.lowerBound >= attention.originalContext ? "yes" : ""] },
      cells: { [shown($0.mean), shown($0.largest)] })
  }

  private static func rows<Row>(
    _ attention: FirstLayerAttention, title: [String], columns: [String], of rows: (AttentionProfile) -> [Row],
    labels: (Row) -> [String], cells: (Row) -> [String]
  ) -> [[String]] {
    let summaries = attention.settings.compactMap { AttentionProfile(of: $0.profiles) }
    guard let first = summaries.first else { return [] }
    return [title + heading(attention, columns)]
      + rows(first).indices.map { index in
        labels(rows(first)[index]) + summaries.flatMap { cells(rows($0)[index]) }
      }
  }

  /// The largest logit of each head inside and beyond the original length.
  private static func headRows(_ attention: FirstLayerAttention) -> [[String]] {
    [["head", ""] + heading(attention, ["inside", "beyond"])]
      + attention.heads.enumerated().map { index, head in
        ["\(head)", ""]
          + attention.settings.flatMap { setting in
            let profile = setting.profiles[index]
            return [shown(profile.largestInside), profile.largestBeyond.map(shown) ?? "-"]
          }
      }
  }

  /// The columns of each setting; the first says of which.
  private static func heading(_ attention: FirstLayerAttention, _ columns: [String]) -> [String] {
    attention.settings.flatMap { ["\($0.name): \(columns[0])"] + columns.dropFirst() }
  }

  static func name(_ range: Range<Int>) -> String {
    range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)–\(range.upperBound - 1)"
  }

  private static func shown(_ value: Double) -> String { significant(value, 3) }
}
