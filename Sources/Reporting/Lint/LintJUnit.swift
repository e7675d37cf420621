import Diagnostics
import Drawing
import Linting
import YarnPatch

/// The findings as JUnit's XML: a suite for each model, a case for each finding, one that passed for a clean model and
/// one in error for a model that could not be looked at or fixed.
///
/// - Source: The schemas `junit-10.xsd` of Jenkins' xUnit plugin, the older and the newer one.
public struct LintJUnit: LintReporter {
  /// The least severity that is a failure; lighter findings pass with their text as output.
  private let failing: Severity?

  public init(failing: Severity?) { self.failing = failing }

  public mutating func beginning() -> String {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"yarn-patch lint\">\n"
  }

  public mutating func text(of result: LintResult) -> String {
    var cases = result.findings.map { finding in
      let severity = finding.severity.rawValue
      let text = Markup(text: "\(severity): \(finding.message)")
      let outcome =
        fails(finding)
        ? Markup("failure", ["type": severity, "message": "\(finding.rule) \(finding.ruleTitle)"], [text])
        : Markup("system-out", [:], [text])
      return Markup(
        "testcase",
        ["classname": finding.location.path, "name": "\(finding.rule) \(finding.placeInFile)"], [outcome])
    }
    if let refusal = result.refusal {
      let error = Markup("error", ["type": refusal.code.rawValue], text: "\(refusal.printable)")
      cases.append(Markup("testcase", ["classname": refusal.location.path, "name": "could not be done"], [error]))
    }
    if cases.isEmpty { cases = [Markup("testcase", ["classname": result.path, "name": "no findings"])] }
    let suite = Markup(
      "testsuite",
      [
        "name": result.name ?? result.path, "tests": "\(cases.count)",
        "failures": "\(result.findings.count(where: fails))", "errors": result.refusal == nil ? "0" : "1",
      ], cases)
    return suite.source + "\n"
  }

  public mutating func ending(_ summary: LintSummary) -> String { "</testsuites>\n" }

  private func fails(_ finding: Finding) -> Bool { failing.map { finding.severity >= $0 } ?? false }
}
