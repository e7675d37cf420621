import Drawing
import LosslessJSON
import ModelConfig
import PatchPlanning
import Runtimes
import YarnPatch

/// How a setting is written in the files of one model.
struct Spelling {
  let guide: Guide

  private var config: HuggingFaceConfig? { guide.inspection.model.files.lazy.compactMap(\.config).first }
  private var named: String? { guide.inspection.model.files.lazy.compactMap(\.gguf).first?.first.architecture }

  /// Where the members of config.json come from, in words.
  var layout: Markup {
    let words =
      config == nil
      ? "The model has no config.json here; a plain one would state this."
      : guide.templates.isEmpty
        ? "No patch is written into this config.json (the summary says why); a plain one would state this."
        : "In the layout of this model’s config.json. What stands beside these members stays."
    return Markup("p", text: words)
  }

  /// Where the architecture in the keys comes from, in words; empty where a GGUF states it.
  var architecture: Markup {
    guard named == nil else { return Markup(text: "") }
    let converted = config?.convertedArchitecture.map {
      "There is no GGUF here; llama.cpp’s converter would name this model’s architecture \($0)."
    }
    return Markup(
      "p",
      text: converted
        ?? "There is no GGUF here, and how llama.cpp’s converter would name this model’s architecture is not known: "
        + "put what the GGUF’s general.architecture says in the place of \(Self.placeholder).")
  }

  private static let placeholder = "ARCHITECTURE"

  /// Templates of config.json by method, and the names of the GGUF's keys.
  var json: JSONText {
    let keys = GGUFKeys(named ?? config?.convertedArchitecture ?? Self.placeholder)
    let names: KeyValuePairs = [
      "contextLength": keys.contextLength, "base": keys.base, "type": keys.type, "factor": keys.factor,
      "original": keys.original, "attentionFactor": keys.attentionFactor, "betaFast": keys.betaFast,
      "betaSlow": keys.betaSlow,
    ]
    let templates = PatchMethod.allCases.compactMap { method in
      (guide.templates[method] ?? .plain(method)).map { (key: method.rawValue, value: Self.json($0)) }
    }
    return .object([
      ("templates", .object(templates)), ("gguf", .object(names.map { ($0.key, .string($0.value)) })),
      ("readsBetas", .bool(keys.architecture.readsBetas)),
    ])
  }

  private static func json(_ template: ConfigTemplate) -> JSONText {
    let places = template.places.map { place in
      JSONText.object([
        ("path", .array(place.path.map(JSONText.string))), ("value", .string(place.value.rawValue)),
        ("isFraction", .bool(place.isFraction)), ("isOptional", .bool(place.isOptional)),
      ])
    }
    return .object([
      ("members", template.members), ("places", .array(places)),
      ("removed", .array(template.removed.map(JSONText.string))),
    ])
  }
}
