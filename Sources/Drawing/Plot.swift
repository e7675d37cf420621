/// Values over values, with shaded ranges, level lines and a legend.
package struct Plot: Sendable {
  /// One mark at a place; a value off the axis (not finite) is marked by a cross at the upper edge.
  package struct Point: Sendable {
    package var x: Double
    package var y: Double
    /// What a pointer over the mark is told.
    package var note: String

    package init(x: Double, y: Double, note: String) { (self.x, self.y, self.note) = (x, y, note) }
  }

  /// Points of one colour and shape.
  package struct Series: Sendable {
    package var name: String
    package var points: [Point]
    /// Drawn in grey behind the others, to compare with.
    package var isReference: Bool

    package init(_ name: String, _ points: [Point], isReference: Bool = false) {
      (self.name, self.points, self.isReference) = (name, points, isReference)
    }
  }

  /// A shaded range of the horizontal axis; those of one style have one name in the legend.
  package struct Band: Sendable {
    package var name: String
    package var range: ClosedRange<Double>
    /// 0, 1 or 2.
    package var style: Int

    package init(_ name: String, _ range: ClosedRange<Double>, style: Int) {
      (self.name, self.range, self.style) = (name, range, style)
    }
  }

  /// A horizontal line with its label.
  package struct Level: Sendable {
    package var value: Double
    package var label: String

    package init(_ value: Double, _ label: String) { (self.value, self.label) = (value, label) }
  }

  package var title: String
  package var x: Axis
  package var y: Axis
  package var series: [Series] = []
  package var bands: [Band] = []
  package var levels: [Level] = []

  package init(_ title: String, x: Axis, y: Axis) { (self.title, self.x, self.y) = (title, x, y) }

  /// The part of the drawing that the axes span, from the plot's upper left corner.
  package static let area = (x: 64.0, y: 34.0, width: 680.0, height: 340.0)

  /// Where a value stands.
  package func place(x value: Double) -> Double { Self.area.x + x.share(value) * Self.area.width }
  package func place(y value: Double) -> Double { Self.area.y + (1 - y.share(value)) * Self.area.height }

  /// The plot, and how much height it takes.
  package func drawn() -> (markup: [Markup], height: Double) {
    let legend = legend(from: Self.area.y + Self.area.height + 58)
    let drawn = [Markup("text", ["class": "heading", "x": "12", "y": "20"], text: title)]
    return (drawn + shading + frame + series.indices.flatMap(marks) + levelLines + legend.markup, legend.height)
  }

  // MARK: parts

  private func line(_ style: String, x1: Double, y1: Double, x2: Double, y2: Double) -> Markup {
    Markup(
      "line",
      ["class": style, "x1": x1.coordinate, "y1": y1.coordinate, "x2": x2.coordinate, "y2": y2.coordinate])
  }

  private func label(_ text: String, _ style: String, x: Double, y: Double) -> Markup {
    Markup("text", ["class": style, "x": x.coordinate, "y": y.coordinate], text: text)
  }

  private var shading: [Markup] {
    bands.map { band in
      let (left, right) = (place(x: band.range.lowerBound), place(x: band.range.upperBound))
      return Markup(
        "rect",
        [
          "class": "band\(band.style)", "x": left.coordinate, "y": Self.area.y.coordinate,
          "width": (right - left).coordinate, "height": Self.area.height.coordinate,
        ], band.name.isEmpty ? [] : [Markup("title", text: band.name)])
    }
  }

  private var frame: [Markup] {
    let area = Self.area
    let bottom = area.y + area.height
    let vertical = x.ticks.flatMap { tick in
      let place = place(x: tick.value)
      return [
        line("grid", x1: place, y1: area.y, x2: place, y2: bottom),
        label(tick.label, "middle", x: place, y: bottom + 17),
      ]
    }
    let horizontal = y.ticks.flatMap { tick in
      let place = place(y: tick.value)
      return [
        line("grid", x1: area.x, y1: place, x2: area.x + area.width, y2: place),
        label(tick.label, "end", x: area.x - 7, y: place + 4),
      ]
    }
    let middle = (area.y + area.height / 2).coordinate
    return vertical + horizontal + [
      line("axis", x1: area.x, y1: bottom, x2: area.x + area.width, y2: bottom),
      line("axis", x1: area.x, y1: area.y, x2: area.x, y2: bottom),
      label(x.title, "middle", x: area.x + area.width / 2, y: bottom + 36),
      Markup(
        "text", ["class": "middle", "x": "16", "y": middle, "transform": "rotate(-90 16 \(middle))"], text: y.title),
    ]
  }

  /// Lines with their labels above them, at the left, pushed up where they would cover each other.
  private var levelLines: [Markup] {
    var ceiling = Double.infinity
    return levels.sorted { $0.value < $1.value }.flatMap { level in
      let place = place(y: level.value)
      ceiling = min(place - 4, ceiling)
      defer { ceiling -= 14 }
      return [
        line("level", x1: Self.area.x, y1: place, x2: Self.area.x + Self.area.width, y2: place),
        label(level.label, "caption", x: Self.area.x + 6, y: ceiling),
      ]
    }
  }

  // MARK: marks

  /// Colour and shape of a series among those that are no reference.
  private func number(of index: Int) -> Int { series[..<index].count { !$0.isReference } % Self.shapes.count }

  private func style(of index: Int) -> String {
    series[index].isReference ? "reference" : "series\(number(of: index))"
  }

  /// Marks shrink where there are many, down to a size that still shows.
  private func marks(of index: Int) -> [Markup] {
    let room =
      x.scale == .linear ? place(x: 1) - place(x: 0) : Self.area.width / Double(max(series[index].points.count, 1))
    let size = min(max(room * 0.35, 1.5), 3.5)
    let marks = series[index].points.map { point in
      let (x, note) = (place(x: point.x), [Markup("title", text: point.note)])
      return point.y.isFinite
        ? mark(index, x: x, y: place(y: point.y), size: size, note) : cross(x: x, y: Self.area.y, size: size, note)
    }
    return marks.isEmpty ? [] : [Markup("g", ["class": style(of: index)], marks)]
  }

  /// Shapes differ and only the reference is filled, so that equal places of several series can be told.
  private func mark(_ index: Int, x: Double, y: Double, size: Double, _ note: [Markup] = []) -> Markup {
    guard !series[index].isReference else {
      return Markup("circle", ["cx": x.coordinate, "cy": y.coordinate, "r": (size * 0.7).coordinate], note)
    }
    let corners = Self.shapes[number(of: index)].map { dx, dy in
      "\((x + dx * size).coordinate) \((y + dy * size).coordinate)"
    }
    return Markup("path", ["d": "M" + corners.joined(separator: "L") + "Z"], note)
  }

  /// Corners of diamond, square, two triangles and two strokes, around the place of a mark of size 1.
  private static let shapes: [[(Double, Double)]] = [
    [(0, -1.2), (1.2, 0), (0, 1.2), (-1.2, 0)], [(-1, -1), (1, -1), (1, 1), (-1, 1)],
    [(0, -1.3), (1.2, 0.9), (-1.2, 0.9)], [(0, 1.3), (1.2, -0.9), (-1.2, -0.9)], [(-1.5, 0), (1.5, 0)],
    [(0, -1.5), (0, 1.5)],
  ]

  private func cross(x: Double, y: Double, size: Double, _ note: [Markup]) -> Markup {
    let (left, top, width) = ((x - size).coordinate, (y - size).coordinate, (2 * size).coordinate)
    return Markup("path", ["d": "M\(left) \(top)l\(width) \(width)m-\(width) 0l\(width) -\(width)"], note)
  }

  /// Entries side by side as long as they fit; a long one takes several lines.
  private func legend(from top: Double) -> (markup: [Markup], height: Double) {
    let room = Self.area.width
    var (x, y) = (Self.area.x, top)
    var result: [Markup] = []
    func add(_ name: String, _ symbol: (Double, Double) -> Markup) {
      let lines = Figure.lines(of: name, within: room - 17)
      let width = 17 + (lines.map(Figure.width(of:)).max() ?? 0)
      if x > Self.area.x, x + width > Self.area.x + room { (x, y) = (Self.area.x, y + 19) }
      result.append(symbol(x + 6, y - 4))
      for (index, line) in lines.enumerated() {
        result.append(label(line, "entry", x: x + 17, y: y + 16 * Double(index)))
      }
      x += width + 18
      guard lines.count > 1 else { return }
      (x, y) = (Self.area.x, y + 16 * Double(lines.count - 1) + 19)
    }
    for index in series.indices {
      add(series[index].name) { Markup("g", ["class": style(of: index)], [mark(index, x: $0, y: $1, size: 3.5)]) }
    }
    if x > Self.area.x, !bands.isEmpty { (x, y) = (Self.area.x, y + 19) }
    var named: Set<Int> = []
    for band in bands where named.insert(band.style).inserted {
      add(band.name) { x, y in
        Markup(
          "rect",
          [
            "class": "band\(band.style)", "x": (x - 6).coordinate, "y": (y - 6).coordinate, "width": "12",
            "height": "12",
          ])
      }
    }
    return (result, y + (x == Self.area.x ? -5 : 14))
  }
}
