import Drawing
import YarnPatch

/// `verify --attention full --format svg` and `weights`: logits by distance and entropy by length, before scaling and
/// after, drawn.
public enum AttentionPlot {
  /// One SVG document with the plots of every kind of layer of every file, or of the first layer, one below the other.
  public static func svg(_ verification: Verification) -> String {
    let verdict = verification.checks.filter { !$0.passed }.map { printable("FAILED: \($0.title)") }
    var plots: [Plot] = []
    var descriptions: [String] = []
    var remarks = verification.information.map(printable)
    switch verification.firstLayer {
    case .success(let layer):
      (plots, descriptions) = (FirstLayerPlot.plots(layer), [FirstLayerPlot.description(layer)])
      remarks = FirstLayerPlot.remarks(layer) + remarks
    case .failure(let error):
      remarks.insert(printable("first layer: not looked at, \(error.found)"), at: 0)
    case nil:
      plots = verification.attention.flatMap {
        [logits($0), entropies($0)] + [$0.cachedKeys.map(cachedKeys)].compactMap(\.self)
      }
      descriptions = verification.attention.map(description)
      if plots.isEmpty { remarks = ["no table follows from the files"] }
    }
    return Figure(
      printable("attention of \(verification.path)"), description: (descriptions + remarks).joined(separator: "\n"),
      plots: plots, remarks: verdict + remarks
    ).svg
  }

  private static func logits(_ curves: AttentionCurves) -> Plot {
    func points(_ value: (AttentionCurves.Logit) -> Double) -> [Plot.Point] {
      curves.logits.filter { $0.distance > 0 }.map {
        let percent = 100 * value($0)
        return Plot.Point(
          x: Double($0.distance), y: percent,
          note: "\(significant(percent, 4)) % at a distance of \($0.distance) tokens")
      }
    }
    let (before, after) = (points(\.unscaled), points(\.scaled))
    var plot = Plot(
      printable(curves.place), x: Axis("distance in tokens", .logarithmic, holding: [1] + before.map(\.x)),
      y: Axis("logit of an equal key, %", .linear, holding: (before + after).map(\.y) + [0]))
    plot.series = [Plot.Series("unscaled", before, isReference: true), Plot.Series("as the file says", after)]
    plot.bands = bands(trained: curves.trainedLength, window: curves.window)
    return plot
  }

  private static func entropies(_ curves: AttentionCurves) -> Plot {
    func points(_ value: (AttentionCurves.Entropy) -> Double) -> [Plot.Point] {
      curves.entropies.map {
        Plot.Point(
          x: Double($0.length), y: value($0), note: "\(significant(value($0), 4)) nats over \($0.length) tokens")
      }
    }
    let series = [points(\.unscaled), points(\.withoutFactor), points(\.scaled)]
    let trained = curves.entropies.first { $0.length == curves.trainedLength }
    var plot = Plot(
      "", x: Axis("tokens seen", .logarithmic, holding: [1] + series[0].map(\.x)),
      y: Axis("entropy, nats", .linear, holding: series.joined().map(\.y) + [0]))
    plot.series = [
      Plot.Series("unscaled", series[0], isReference: true),
      Plot.Series("without the attention factor", series[1]), Plot.Series("as the file says", series[2]),
    ]
    plot.levels = trained.map { [Plot.Level($0.unscaled, "at the trained length")] } ?? []
    plot.bands = bands(trained: curves.trainedLength, window: curves.window)
    return plot
  }

  private static func cachedKeys(_ keys: CachedKeys) -> Plot {
    let points = keys.errors.filter { $0.distance > 0 }.map {
      Plot.Point(
        x: Double($0.distance), y: 100 * $0.relative,
        note: "\(significant(100 * $0.relative, 4)) % at a distance of \($0.distance) tokens")
    }
    var plot = Plot(
      "", x: Axis("distance in tokens", .logarithmic, holding: [1] + points.map(\.x)),
      y: Axis("error of cached keys, %", .linear, holding: points.map(\.y) + [0]))
    plot.series = [Plot.Series("keys cached after rotation, in a sequence of \(keys.length) tokens", points)]
    return plot
  }

  /// The trained window, and what lies beyond it; both in tokens.
  static func bands(trained: Int, window: Int) -> [Plot.Band] {
    let end = Double(max(trained, 1))
    let inside = Plot.Band("trained, \(trained) tokens", 1...end, style: 0)
    guard window > trained else { return [inside] }
    return [inside, Plot.Band("beyond, up to \(window) tokens", end...Double(window), style: 1)]
  }

  private static func description(_ curves: AttentionCurves) -> String {
    let points = curves.logits.map {
      "\($0.distance): \(significant(100 * $0.unscaled, 3)), \(significant(100 * $0.scaled, 3))"
    }
    return printable(curves.place) + "; trained on \(curves.trainedLength) tokens, window \(curves.window) tokens;"
      + " logit of an equal key in percent by distance, unscaled and as the file says: "
      + points.joined(separator: "; ")
  }
}
