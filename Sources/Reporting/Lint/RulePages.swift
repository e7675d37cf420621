import Linting
import LosslessJSON

/// `rules`: what each rule checks and why, from the rules themselves.
public enum RulePages {
  /// One line for each rule.
  public static func list(_ rules: [Rule]) -> String {
    columns(rules.map { [$0.id, $0.title, $0.severity] }, indent: 0)
  }

  /// A rule's page for a terminal.
  public static func text(_ rule: Rule) -> String {
    var text = "\(rule.id) \(rule.title)\n\(rule.severity)\n"
    for (heading, paragraph) in sections(rule) { text += "\n\(heading)\n\(wrapped(paragraph))" }
    return text
  }

  public static func json(_ rules: [Rule]) -> String {
    let pages = rules.map { rule in
      JSONText.object([
        ("id", .string(rule.id)), ("title", .string(rule.title)), ("family", .string(rule.family.title)),
        ("severity", .string(rule.severity)), ("checks", .string(rule.checks)), ("why", .string(rule.why)),
        ("example", .string(rule.example)), ("remedy", .string(rule.remedy)), ("exceptions", .string(rule.exceptions)),
        ("sources", .array(rule.sources.map(JSONText.string))),
      ])
    }
    return JSONText.object([("schema", .string("yarn-patch.rules/1")), ("rules", .array(pages))]).pretty() + "\n"
  }

  /// All pages as one document, with an index.
  public static func markdown(_ rules: [Rule]) -> String {
    var text = """
      # Lint rules

      What `yarn-patch lint` looks for. This page is printed by `yarn-patch rules --format markdown`; ids are permanent.

      | id | what | severity |
      |---|---|---|

      """
    for rule in rules { text += "| [\(rule.id)](#\(rule.id.lowercased())) | \(rule.title) | \(rule.severity) |\n" }
    for family in RuleFamily.allCases {
      let its = rules.filter { $0.family == family }
      guard !its.isEmpty else { continue }
      text += "\n## \(family.title)\n"
      for rule in its { text += "\n### \(rule.id)\n\n" + markdown(rule) }
    }
    return text
  }

  /// A rule's page.
  static func markdown(_ rule: Rule) -> String {
    var text = "**\(rule.title)** — \(rule.severity)\n"
    for (heading, paragraph) in sections(rule) {
      text += heading == "Example" ? "\n*Example*\n\n```\n\(paragraph)\n```\n" : "\n*\(heading)* \(paragraph)\n"
    }
    return text
  }

  private static func sections(_ rule: Rule) -> [(heading: String, text: String)] {
    [
      ("What it checks", rule.checks), ("Why", rule.why), ("Example", rule.example), ("What to do", rule.remedy),
      ("When it keeps silent", rule.exceptions), ("Sources", rule.sources.joined(separator: "; ")),
    ]
  }

  /// Lines of at most 98 characters below a heading; line breaks of the text stay.
  private static func wrapped(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { paragraph in
      var lines = [""]
      for word in paragraph.split(separator: " ") {
        let line = lines[lines.count - 1]
        if !line.isEmpty, line.count + word.count > 95 {
          lines.append(String(word))
        } else {
          lines[lines.count - 1] = line.isEmpty ? String(word) : "\(line) \(word)"
        }
      }
      return lines.map { "  \($0)\n" }.joined()
    }.joined()
  }
}
