import ArgumentParser
import Linting
import Reporting

enum RulesFormat: String, ExpressibleByArgument, CaseIterable { case text, json, markdown }

struct Rules: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Explains the rules of lint: what each checks, which runtime does what, and what to do.")

  @Argument(help: ArgumentHelp("A rule's id, or the beginning of several.", valueName: "id")) var id: String?
  @Option(help: "text, json or markdown.") var format = RulesFormat.text

  func run() throws {
    let rules = id.map { Linting.Rule.named($0.uppercased()) } ?? Linting.Rule.all
    guard !rules.isEmpty else { throw ValidationError("there is no rule \(id ?? ""); `yarn-patch rules` lists them") }
    switch format {
    case .json: try printResult(RulePages.json(rules))
    case .markdown: try printResult(RulePages.markdown(rules))
    case .text:
      let pages = id == nil ? RulePages.list(rules) : rules.map(RulePages.text).joined(separator: "\n")
      try printResult(pages)
    }
  }
}
