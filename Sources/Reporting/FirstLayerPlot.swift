import Drawing
import YarnPatch

/// What ``AttentionPlot`` draws of a first layer: logits by distance and entropy by length of all its sampled heads.
enum FirstLayerPlot {
  static func plots(_ attention: FirstLayerAttention) -> [Plot] {
    let settings = attention.settings.compactMap { setting in
      AttentionProfile(of: setting.profiles).map { (name: title(setting.name), profile: $0) }
    }
    return [logits(settings, attention), entropies(settings, attention)]
  }

  /// As the report says them.
  static func remarks(_ attention: FirstLayerAttention) -> [String] {
    (["shows \(FirstLayerReport.shows)", "does not show \(FirstLayerReport.doesNotShow)"] + attention.notes)
      .map(printable)
  }

  static func description(_ attention: FirstLayerAttention) -> String {
    let rows = attention.settings.compactMap { setting in
      AttentionProfile(of: setting.profiles).map { profile in
        let points = profile.distances.map { "\($0.range.lowerBound): \(significant($0.mean, 3))" }
        return "\(setting.name): " + points.joined(separator: "; ")
      }
    }
    return printable("first layer of \(attention.source)") + ", \(attention.tokenCount) tokens; trained on"
      + " \(attention.originalContext) tokens; mean logit by distance, " + rows.joined(separator: "\n")
  }

  private typealias Setting = (name: String, profile: AttentionProfile)

  private static func logits(_ settings: [Setting], _ attention: FirstLayerAttention) -> Plot {
    // A range of distances stands at its near end; a key of the query's own position has no place on the axis.
    func points(_ profile: AttentionProfile, _ value: (AttentionProfile.Distance) -> Double) -> [Plot.Point] {
      profile.distances.filter { $0.range.lowerBound > 0 }.map {
        Plot.Point(
          x: Double($0.range.lowerBound), y: value($0),
          note: "\(significant(value($0), 4)) at distances of \(FirstLayerReport.name($0.range)) tokens")
      }
    }
    let series = settings.flatMap { setting in
      [
        Plot.Series(
          "mean, \(setting.name)", points(setting.profile, \.mean)),
        Plot.Series("largest, \(setting.name)", points(setting.profile, \.largest)),
      ]
    }
    return plot(printable("first layer of \(attention.source)"), "distance in tokens", "logit", series, attention)
  }

  private static func entropies(_ settings: [Setting], _ attention: FirstLayerAttention) -> Plot {
    let series = settings.map { setting in
      let points = setting.profile.lengths.map {
        Plot.Point(
          x: Double($0.length), y: $0.entropy, note: "\(significant($0.entropy, 4)) nats over \($0.length) tokens")
      }
      return Plot.Series(setting.name, points)
    }
    var plot = plot("", "tokens seen", "entropy, nats", series, attention)
    let trained = settings.first?.profile.lengths.first { $0.length == attention.originalContext }
    plot.levels = trained.map { [Plot.Level($0.entropy, "at the trained length")] } ?? []
    return plot
  }

  private static func plot(
    _ title: String, _ x: String, _ y: String, _ series: [Plot.Series], _ attention: FirstLayerAttention
  ) -> Plot {
    let points = series.flatMap(\.points)
    var plot = Plot(
      title, x: Axis(x, .logarithmic, holding: [1] + points.map(\.x)),
      y: Axis(y, .linear, holding: points.map(\.y) + [0]))
    plot.series = series
    plot.bands = AttentionPlot.bands(trained: attention.originalContext, window: attention.tokenCount)
    return plot
  }

  private static func title(_ name: String) -> String { name == "declared" ? "as the file says" : name }
}
