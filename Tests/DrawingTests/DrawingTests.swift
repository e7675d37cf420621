import Drawing
import TestSupport
import Testing

@Suite struct MarkupTests {
  @Test(arguments: [
    ("a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;"), ("]]></title>", "]]&gt;&lt;/title&gt;"),
    ("\u{0}\u{1b}[2J\u{FFFE}", "\u{FFFD}\u{FFFD}[2J\u{FFFD}"), ("a\nb\r\tc", "a&#10;b&#13;&#9;c"),
    ("é😀\u{301}", "é😀\u{301}"),
  ]) func `text and attributes are escaped`(text: String, escaped: String) {
    #expect(Markup("t", ["a": text], text: text).source == "<t a=\"\(escaped)\">\(escaped)</t>")
  }

  @Test func `elements nest, and an empty one is one tag`() {
    let markup = Markup("a", [:], [Markup("b", ["x": "1", "y": "2"]), Markup(text: "<")])
    #expect(markup.source == "<a><b x=\"1\" y=\"2\"/>&lt;</a>")
  }

  @Test(arguments: [
    (0.0, "0"), (-0.0, "0"), (0.004, "0"), (0.005, "0.01"), (1.5, "1.5"), (1.05, "1.05"), (-12.345, "-12.35"),
    (-0.25, "-0.25"), (99.999, "100"), (1e6, "1000000"),
    // Whatever a file makes of a place, the drawing goes on.
    (.nan, "0"), (.infinity, "1000000000"), (-1e300, "-1000000000"),
  ]) func `coordinates have at most two decimals`(value: Double, text: String) {
    #expect(value.coordinate == text)
  }
}

@Suite struct AxisTests {
  @Test func `a linear axis marks round values within it`() {
    let axis = Axis("pair", .linear, holding: [0, 31], margin: 0.5)
    #expect(axis.ticks.map(\.label) == ["0", "5", "10", "15", "20", "25", "30"])
    #expect(axis.share(-0.5) == 0 && axis.share(31.5) == 1 && axis.share(15.5) == 0.5)
  }

  @Test func `a logarithmic axis ends at powers of ten`() {
    let axis = Axis("tokens", .logarithmic, holding: [6.28, 54_410, .infinity, .nan, 0, -1])
    #expect(axis.ticks.map(\.label) == ["1", "10", "100", "1000", "10⁴", "10⁵"])
    #expect(axis.ticks.map(\.value) == [1, 10, 100, 1000, 1e4, 1e5])
    #expect(abs(axis.share(1000) - 0.6) < 1e-15)
    #expect(axis.share(.infinity) == 1 && axis.share(1e-3) == 0)
  }

  @Test(arguments: [[], [7.0], [1e-300, 1e300], [.leastNonzeroMagnitude], [1, 1e18]])
  func `any values give few and distinct marks`(
    values: [Double]
  ) {
    for scale in [Axis.Scale.linear, .logarithmic] {
      let ticks = Axis("", scale, holding: values).ticks
      #expect(ticks.count <= 12 && Set(ticks.map(\.label)).count == ticks.count, "\(scale)")
    }
    #expect(Axis("", .logarithmic, holding: values).ticks.count >= 2)
  }

  @Test func `properties hold for random ranges`() {
    let seed = UInt64.random(in: 0...UInt64.max)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<300 {
      let ends = (0..<2).map { _ in Double.random(in: 0.001...1e6, using: &generator) }.sorted()
      for scale in [Axis.Scale.linear, .logarithmic] {
        let axis = Axis("", scale, holding: ends)
        let shares = axis.ticks.map { axis.share($0.value) }
        #expect(zip(shares, shares.dropFirst()).allSatisfy { $0 < $1 } && axis.ticks.count <= 12, "seed \(seed)")
        #expect(axis.share(ends[0]) <= axis.share(ends[1]), "seed \(seed)")
      }
    }
  }
}
