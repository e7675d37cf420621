import Drawing
import Reporting
import RoPE

/// Pairs as turning hands: how far each has turned at a position, and which angles training has shown.
struct Dials {
  let knobs: Knobs
  let before: FrequencyTable
  let after: FrequencyTable

  init(_ knobs: Knobs) {
    self.knobs = knobs
    before = FrequencyTable(knobs.parameters(.none))
    after = FrequencyTable(knobs.parameters)
  }

  static let count = 6
  /// Radius of a dial and the room it takes.
  private static let radius = 46.0, room = 126.0

  /// Evenly spread from the fastest pair to the slowest.
  var pairs: [Int] {
    let last = min(before.inverseFrequencies.count, after.inverseFrequencies.count) - 1
    guard last >= 0 else { return [] }
    return Set((0..<Self.count).map { last * $0 / (Self.count - 1) }).sorted()
  }

  /// Radians that a pair has turned at the end of the trained window; all angles are seen from a full turn on.
  private func seen(_ pair: Int) -> Double { Double(knobs.original) * before.inverseFrequencies[pair] }

  /// At the last position of the target window.
  var figure: Markup {
    let position = Double(knobs.window - 1)
    let parts = pairs.enumerated().map { index, pair in
      let (x, y) = (Self.room * (Double(index) + 0.5), 60.0)
      return Markup("g", ["transform": "translate(\(x.coordinate) \(y.coordinate))"], dial(pair, at: position))
    }
    let width = (Self.room * Double(max(pairs.count, 1))).coordinate
    let drawing = Markup(
      "svg",
      [
        "xmlns": "http://www.w3.org/2000/svg", "class": "figure dials", "role": "img", "viewBox": "0 0 \(width) 140",
        "width": width, "height": "140",
      ], [Markup("title", text: "Pairs as turning hands at position \(knobs.window - 1)")] + parts)
    let table = NumberTable(
      columns: ["pair", "unscaled, turns", "as set, turns", "turns seen in training"],
      rows: pairs.map { pair in
        let turns = [before, after].map { significant($0.inverseFrequencies[pair] * position / (2 * .pi)) }
        return ["\(pair)"] + turns + [significant(seen(pair) / (2 * .pi))]
      })
    return PageFigure.markup("rotation-figure", "Pairs as turning hands", [drawing], table)
  }

  private func dial(_ pair: Int, at position: Double) -> [Markup] {
    let radius = Self.radius.coordinate
    func hand(_ style: String, _ table: FrequencyTable) -> Markup {
      let angle = table.inverseFrequencies[pair] * position
      let isNew = seen(pair) < 2 * .pi && angle > seen(pair) * (1 + 1e-9)
      return Markup(
        "line",
        [
          "class": "hand \(style)\(isNew ? " unseen" : "")", "x1": "0", "y1": "0",
          "x2": (sine(angle) * Self.radius).coordinate, "y2": (-cosine(angle) * Self.radius).coordinate,
        ])
    }
    var parts = [Markup("circle", ["class": "rim", "r": radius])]
    if seen(pair) >= 2 * .pi {
      parts.append(Markup("circle", ["class": "seen", "r": radius]))
    } else {
      let (x, y) = ((sine(seen(pair)) * Self.radius).coordinate, (-cosine(seen(pair)) * Self.radius).coordinate)
      let isLarge = seen(pair) > .pi ? "1" : "0"
      parts.append(
        Markup("path", ["class": "seen", "d": "M0 0V-\(radius)A\(radius) \(radius) 0 \(isLarge) 1 \(x) \(y)Z"]))
    }
    return parts + [
      hand("before", before), hand("after", after),
      Markup("text", ["class": "middle", "y": "66"], text: "pair \(pair)"),
    ]
  }
}
