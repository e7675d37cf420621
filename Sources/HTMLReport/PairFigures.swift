import Drawing
import PatchPlanning
import Reporting
import RoPE

// What each pair of a head does: bands and spectrum.

extension Knobs {
  /// Methods of the spectrum with the names under which the page shows them.
  var methods: [(name: String, table: FrequencyTable)] {
    [
      ("unscaled", FrequencyTable(parameters(.none))), ("position interpolation", FrequencyTable(parameters(.linear))),
      ("NTK-aware", FrequencyTable(parameters(.ntk))), ("NTK-by-parts", FrequencyTable(ntkByParts)),
      ("YaRN", FrequencyTable(parameters(.yarn))), ("dynamic", FrequencyTable(parameters(.dynamic))),
    ]
  }

  /// The interpolated share of each pair.
  var ramp: [Double] {
    CorrectionRange(yarn, base: base, rotaryDimension: rotaryDimension).ramp(pairCount: rotaryDimension / 2)
  }

  static func region(_ share: Double) -> String { share == 0 ? "kept" : share == 1 ? "interpolated" : "blended" }

  var bandsFigure: PageFigure {
    let (before, after) = (FrequencyTable(parameters(.none)), FrequencyTable(parameters(.yarn)))
    let ramp = before.inverseFrequencies.isEmpty ? [] : ramp
    let drawn = PageFigure.thinned(ramp.count, to: PageFigure.drawnPairs)
    func points(_ table: FrequencyTable, _ name: String) -> [Plot.Point] {
      drawn.filter(table.wavelengths.indices.contains).map { pair in
        Plot.Point(
          x: Double(pair), y: table.wavelengths[pair],
          note: "pair \(pair): a turn in \(significant(table.wavelengths[pair])) tokens, \(name)")
      }
    }
    let lengths = [(Double(original), "trained \(original) tokens"), (Double(window), "target \(window) tokens")]
    var wavelengths = Plot(
      "Tokens per turn", x: Axis("pair", .linear, holding: drawn.map(Double.init), margin: 0.5),
      y: Axis(
        "tokens per turn", .logarithmic, holding: before.wavelengths + after.wavelengths + lengths.map(\.0)))
    wavelengths.series = [
      Plot.Series("unscaled", points(before, "unscaled"), isReference: true),
      Plot.Series("YaRN ×\(significant(factor))", points(after, "YaRN")),
    ]
    wavelengths.levels = lengths.map(Plot.Level.init)
    wavelengths.bands = bands(ramp)
    var share = Plot(
      "The ramp", x: wavelengths.x, y: Axis("interpolated share, %", .linear, holding: [0, 100]))
    share.series = [
      Plot.Series(
        "share of the frequency divided by the factor",
        drawn.map {
          Plot.Point(x: Double($0), y: 100 * ramp[$0], note: "pair \($0): \(significant(100 * ramp[$0], 4)) %")
        })
    ]
    share.bands = wavelengths.bands
    let rotations = before.rotations(in: Double(original))
    let table = NumberTable(
      columns: ["pair", "tokens per turn", "scaled", "turns in the trained window", "interpolated share", "region"],
      rows: PageFigure.thinned(ramp.count, to: PageFigure.listedPairs).map { pair in
        [
          "\(pair)", significant(before.wavelengths[pair]),
          after.wavelengths.indices.contains(pair) ? significant(after.wavelengths[pair]) : "",
          significant(rotations[pair]), significant(ramp[pair]), Self.region(ramp[pair]),
        ]
      })
    return PageFigure(
      id: "bands-figure", caption: "Every pair's wavelength and its region", plots: [wavelengths, share], table: table)
  }

  /// Runs of pairs of one region.
  private func bands(_ ramp: [Double]) -> [Plot.Band] {
    let names = ["kept", "blended", "interpolated"]
    let regions = ramp.map(Self.region)
    var result: [Plot.Band] = []
    for (pair, region) in regions.enumerated() {
      let (style, end) = (names.firstIndex(of: region) ?? 0, Double(pair) + 0.5)
      if let last = result.last, last.style == style {
        result[result.count - 1].range = last.range.lowerBound...end
      } else {
        let count = regions.count { $0 == region }
        result.append(Plot.Band("\(count) \(region)", Double(pair) - 0.5...end, style: style))
      }
    }
    return result
  }

  /// - Parameter beside: A table of the files that no knob can say.
  func spectrumFigure(beside: (name: String, table: FrequencyTable)?) -> PageFigure {
    let methods = methods + [beside].compactMap(\.self)
    let first = methods[0].table.inverseFrequencies
    let drawn = PageFigure.thinned(first.count, to: PageFigure.drawnPairs)
    func plot(_ title: String, _ scale: Axis.Scale, _ value: (Int, FrequencyTable) -> Double) -> Plot {
      let series = methods.filter { $0.table.inverseFrequencies.count == first.count }.map { name, table in
        Plot.Series(
          name, drawn.map { Plot.Point(x: Double($0), y: value($0, table), note: "pair \($0), \(name)") },
          isReference: name == "unscaled")
      }
      let values = series.flatMap(\.points).map(\.y)
      var plot = Plot(
        title, x: Axis("pair", .linear, holding: drawn.map(Double.init), margin: 0.5),
        // A large factor of one method would leave the others no room.
        y: Axis(title, values.max() ?? 0 >= 20 ? .logarithmic : scale, holding: values))
      plot.series = series
      return plot
    }
    let table = NumberTable(
      columns: ["pair"] + methods.map(\.name) + methods.dropFirst().map { "divisor, \($0.name)" },
      rows: PageFigure.thinned(first.count, to: PageFigure.listedPairs).map { pair in
        let values = methods.map { $0.table.inverseFrequencies.dropFirst(pair).first }
        return ["\(pair)"] + values.map { $0.map { "\($0)" } ?? "no table" }
          + values.dropFirst().map { $0.map { significant(first[pair] / $0) } ?? "" }
      })
    return PageFigure(
      id: "spectrum-figure", caption: "Inverse frequencies by method",
      plots: [
        plot("radians per token", .logarithmic) { $1.inverseFrequencies[$0] },
        plot("divisor of the unscaled frequency", .linear) { first[$0] / $1.inverseFrequencies[$0] },
      ], table: table)
  }
}
