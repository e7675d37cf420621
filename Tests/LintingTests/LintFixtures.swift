import Diagnostics
import FileStore
import Foundation
import TestSupport
import Testing

@testable import Linting
@testable import YarnPatch

/// A folder below `fixtures/lint/<id>/fires` or `…/silent`: one model, with a policy file where the rule needs one.
struct LintCase: Sendable, CustomTestStringConvertible {
  let rule: String
  let fires: Bool
  let name: String

  var folder: String { Fixture.path("lint/\(rule)/\(fires ? "fires" : "silent")/\(name)") }
  var testDescription: String { "\(rule) \(fires ? "fires" : "is silent") on \(name)" }

  static let all: [LintCase] = {
    let rules = (try? Fixture.names(in: "lint")) ?? []
    return rules.filter { $0.hasPrefix("YP") }.flatMap { rule in
      [true, false].flatMap { fires in
        ((try? Fixture.names(in: "lint/\(rule)/\(fires ? "fires" : "silent")")) ?? [])
          .map { LintCase(rule: rule, fires: fires, name: $0) }
      }
    }
  }()

  /// The case's findings of every rule, with some fixes seen as made.
  func findings(after draft: FixDraft = FixDraft()) throws -> (model: LintedModel, findings: [Finding]) {
    let model = try lintedModel(at: folder, after: draft)
    return (model, Linter().findings(in: model))
  }

  /// The findings of the case's own rule.
  func own(after draft: FixDraft = FixDraft()) throws -> [Finding] {
    try findings(after: draft).findings.filter { $0.rule == rule }
  }
}

/// The model of a folder under the policy that stands there, as the rules see it.
func lintedModel(at folder: String, after draft: FixDraft = FixDraft()) throws -> LintedModel {
  var search = ModelSearch()
  let found = try #require(try search.models(under: [folder]).first { $0.path.hasPrefix(folder) })
  return try ModelLint(found, Lint(LintOptions(), POSIXFileSystem())).model(after: draft)
}
