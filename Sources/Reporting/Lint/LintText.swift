import Diagnostics
import Linting
import PatchPlanning
import YarnPatch

/// The findings for people: grouped by file, with the line that each is about.
public struct LintText: LintReporter {
  private let detail: ReportDetail
  private let isColoured: Bool
  /// Which fixes are shown as differences and not made.
  private let shown: Fix.Safety?
  private let width = 100
  private var fixable = (safe: 0, unsafe: 0)

  public init(detail: ReportDetail = .normal, isColoured: Bool = false, showingDifferences shown: Fix.Safety? = nil) {
    self.detail = detail
    self.isColoured = isColoured
    self.shown = shown
  }

  public mutating func text(of result: LintResult) -> String {
    var text = ""
    var file: String?
    for finding in result.findings where detail != .quiet || finding.severity != .note {
      if finding.location.path != file {
        file = finding.location.path
        let name = result.name.map { " (\(printable($0)))" } ?? ""
        text += paint(printable(finding.location.path), .bold) + name + "\n"
      }
      text += self.text(of: finding)
      if let safety = finding.fix?.safety {
        if safety == .safe { fixable.safe += 1 } else { fixable.unsafe += 1 }
      }
    }
    if shown != nil {
      text += PatchReport.diff(result.plans)
    } else {
      text += result.fixes.map { "fixed \($0.rule) in \(printable(result.path)): \(printable($0.description))\n" }
        .joined()
    }
    return text
  }

  public mutating func ending(_ summary: LintSummary) -> String {
    guard detail != .quiet else { return "" }
    func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
    var text = [count(summary.errors, "error"), count(summary.warnings, "warning"), count(summary.notes, "note")]
      .joined(separator: ", ")
    text += " in \(count(summary.models, "model")), \(count(summary.files, "file"))\n"
    if let shown, summary.fixed > 0 {
      let option = shown == .unsafe ? "--fix --unsafe-fixes" : "--fix"
      text = "\(count(summary.fixed, "change")) shown and not made; after \(option): \(text)"
    }
    if summary.accepted > 0 { text += "\(summary.accepted) accepted by the policy or the baseline\n" }
    if summary.unneededEntries > 0 {
      text += "\(summary.unneededEntries) entries of the baseline are not needed; --write-baseline takes them out\n"
    }
    if fixable.safe > 0 { text += "--fix makes \(count(fixable.safe, "safe change"))\n" }
    if fixable.unsafe > 0 {
      text += "--fix --unsafe-fixes makes \(count(fixable.unsafe, "change")) of behaviour; --diff shows them\n"
    }
    return text
  }

  // MARK: one finding

  private func text(of finding: Finding) -> String {
    let place = finding.region.map { "\($0.startLine):\($0.startColumn)" } ?? printable(finding.placeInFile)
    var text = "  \(place)\(place.isEmpty ? "" : "  ")\(paint(finding.severity.rawValue, colour(finding.severity)))  "
    text += "\(finding.rule) \(finding.ruleTitle)\n"
    if let region = finding.region, detail != .quiet { text += excerpt(region) }
    text += wrapped(printable(finding.message))
    guard detail == .verbose || finding.fix != nil else { return text }
    if let fix = finding.fix {
      text += wrapped("fix\(fix.safety == .unsafe ? " (changes behaviour)" : ""): \(printable(fix.description))")
    }
    if detail == .verbose {
      if let expected = finding.expected { text += wrapped("expected: \(printable(expected))") }
      if let actual = finding.actual { text += wrapped("found: \(printable(actual))") }
      if !finding.runtimes.isEmpty { text += wrapped("concerns: \(finding.runtimes.joined(separator: ", "))") }
    }
    return text
  }

  /// The line with a caret below the place.
  private func excerpt(_ region: TextRegion) -> String {
    let before = region.excerpt.unicodeScalars.prefix(max(0, region.startColumn - region.excerptColumn))
    // Controls are spelled out, so the caret moves with them.
    let indent = printable(String(String.UnicodeScalarView(before))).unicodeScalars.count
    return "    | \(printable(region.excerpt))\n    | \(String(repeating: " ", count: indent))\(paint("^", .cyan))\n"
  }

  /// Lines of at most ``width`` characters, broken at spaces; commands in backticks stay whole.
  private func wrapped(_ text: String) -> String {
    var lines: [String] = []
    var line = ""
    var isQuoted = false
    var word = ""
    func flush() {
      if !line.isEmpty, line.count + word.count + 5 > width {
        lines.append(line)
        line = word
      } else {
        line += line.isEmpty ? word : " " + word
      }
      word = ""
    }
    for character in text {
      if character == "`" { isQuoted.toggle() }
      if character == " ", !isQuoted { flush() } else { word.append(character) }
    }
    flush()
    return (lines + [line]).map { "    \($0)\n" }.joined()
  }

  // MARK: colour

  private enum Paint: String {
    case bold = "1"
    case red = "31"
    case yellow = "33"
    case cyan = "36"
  }

  private func colour(_ severity: Severity) -> Paint {
    switch severity {
    case .error: .red
    case .warning: .yellow
    case .note: .cyan
    }
  }

  private func paint(_ text: String, _ paint: Paint) -> String {
    isColoured ? "\u{1B}[\(paint.rawValue)m\(text)\u{1B}[0m" : text
  }
}
