import Runtimes

/// Runs rules over models.
package struct Linter: Sendable {
  package var rules: [Rule]

  package init(rules: [Rule] = Rule.all) { self.rules = rules }

  /// The findings in the order of files, places and rules.
  package func findings(in model: LintedModel) -> [Finding] {
    var findings: [Finding] = []
    for rule in rules {
      for var finding in Self.limited(rule.find(model)) {
        finding.rule = rule.id
        if let text = model.text(at: finding.location.path), let offset = finding.location.byteOffset {
          let start = Int(clamping: offset)
          let document = model.document(at: finding.location.path)
          let end = finding.location.key.flatMap { document?[$0]?.range.upperBound } ?? start
          finding.region = TextRegion(start..<max(start, end), in: text)
        }
        findings.append(finding)
      }
    }
    return findings.sorted {
      ($0.location.path, $0.location.byteOffset ?? 0, $0.rule, $0.location.key ?? "", $0.message)
        < ($1.location.path, $1.location.byteOffset ?? 0, $1.rule, $1.location.key ?? "", $1.message)
    }
  }

  /// A file can be made to break a rule in hundreds of thousands of places, which nobody reads.
  private static let mostFindings = 100

  /// The first findings of one rule in one model, the last of them with the number of those left out.
  private static func limited(_ findings: [Finding]) -> [Finding] {
    guard findings.count > mostFindings else { return findings }
    var first = Array(findings.prefix(mostFindings))
    first[mostFindings - 1].message += " (and so in \(findings.count - mostFindings) more places)"
    return first
  }
}
