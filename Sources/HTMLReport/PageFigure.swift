import Drawing

/// Numbers in rows, as the text alternative of a drawing.
struct NumberTable {
  var columns: [String]
  var rows: [[String]]

  var markup: Markup {
    Markup(
      "table", [:],
      [
        Markup("thead", [:], [Markup("tr", [:], columns.map { Markup("th", ["scope": "col"], text: $0) })]),
        Markup("tbody", [:], rows.map { row in Markup("tr", [:], row.map { Markup("td", text: $0) }) }),
      ])
  }
}

/// A drawing with its numbers; the script draws it anew and fills the table again.
struct PageFigure {
  /// Name by which the script finds it.
  var id: String
  var caption: String
  var plots: [Plot]
  var table: NumberTable

  /// Drawings of pairs show at most this many of them before the script draws them all.
  static let drawnPairs = 64
  /// Rows of a table of pairs; no head that is in use has more.
  static let listedPairs = 256

  /// Every pair, or every second, third, … so that there are at most `count`.
  static func thinned(_ pairs: Int, to count: Int) -> [Int] {
    Array(stride(from: 0, to: pairs, by: max(1, (pairs + count - 1) / count)))
  }

  var markup: Markup {
    let drawing = Figure(caption, description: "The numbers stand in the table below.", plots: plots)
    return Self.markup(id, caption, [drawing.markup(styled: false)], table)
  }

  static func markup(_ id: String, _ caption: String, _ drawing: [Markup], _ table: NumberTable) -> Markup {
    Markup(
      "figure", ["id": id],
      [
        Markup("figcaption", text: caption), Markup("div", ["class": "drawing"], drawing),
        Markup("ul", ["class": "legend"], text: ""),
        Markup(
          "details", [:],
          [
            Markup("summary", text: "The numbers: \(caption)"),
            Markup("div", ["class": "numbers", "tabindex": "0"], [table.markup]),
          ]),
      ])
  }
}
