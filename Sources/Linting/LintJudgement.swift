import Runtimes

/// How much findings weigh for a project: profile, policy and the rules that were asked for.
package struct LintJudgement: Sendable {
  package var profile: LintProfile
  package var severities: [String: Severity?]
  /// Ids or the beginnings of ids, `YP2` for a family; empty for every rule.
  package var selected: [String]
  package var ignored: [String]

  package init(
    profile: LintProfile = .portable, severities: [String: Severity?] = [:], selected: [String] = [],
    ignored: [String] = []
  ) {
    self.profile = profile
    self.severities = severities
    self.selected = selected
    self.ignored = ignored
  }

  /// The rules that can find something.
  package var rules: [Rule] {
    guard !(selected.isEmpty && ignored.isEmpty && severities.isEmpty) else { return Rule.all }
    return Rule.all.filter { rule in
      (selected.isEmpty || selected.contains(where: rule.id.hasPrefix)) && !ignored.contains(where: rule.id.hasPrefix)
        && severities[rule.id] != .some(nil)
    }
  }

  /// The finding as heavy as it is here. What concerns only other runtimes than the profile's is a note.
  package func judged(_ finding: Finding) -> Finding {
    var finding = finding
    if let severity = severities[finding.rule] ?? nil { finding.severity = severity }
    if case .runtime(let runtime) = profile, !finding.runtimes.isEmpty, !finding.runtimes.contains(runtime.name) {
      finding.severity = .note
    }
    return finding
  }
}

extension LintProfile {
  /// The least severity that fails; `nil` when nothing does.
  public var failing: Severity? {
    switch self {
    case .portable, .runtime: .error
    case .strict: .warning
    case .advisory: nil
    }
  }
}

extension Rule {
  /// The rules whose id is `text` or begins with it; none for a text that names no rule.
  public static func named(_ text: String) -> [Rule] { text.isEmpty ? [] : all.filter { $0.id.hasPrefix(text) } }
}
