/// Plots one below the other as one self-contained SVG document, readable on light and dark ground.
package struct Figure: Sendable {
  /// The whole title; what does not fit is cut in the drawing only.
  package var title: String
  /// What the drawing shows, in words and numbers.
  package var description: String
  package var plots: [Plot]
  /// Lines of text below the plots.
  package var remarks: [String]

  package init(_ title: String, description: String, plots: [Plot], remarks: [String] = []) {
    (self.title, self.description, self.plots, self.remarks) = (title, description, plots, remarks)
  }

  package static let width = 760.0

  /// The `svg` element. It has no identifiers, so that several can stand in one page.
  ///
  /// - Parameter styled: Whether it carries its ``style``; a page of several states that once.
  package func markup(styled: Bool = true) -> Markup {
    var y = 30.0
    var parts = [
      Markup("text", ["class": "title", "x": "12", "y": "24"], text: Self.lines(of: title, within: 580, atMost: 1)[0])
    ]
    for plot in plots {
      // Without a heading of its own a plot moves up under the title.
      if plot.title.isEmpty { y -= 16 }
      let (drawn, height) = plot.drawn()
      parts.append(Markup("g", ["transform": "translate(0 \(y.coordinate))"], drawn))
      y += height
    }
    for line in remarks.flatMap({ Self.lines(of: $0, within: Self.width - 24) }) {
      y += 18
      parts.append(Markup("text", ["class": "entry", "x": "12", "y": y.coordinate], text: line))
    }
    let (width, height) = (Self.width.coordinate, (y + 14).coordinate)
    return Markup(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg", "class": "figure", "role": "img", "viewBox": "0 0 \(width) \(height)",
        "width": width, "height": height,
      ],
      [
        Markup("title", text: title), Markup("desc", text: description),
      ] + (styled ? [Markup("style", text: Self.style)] : [])
        + [Markup("rect", ["class": "page", "width": width, "height": height])] + parts)
  }

  /// The document.
  package var svg: String { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\(markup().source)\n" }

  /// How wide a text is drawn, roughly: no measure of the reader's font is to be had, this is a generous one.
  static func width(of text: String) -> Double { Double(text.count) * 6.6 }

  /// A text broken between words into lines; what is left over is cut.
  static func lines(of text: String, within width: Double, atMost count: Int = 4) -> [String] {
    let limit = Int(width / Self.width(of: " "))
    var lines = [""]
    for word in text.split(separator: " ") {
      let line = lines[lines.count - 1]
      if line.isEmpty || line.count + 1 + word.count <= limit {
        lines[lines.count - 1] = line.isEmpty ? String(word) : "\(line) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    if lines.count > count { lines[count - 1] += " …" }
    return lines.prefix(count).map { $0.count <= limit ? $0 : String($0.prefix(limit - 1)) + "…" }
  }

  /// Every rule begins with the class of the document, for it holds for the whole page that a drawing stands in. Paper
  /// is white.
  package static let style: String = {
    func rules(_ rules: KeyValuePairs<String, String>) -> String {
      rules.map { ".figure \($0.key){\($0.value)}" }.joined(separator: " ")
    }
    func colours(page: String, ink: String, soft: String, grid: String, series: [String], bands: [String]) -> String {
      rules([
        ".page": "fill:\(page)", "text": "fill:\(ink)", ".grid": "stroke:\(grid)", ".axis": "stroke:\(soft)",
        ".level": "stroke:\(ink)", ".caption": "stroke:\(page)", ".reference circle": "fill:\(soft)",
        ".reference path": "stroke:\(soft)",
      ]) + " " + series.enumerated().map { ".figure .series\($0) path{stroke:\($1)}" }.joined(separator: " ") + " "
        + bands.enumerated().map { ".figure .band\($0){fill:\($1)}" }.joined(separator: " ")
    }
    let shapes = rules([
      "text": "font:12px system-ui,sans-serif", ".title": "font-size:15px;font-weight:600",
      ".heading": "font-weight:600",
      ".middle": "text-anchor:middle", ".end": "text-anchor:end", ".grid": "stroke-width:.5",
      ".level": "stroke-dasharray:6 4", ".caption": "paint-order:stroke;stroke-width:3px;stroke-linejoin:round",
      "path": "fill:none;stroke-width:1.3",
    ])
    let light = colours(
      page: "#ffffff", ink: "#1c1d21", soft: "#7c808a", grid: "#c9ccd3",
      series: ["#0b5fb3", "#c2410c", "#0f7b4f", "#9333a8", "#a16207", "#be123c"],
      bands: ["#e3f2e6", "#fbf0d5", "#e4ecf9"])
    let dark = colours(
      page: "#15171c", ink: "#e8e9ed", soft: "#8b909c", grid: "#343842",
      series: ["#6cb2ff", "#ff9a5c", "#4fd39a", "#d88cf0", "#e5b93c", "#ff7d95"],
      bands: ["#1b2d22", "#32290f", "#1a2740"])
    return "\(shapes) \(light) @media screen and (prefers-color-scheme:dark){\(dark)}"
  }()
}
