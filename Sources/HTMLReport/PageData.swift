import LosslessJSON
import PatchPlanning
import Reporting
import RoPE
import YarnPatch

/// The page's data as JSON: what the script starts from, and Swift's own numbers beside it.
struct PageData {
  let guide: Guide
  let presets: [Preset]

  /// A setting that the reader can go back to.
  struct Preset {
    var name: String
    var knobs: Knobs
  }

  init(_ guide: Guide) {
    self.guide = guide
    var presets: [Preset] = []
    if let settings = try? guide.advice.get().settings,
      let knobs = Knobs(settings, guide.planned, headDimension: guide.layers[0].declaration.headDimension?.value)
    {
      presets.append(Preset(name: "the patch", knobs: knobs))
    }
    for layer in guide.layers {
      guard let knobs = Knobs(layer, context: guide.context) else { continue }
      presets.append(Preset(name: layer.declaration.layerType.map { "the files, \($0)" } ?? "the files", knobs: knobs))
    }
    if presets.isEmpty {
      presets.append(Preset(name: "before scaling", knobs: Knobs(unscaled: guide.layers[0], context: guide.context)))
    }
    self.presets = presets
  }

  /// The files' own table where no knob can say it, with its name.
  var beside: (name: String, table: FrequencyTable)? {
    let layer = guide.layers[0]
    guard Knobs(layer, context: guide.context) == nil, let table = layer.reading.table else { return nil }
    return (printable("the files: \(layer.reading.kind)"), table)
  }

  /// What the page shows first.
  var knobs: Knobs { presets[0].knobs }

  /// JSON for a script element: what could end the element or begin a comment there stands as escapes.
  var text: String {
    json.compact.unicodeScalars.reduce(into: "") { text, scalar in
      switch scalar {
      case "<": text += "\\u003c"
      case ">": text += "\\u003e"
      case "&": text += "\\u0026"
      case "\u{2028}": text += "\\u2028"
      case "\u{2029}": text += "\\u2029"
      default: text.unicodeScalars.append(scalar)
      }
    }
  }

  var json: JSONText {
    .object([
      ("schema", .string("yarn-patch.report/1")), ("model", .string(guide.inspection.model.path)),
      ("context", .integer(guide.context)),
      (
        "presets",
        .array(presets.map { .object([("name", .string($0.name)), ("knobs", Self.json($0.knobs))]) })
      ),
      (
        "methods",
        .object(knobs.methods.map { ($0.name, .array($0.table.inverseFrequencies.prefix(256).map(JSONText.number))) })
      ),
      (
        "declared",
        .array(
          guide.layers.map {
            .object([
              ("layerType", .optional($0.declaration.layerType)), ("kind", .string($0.reading.kind)),
              (
                "inverseFrequencies",
                .array(($0.reading.table?.inverseFrequencies ?? []).prefix(256).map(JSONText.number))
              ), ("attentionFactor", .optional($0.reading.table?.attentionFactor)),
            ])
          })
      ),
      ("entropies", .array((guide.curves?.entropies ?? []).map(Self.json))),
      (
        "series",
        .array(
          (guide.series?.points ?? []).map {
            .object([
              ("setting", .string($0.setting)), ("length", .integer($0.length)), ("value", .number($0.value)),
            ])
          })
      ), ("measure", .optional(guide.series?.measure)), ("beside", .optional(beside?.name)),
      ("spelling", Spelling(guide: guide).json),
    ])
  }

  private static func json(_ knobs: Knobs) -> JSONText {
    .object([
      ("method", .string(knobs.method.rawValue)), ("base", .number(knobs.base)),
      ("headDimension", .integer(knobs.headDimension)), ("rotaryDimension", .integer(knobs.rotaryDimension)),
      ("original", .integer(knobs.original)), ("factor", .number(knobs.factor)),
      ("betaFast", .number(knobs.betaFast)), ("betaSlow", .number(knobs.betaSlow)), ("truncate", .bool(knobs.truncate)),
      ("attentionFactor", .optional(knobs.attentionFactor)), ("length", .integer(knobs.length)),
    ])
  }

  private static func json(_ entropy: AttentionCurves.Entropy) -> JSONText {
    .object([
      ("length", .integer(entropy.length)), ("unscaled", .number(entropy.unscaled)),
      ("withoutFactor", .number(entropy.withoutFactor)), ("scaled", .number(entropy.scaled)),
    ])
  }
}
