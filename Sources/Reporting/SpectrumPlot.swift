import Drawing
import RoPE
import Runtimes

/// `table --format svg`: each pair's wavelength before and after scaling, drawn.
public enum SpectrumPlot {
  /// One SVG document with a panel for each kind of layer; a runtime with one table for all layers is in each of them.
  public static func svg(_ readings: [RuntimeReading], model: String) -> String {
    let labels: [String?] = readings.compactMap(\.layerType).uniqued()
    let panels = (labels.isEmpty ? [nil] : labels).map { label in
      Spectrum(label, readings.filter { $0.table != nil && ($0.layerType == nil || $0.layerType == label) })
    }.filter { !$0.groups.isEmpty }
    let remarks = readings.filter { $0.table == nil }.map { reading in
      let reason = reading.refused?.reason ?? reading.notes.last?.message
      let subject = [reading.runtime, reading.layerType].compactMap(\.self).joined(separator: ", ")
      return printable("\(subject): no table" + (reason.map { ", \($0)" } ?? ""))
    }
    let description = panels.map(\.description) + remarks
    return Figure(
      printable("RoPE wavelengths of \(model)"), description: description.joined(separator: "\n"),
      plots: panels.map(\.plot), remarks: remarks
    ).svg
  }
}

/// What one panel shows.
private struct Spectrum {
  /// Runtimes whose tables are the same but for the rounding of their float width.
  struct Group {
    var names: [String]
    var reading: RuntimeReading
    var table: FrequencyTable

    var title: String {
      let factor = reading.kind == "default" ? nil : reading.factor.map { " ×\(significant($0))" }
      return printable("\(names.joined(separator: ", ")): \(reading.kind)\(factor ?? "")")
        + ", attention factor \(significant(table.attentionFactor, 5))"
    }
  }

  let label: String?
  let readings: [RuntimeReading]
  let groups: [Group]

  init(_ label: String?, _ readings: [RuntimeReading]) {
    (self.label, self.readings) = (label, readings)
    var groups: [Group] = []
    for reading in readings {
      guard let table = reading.table else { continue }
      if let index = groups.firstIndex(where: { $0.table.agrees(with: table) }) {
        groups[index].names.append(reading.runtime)
      } else {
        groups.append(Group(names: [reading.runtime], reading: reading, table: table))
      }
    }
    self.groups = groups
  }

  var plot: Plot {
    let levels = levels
    let series = references + groups.map(series)
    let pairs = series.flatMap(\.points)
    var plot = Plot(
      printable(label ?? ""), x: Axis("pair", .linear, holding: pairs.map(\.x), margin: 0.5),
      y: Axis("tokens per turn", .logarithmic, holding: pairs.map(\.y) + levels.map(\.value)))
    (plot.series, plot.levels, plot.bands) = (series, levels, bands)
    return plot
  }

  // MARK: series

  /// The unscaled wavelengths, once for all runtimes that have the same base and width.
  private var references: [Plot.Series] {
    var tables: [FrequencyTable] = []
    var result: [Plot.Series] = []
    for group in groups {
      let table = group.reading.unscaledTable
      guard !table.inverseFrequencies.isEmpty, !tables.contains(table) else { continue }
      tables.append(table)
      let name =
        "unscaled, base \(significant(group.reading.base ?? 0, 12)), \(group.reading.rotaryDimension ?? 0) elements"
      result.append(Plot.Series(name, points(table, note: "unscaled"), isReference: true))
    }
    return result
  }

  private func series(_ group: Group) -> Plot.Series {
    let still = group.table.inverseFrequencies.indices.filter { !group.table.wavelengths[$0].isFinite }
    let remark = still.isEmpty ? "" : ", \(still.count) pairs do not turn (×)"
    return Plot.Series(group.title + remark, points(group.table, note: group.names.joined(separator: ", ")))
  }

  private func points(_ table: FrequencyTable, note: String) -> [Plot.Point] {
    table.wavelengths.enumerated().map { pair, length in
      let text = length.isFinite ? "turns once in \(significant(length)) tokens" : "does not turn"
      return Plot.Point(x: Double(pair), y: abs(length), note: "pair \(pair) \(text), \(note)")
    }
  }

  // MARK: lengths and bands

  /// Trained lengths and windows; who states which where they differ.
  private var levels: [Plot.Level] {
    levels("trained", \.originalContext) + levels("window", { $0.contextLength.map(Double.init) })
  }

  private func levels(_ role: String, _ length: (RuntimeReading) -> Double?) -> [Plot.Level] {
    var names: [Double: [String]] = [:]
    for reading in readings {
      guard let value = length(reading), value.isFinite, value > 0 else { continue }
      names[value, default: []].append(reading.runtime)
    }
    return names.sorted { $0.key < $1.key }.map { value, runtimes in
      let who = names.count == 1 ? "" : " (\(runtimes.joined(separator: ", ")))"
      return Plot.Level(value, "\(role) \(significant(value, 12)) tokens\(who)")
    }
  }

  /// Runs of pairs that YaRN keeps, blends or divides, as the first runtime has them that scales so.
  private var bands: [Plot.Band] {
    let ramps = groups.lazy.compactMap { group -> (name: String, ramp: [Double])? in
      guard let parameters = group.reading.parameters, case .yarn(let yarn) = parameters.scaling else { return nil }
      let range = CorrectionRange(yarn, base: parameters.base, rotaryDimension: parameters.rotaryDimension)
      return (group.names[0], range.ramp(pairCount: group.table.inverseFrequencies.count))
    }
    guard let (name, ramp) = ramps.first else { return [] }
    let styles = ramp.map { $0 == 0 ? 0 : $0 == 1 ? 2 : 1 }
    let counts = (0...2).map { style in styles.count { $0 == style } }
    var bands: [Plot.Band] = []
    for (pair, style) in styles.enumerated() {
      let range = Double(pair) - 0.5...Double(pair) + 0.5
      if let last = bands.last, last.style == style {
        bands[bands.count - 1].range = last.range.lowerBound...range.upperBound
      } else {
        let whose = groups.count > 1 ? " (\(name))" : ""
        bands.append(
          Plot.Band("\(counts[style]) \(["kept", "blended", "interpolated"][style])\(whose)", range, style: style))
      }
    }
    return bands
  }

  /// The panel in words and numbers.
  var description: String {
    func list(_ table: FrequencyTable) -> String {
      table.wavelengths.map { $0.isFinite ? significant($0, 5) : "no turn" }.joined(separator: ", ")
    }
    let unscaled = groups[0].reading.unscaledTable
    var parts = [label.map { printable($0) + " layers" }, levels.map(\.label).joined(separator: ", ")].compactMap(
      \.self)
    if !bands.isEmpty { parts.append("of \(groups[0].table.inverseFrequencies.count) pairs " + bandText) }
    parts.append("tokens per turn, pair by pair, unscaled: \(list(unscaled))")
    parts += groups.map { "\($0.title): \(list($0.table))" }
    return parts.filter { !$0.isEmpty }.joined(separator: "; ")
  }

  private var bandText: String {
    bands.map(\.name).uniqued().joined(separator: ", ")
  }
}

extension FrequencyTable {
  /// Whether two tables are the same but for float32 arithmetic. One that multiplies from pair to pair, as llama.cpp
  /// does, is off by up to half a unit for each of at most 256 pairs.
  fileprivate func agrees(with other: FrequencyTable) -> Bool {
    func isNear(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 256 * 0x1p-24 * max(abs(a), abs(b)) }
    return inverseFrequencies.count == other.inverseFrequencies.count
      && isNear(attentionFactor, other.attentionFactor)
      && isNear(softmaxScaleMultiplier, other.softmaxScaleMultiplier)
      && zip(inverseFrequencies, other.inverseFrequencies).allSatisfy(isNear)
  }
}
