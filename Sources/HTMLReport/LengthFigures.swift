import Drawing
import Reporting
import RoPE
import YarnPatch

// What follows from a setting by distance and by length.

extension Knobs {
  /// From 1 on, eight to each doubling.
  private func distances(to limit: Int) -> [Int] {
    let steps = (0..<31).flatMap { power in (0..<8).map { (1 << power) + ($0 << power) / 8 } }
    return Set([limit] + steps.filter { $0 <= limit }).sorted()
  }

  /// Trained length, and what lies beyond it.
  private var ranges: [Plot.Band] {
    let end = Double(max(original, 1))
    let inside = Plot.Band("trained, \(original) tokens", 1...end, style: 0)
    return window > original ? [inside, Plot.Band("beyond", end...Double(window), style: 1)] : [inside]
  }

  var decayFigure: PageFigure {
    let tables = [FrequencyTable(parameters(.none)), FrequencyTable(parameters)]
    let pairs = Double(max(tables[0].inverseFrequencies.count, 1))
    let values = distances(to: max(window - 1, 1)).map { distance in
      (distance, tables.map { 100 * $0.similarity(at: distance) / pairs }, tables.map { unseen($0, at: distance) })
    }
    let drawn = values.enumerated().filter { $0.offset.isMultiple(of: max(1, values.count / 64)) }.map(\.element)
    var plot = Plot(
      "", x: Axis("distance in tokens", .logarithmic, holding: [1] + values.map { Double($0.0) }),
      y: Axis("similarity of an equal key, %", .linear, holding: values.flatMap(\.1) + [0]))
    plot.series = ["unscaled", "as set"].enumerated().map { index, name in
      Plot.Series(
        name, drawn.map { Plot.Point(x: Double($0.0), y: $0.1[index], note: "\($0.0) tokens, \(name)") },
        isReference: index == 0)
    }
    plot.bands = ranges
    let table = NumberTable(
      columns: ["distance"] + ["unscaled", "as set"].flatMap { ["\($0), %", "\($0), pairs at unseen angles"] },
      rows: values.map { ["\($0.0)", significant($0.1[0], 5), "\($0.2[0])", significant($0.1[1], 5), "\($0.2[1])"] })
    return PageFigure(id: "decay-figure", caption: "Similarity by distance", plots: [plot], table: table)
  }

  /// Pairs that stand at an angle that training has not shown.
  private func unseen(_ table: FrequencyTable, at distance: Int) -> Int {
    let trained = FrequencyTable(parameters(.none)).inverseFrequencies.map { Double(original) * $0 }
    return zip(table.inverseFrequencies, trained).count { frequency, seen in
      seen < 2 * .pi && Double(distance) * frequency > seen * (1 + 1e-9)
    }
  }

  /// `s N/M - (s-1)`, by which dynamic scaling stretches the base.
  static func stretch(_ length: Double, original: Double, factor: Double) -> Double {
    max(length, original) / original * factor - (factor - 1)
  }

  var dynamicFigure: PageFigure {
    let lengths = distances(to: 2 * max(window, original)).map(Double.init).filter { $0 >= Double(original) / 4 }
    let values = lengths.map { ($0, Self.stretch($0, original: Double(original), factor: factor)) }
    var plot = Plot(
      "", x: Axis("tokens seen", .logarithmic, holding: values.map(\.0)),
      y: Axis("stretch of the base", .linear, holding: [0] + values.map(\.1)))
    plot.series = [
      Plot.Series(
        "dynamic, factor \(significant(factor))",
        values.map { Plot.Point(x: $0.0, y: $0.1, note: "\(significant($0.1)) at \(significant($0.0, 12)) tokens") })
    ]
    return PageFigure(
      id: "dynamic-figure", caption: "The dynamic scale by length", plots: [plot],
      table: NumberTable(
        columns: ["tokens", "stretch"], rows: values.map { [significant($0.0, 12), significant($0.1)] }))
  }
}

extension Knobs {
  /// Dynamic scaling of this setting; empty where it scales nothing.
  var cacheFigure: PageFigure {
    let keys = CachedKeys(trained: original, length: window) { length in
      var knobs = self
      knobs.length = length
      return FrequencyTable(knobs.parameters(.dynamic))
    }
    let points = (keys?.errors ?? []).filter { $0.distance > 0 }
    var plot = Plot(
      "", x: Axis("distance in tokens", .logarithmic, holding: [1] + points.map { Double($0.distance) }),
      y: Axis("error of cached keys, %", .linear, holding: points.map { 100 * $0.relative } + [0, 1]))
    plot.series = [
      Plot.Series(
        "keys cached after rotation, sequence of \(window) tokens",
        points.map {
          Plot.Point(
            x: Double($0.distance), y: 100 * $0.relative,
            note: "\(significant(100 * $0.relative, 4)) % at \($0.distance)")
        })
    ]
    return PageFigure(
      id: "cache-figure", caption: "Error of keys that were cached earlier", plots: [plot],
      table: NumberTable(
        columns: ["distance", "error, %"], rows: points.map { ["\($0.distance)", significant(100 * $0.relative, 5)] }))
  }
}

extension AttentionCurves {
  var dilutionFigure: PageFigure {
    let names = ["unscaled", "without the attention factor", "with it"]
    func values(_ entropy: Entropy) -> [Double] { [entropy.unscaled, entropy.withoutFactor, entropy.scaled] }
    var plot = Plot(
      "", x: Axis("tokens seen", .logarithmic, holding: [1] + entropies.map { Double($0.length) }),
      y: Axis("entropy, nats", .linear, holding: entropies.flatMap(values) + [0]))
    plot.series = names.enumerated().map { index, name in
      Plot.Series(
        name,
        entropies.map {
          Plot.Point(
            x: Double($0.length), y: values($0)[index], note: "\(significant(values($0)[index], 4)) nats, \(name)")
        }, isReference: index == 0)
    }
    return PageFigure(
      id: "dilution-figure", caption: "Entropy of attention by length", plots: [plot],
      table: NumberTable(
        columns: ["tokens"] + names.map { "\($0), nats" },
        rows: entropies.map { ["\($0.length)"] + values($0).map { significant($0, 6) } }))
  }
}

extension MeasuredSeries {
  var figure: PageFigure {
    var plot = Plot(
      "", x: Axis("length in tokens", .logarithmic, holding: points.map { Double($0.length) }),
      y: Axis(measure, .linear, holding: points.map(\.value)))
    plot.series = settings.map { setting in
      Plot.Series(
        setting,
        points.filter { $0.setting == setting }.map {
          Plot.Point(
            x: Double($0.length), y: $0.value, note: "\(significant($0.value)) at \($0.length) tokens, \(setting)")
        })
    }
    return PageFigure(
      id: "series-figure", caption: "Measured: \(measure) by length", plots: [plot],
      table: NumberTable(
        columns: ["setting", "tokens", measure],
        rows: points.map { [$0.setting, "\($0.length)", significant($0.value, 12)] }))
  }
}
