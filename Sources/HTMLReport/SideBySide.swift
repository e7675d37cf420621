import Drawing
import ModelConfig
import Reporting
import RoPE
import YarnPatch

/// RoPE against YaRN for one model, and whether YaRN is the right choice for it.
struct SideBySide {
  let guide: Guide
  let knobs: Knobs

  private var advice: Advice? { try? guide.advice.get() }

  /// The rows that follow the knobs have their texts written by the script as well.
  var comparison: NumberTable {
    let ramp = FrequencyTable(knobs.parameters(.none)).inverseFrequencies.isEmpty ? [] : knobs.ramp
    func count(_ name: String) -> Int { ramp.count { Knobs.region($0) == name } }
    let magnitude = knobs.parameters(.yarn).attentionFactor
    let square = magnitude * magnitude
    return NumberTable(
      columns: ["", "RoPE", "YaRN"],
      rows: [
        [
          "position encoding", "\(ramp.count) pairs turn by position × frequency, base \(significant(knobs.base, 12))",
          "the same, with \(ramp.count - count("kept")) pairs slowed down",
        ],
        [
          "extension", "none: \(knobs.original) tokens",
          "×\(significant(knobs.factor)): \(knobs.original) to \(knobs.window) tokens",
        ],
        ["fast pairs", "unchanged", "\(count("kept")) of \(ramp.count) kept: local order stays as it was learned"],
        ["middle pairs", "unchanged", "\(count("blended")) blended between the two"],
        ["slow pairs", "unchanged", "\(count("interpolated")) divided by the factor: no angle is new"],
        [
          "temperature", "logits × 1",
          "cos and sin × \(significant(magnitude, 8)), logits × \(significant(square, 8)), so t = \(significant(1 / square, 8))",
        ],
        ["training needed", "none within the trained window", training],
        ["short-context cost", "none", shortCost],
      ])
  }

  private var training: String {
    knobs.factor <= 1
      ? "none" : knobs.factor <= 8 ? "none to start with; some at the longer length helps" : "above ×8, train along"
  }

  private var shortCost: String {
    guard let cost = advice?.shortPrompts else { return "none stated: nothing is scaled by the advice" }
    let largest = cost.scoreChanges.map(\.relative).max() ?? 0
    var text =
      "within \(cost.length) tokens the scores of random heads change by up to \(significant(100 * largest, 3)) % of "
      + "their size; logits × \(significant(cost.logitScale, 5))"
    if let before = cost.entropyBefore, let after = cost.entropyAfter {
      text += ", entropy over \(cost.entropyLength) keys \(significant(before, 4)) to \(significant(after, 4)) nats"
    }
    return text
  }

  /// When YaRN is right, each answered from the files.
  var conditions: NumberTable {
    let layer = guide.layers[0]
    let kind = layer.declaration.scalingKind
    let trained = layer.declaration.originalContext?.value ?? Knobs(layer, context: guide.context)?.original
    let rotates = layer.reading.parameters != nil
    let isOther = !["yarn", "dynamic", nil].contains(kind)
    let reach = guide.context
    let needs = trained.map { reach > $0 }
    let unable = (advice?.runtimes ?? []).filter { $0.file != nil && !$0.obstacles.isEmpty }.map(\.runtime)
    let factor = trained.map { Double(reach) / Double($0) }
    return NumberTable(
      columns: ["condition", "answer", "from the files"],
      rows: [
        [
          "The model turns pairs by position (RoPE)", rotates ? "yes" : "no",
          layer.reading.refused?.reason ?? "base \(significant(knobs.base, 12)), \(knobs.rotaryDimension) of "
            + "\(knobs.headDimension) elements of a head rotate",
        ],
        [
          "The weights were not trained with another scaling",
          isOther || advice?.verdict == .unreachable ? "no" : "yes",
          kind.map { "the files state \($0)" + (advice.map { "; \($0.reason)" } ?? "") }
            ?? "the files state no scaling",
        ],
        [
          "The length that is needed is beyond the trained one", needs.map { $0 ? "yes" : "no" } ?? "unknown",
          trained.map { "\(reach) tokens are asked for, \($0) were trained" } ?? "the files state no trained length",
        ],
        [
          "The factor is moderate and every runtime reads it alike",
          unable.isEmpty && advice != nil && factor.map { $0 <= 8 } ?? false ? "yes" : "no",
          (factor.map { "factor \(significant($0))" } ?? "no factor")
            + (unable.isEmpty
              ? "; no runtime that reads the files objects"
              : "; read otherwise or not at all by \(unable.joined(separator: ", "))"),
        ],
      ].map { $0.map { printable(SummarySection.cut($0)) } })
  }
}
