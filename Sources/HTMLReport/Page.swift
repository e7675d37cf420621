import Bytes
import Drawing
import Reporting
import RoPE
import YarnPatch

/// `report`: one page about a model's positions that needs nothing beside itself.
public enum Page {
  public static func html(_ guide: Guide) -> String {
    let data = PageData(guide)
    let knobs = data.knobs
    let style = text(PackageResources.style_css) + Figure.style
    let script = scripts.map(text).joined()
    let side = SideBySide(guide: guide, knobs: knobs)
    let spelling = Spelling(guide: guide)
    let unscaled = FrequencyTable(knobs.parameters(.none))
    func figure(_ figure: PageFigure?, or words: String) -> String {
      figure?.markup.source ?? Markup("p", text: words).source
    }
    let origin = guide.series?.origin ?? []
    let parts = [
      "policy": "default-src 'none'; img-src data:; style-src '\(hash(style))'; script-src '\(hash(script))'; "
        + "base-uri 'none'; form-action 'none'",
      "title": Markup(text: printable(guide.inspection.model.path)).source,
      "version": Markup(text: version).source, "style": style, "script": script, "data": data.text,
      "summary": SummarySection(guide: guide).markup.map(\.source).joined(separator: "\n"),
      "words": WordOrder.table(unscaled.inverseFrequencies).markup.source,
      "rotation": Dials(knobs).figure.source, "bands": knobs.bandsFigure.markup.source,
      "spectrum": knobs.spectrumFigure(beside: data.beside).markup.source,
      "dilution": figure(
        guide.curves.flatMap { $0.entropies.isEmpty ? nil : $0.dilutionFigure },
        or: "No table follows from the files, or the heads are longer than the attention check takes."),
      "decay": knobs.decayFigure.markup.source,
      "series": figure(
        guide.series?.figure,
        or: "Nothing measured was given. yarn-patch report MODEL --series FILE.csv shows a list of measurements "
          + "(setting, length, value); a curve is never made up."),
      "origin": origin.map { Markup("p", ["class": "origin"], text: printable($0)).source }.joined(),
      "dynamic": knobs.dynamicFigure.markup.source,
      "cache": knobs.cacheFigure.markup.source,
      "layout": spelling.layout.source, "architecture": spelling.architecture.source,
      "comparison": side.comparison.markup.source, "conditions": side.conditions.markup.source,
    ]
    return filled(text(PackageResources.template_html), parts)
  }

  /// In the order in which they stand in the page: mathematics, drawing, sections, the page itself.
  static let scripts: [[UInt8]] = [
    PackageResources.attention_magnitude_js, PackageResources.rope_parameters_js,
    PackageResources.correction_range_js, PackageResources.frequency_table_js,
    PackageResources.frequency_table_distance_js, PackageResources.score_change_js,
    PackageResources.cached_keys_js, PackageResources.attention_spread_js, PackageResources.number_text_js,
    PackageResources.axis_js, PackageResources.plot_js, PackageResources.tip_js, PackageResources.page_figure_js,
    PackageResources.knobs_js, PackageResources.patch_command_js, PackageResources.config_template_js,
    PackageResources.word_order_js,
    PackageResources.dials_js, PackageResources.pair_figures_js, PackageResources.length_figures_js,
    PackageResources.side_by_side_js, PackageResources.page_js,
  ]

  private static func text(_ resource: [UInt8]) -> String { String(decoding: resource, as: UTF8.self) }

  /// A source expression of a content-security policy.
  static func hash(_ text: String) -> String { "sha256-\(base64(SHA256.hexadecimal(of: text.utf8)))" }

  /// A digest's hexadecimal digits in base 64.
  private static func base64(_ hexadecimal: String) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var bits = hexadecimal.compactMap(\.hexDigitValue).flatMap { digit in (0..<4).map { digit >> (3 - $0) & 1 } }
    let length = bits.count
    bits += [Int](repeating: 0, count: (6 - length % 6) % 6)
    let text = stride(from: 0, to: bits.count, by: 6).map { letters[bits[$0..<$0 + 6].reduce(0) { $0 * 2 + $1 }] }
    return String(text) + String(repeating: "=", count: (4 - text.count % 4) % 4)
  }

  /// The template with each `{{name}}` replaced, in one pass: what is put in is not looked at again.
  static func filled(_ template: String, _ parts: [String: String]) -> String {
    var result = ""
    var rest = template[...]
    while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
      result += rest[..<open.lowerBound]
      result += parts[String(rest[open.upperBound..<close.lowerBound])] ?? ""
      rest = rest[close.upperBound...]
    }
    return result + rest
  }
}
