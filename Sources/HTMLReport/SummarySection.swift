import Drawing
import Linting
import ModelConfig
import Reporting
import RoPE
import Runtimes
import YarnPatch

/// What the files say and what everybody makes of it.
struct SummarySection {
  let guide: Guide

  var markup: [Markup] {
    [declared, verdict] + findings + [
      heading("What each runtime makes of the files"), scrolling(runtimes), heading(advice.0),
    ] + advice.1
  }

  private func heading(_ text: String) -> Markup { Markup("h3", text: text) }
  private func paragraph(_ text: String) -> Markup { Markup("p", text: printable(text)) }
  private func scrolling(_ table: NumberTable) -> Markup {
    let rows = table.rows.map { $0.map(printable) }
    return Markup(
      "div", ["class": "numbers", "tabindex": "0"], [NumberTable(columns: table.columns, rows: rows).markup])
  }

  // MARK: what is declared

  private var declared: Markup {
    let declarations = guide.inspection.model.files.flatMap(\.declarations)
    let hasLayers = declarations.contains { $0.layerType != nil }
    let rows = declarations.flatMap { declaration in
      let places = declaration.places
      return Self.values(declaration).compactMap { member, name, value -> [String]? in
        guard let place = places.first(where: { $0.member == member })?.place else { return nil }
        let file = place.path.split(separator: "/").last.map(String.init) ?? place.path
        let cells = [name, value, [file, place.key].compactMap(\.self).joined(separator: " ")]
        return (hasLayers ? [declaration.layerType ?? "all"] : []) + cells.map { Self.cut($0) }
      }
    }
    let columns = (hasLayers ? ["layers"] : []) + ["setting", "value", "place"]
    return scrolling(NumberTable(columns: columns, rows: rows))
  }

  private static func values(_ declaration: RoPEDeclaration) -> [(member: String, name: String, value: String)] {
    func number(_ value: Double?) -> String { value.map { significant($0, 12) } ?? "" }
    func length(_ value: Int?) -> String { value.map { "\($0)" } ?? "" }
    return [
      ("kind", "scaling", declaration.kind?.value ?? ""), ("base", "RoPE base", number(declaration.base?.value)),
      ("factor", "factor", number(declaration.factor?.value)),
      ("originalContext", "original length", length(declaration.originalContext?.value)),
      ("contextLength", "window", length(declaration.contextLength?.value)),
      ("rotaryDimension", "rotating part of a head", length(declaration.rotaryDimension?.value)),
      ("headDimension", "head size", length(declaration.headDimension?.value)),
      ("betaFast", "beta fast", number(declaration.betaFast?.value)),
      ("betaSlow", "beta slow", number(declaration.betaSlow?.value)),
      ("attentionFactor", "attention factor", number(declaration.attentionFactor?.value)),
      ("mscale", "mscale", number(declaration.mscale?.value)),
      ("mscaleAllDim", "mscale of all dimensions", number(declaration.mscaleAllDim?.value)),
      ("truncate", "truncate", "\(declaration.truncate?.value ?? true)"),
    ]
  }

  // MARK: verify and lint

  private var verdict: Markup {
    let verification = guide.verification
    let failed = verification.checks.filter { !$0.passed }
    let passed = verification.checks.count - failed.count
    let title =
      "verify: \(verification.passed ? "passed" : "FAILED"), \(passed) of \(verification.checks.count) checks hold"
    let lines = failed.map { "\($0.title)" + ($0.detail.map { ": \($0)" } ?? "") } + verification.information
    return Markup(
      "div", ["class": verification.passed ? "verdict good" : "verdict bad"],
      [heading(title)] + (lines.isEmpty ? [] : [list(lines)]))
  }

  private func list(_ lines: [String]) -> Markup {
    Markup("ul", [:], lines.map { Markup("li", text: printable($0)) })
  }

  private var findings: [Markup] {
    let shown = guide.findings.prefix(Self.shownFindings)
    let title =
      guide.findings.isEmpty
      ? "lint: no findings" : "lint: \(guide.findings.count) finding" + (guide.findings.count == 1 ? "" : "s")
    guard !shown.isEmpty else { return [heading(title)] }
    let rows = shown.map {
      [$0.rule, $0.severity.rawValue, Self.cut($0.location.key ?? $0.location.path, to: 120), Self.cut($0.message)]
    }
    return [
      heading(title), scrolling(NumberTable(columns: ["rule", "severity", "place", "finding"], rows: rows)),
    ] + (guide.findings.count > shown.count ? [paragraph("The others: yarn-patch lint.")] : [])
  }

  /// A page is read by people, and stays within its size.
  private static let shownFindings = 40
  private static let longestText = 600

  static func cut(_ text: String, to length: Int = longestText) -> String {
    text.count > length ? text.prefix(length) + " …" : text
  }

  // MARK: runtimes

  private var runtimes: NumberTable {
    let rows = guide.readings.map { reading -> [String] in
      let name = [reading.runtime, reading.version].compactMap(\.self).joined(separator: " ")
      guard let table = reading.table else {
        let reason = reading.refused?.reason ?? reading.notes.last?.message ?? "no table"
        return [name, reading.layerType ?? "all", reading.kind, "", "", "", "", "refused: \(Self.cut(reason))"]
      }
      return [
        name, reading.layerType ?? "all", reading.kind, reading.contextLength.map { "\($0)" } ?? "none derived",
        reading.factor.map { significant($0) } ?? "", significant(table.attentionFactor, 8), difference(reading),
        notes(reading),
      ]
    }
    return NumberTable(
      columns: [
        "runtime", "layers", "kind", "window", "factor", "attention factor", "largest frequency difference", "remarks",
      ], rows: rows)
  }

  /// The notes, with what the advised files would give.
  private func notes(_ reading: RuntimeReading) -> String {
    var parts = reading.notes.prefix(4).map { Self.cut($0.message) }
    if let multiplier = reading.table?.softmaxScaleMultiplier, multiplier != 1 {
      parts.append("softmax scale × \(significant(multiplier, 8))")
    }
    if let row = (try? guide.advice.get())?.runtimes.first(where: { $0.runtime == reading.runtime }) {
      if let window = row.plannedWindow, window != reading.contextLength {
        parts.append("after the patch \(window) tokens")
      }
      parts += row.obstacles.map { "after the patch: \(Self.cut($0))" }
    }
    return parts.joined(separator: "; ")
  }

  /// From the published equations, relative.
  private func difference(_ reading: RuntimeReading) -> String {
    let formula = guide.readings.filter { $0.runtime == Formula.name }
    guard let table = reading.table,
      let other = (formula.first { $0.layerType == reading.layerType } ?? formula.first)?.table
    else { return "" }
    guard table.inverseFrequencies.count == other.inverseFrequencies.count else {
      return "\(table.inverseFrequencies.count) pairs, not \(other.inverseFrequencies.count)"
    }
    let largest = zip(other.inverseFrequencies, table.inverseFrequencies).map { $0 == $1 ? 0 : abs($1 / $0 - 1) }.max()
    return significant(largest ?? 0, 2)
  }

  // MARK: advice

  private var advice: (String, [Markup]) {
    switch guide.advice {
    case .failure(let error):
      return (
        "No patch for \(guide.context) tokens",
        [list([error.found, "expected: \(error.expected)", "what to do: \(error.remedy)"].map { Self.cut($0) })]
      )
    case .success(let advice):
      var lines = [advice.reason] + (advice.remedy.map { [$0] } ?? []) + advice.notes
      lines = lines.map { Self.cut($0) }
      let command = advice.arguments.commandLine
      return (
        "For \(advice.context) tokens: \(advice.verdict.rawValue)",
        [list(lines)] + (command.isEmpty ? [] : [Markup("pre", [:], [Markup("code", text: printable(command))])])
      )
    }
  }
}
