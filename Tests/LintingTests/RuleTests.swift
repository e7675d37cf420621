import Runtimes
import TestSupport
import Testing

@testable import Linting
@testable import YarnPatch

@Suite struct RuleTests {
  @Test(arguments: LintCase.all)
  func `a rule fires on its firing cases and on no silent one`(_ lintCase: LintCase) throws {
    #expect(try !lintCase.own().isEmpty == lintCase.fires)
  }

  /// The rule page and the message are all that a user has, so both say what to do.
  @Test(arguments: LintCase.all.filter(\.fires))
  func `a finding has a place in one of the files, a message and a severity of its page`(_ lintCase: LintCase) throws {
    let rule = try #require(Rule.all.first { $0.id == lintCase.rule })
    for finding in try lintCase.own() {
      #expect(finding.location.path.hasPrefix(lintCase.folder))
      #expect(finding.message.hasSuffix(".") || finding.message.hasSuffix("?") || finding.message.hasSuffix("`"))
      #expect(rule.severity.contains(finding.severity.rawValue))
    }
  }

  @Test(arguments: LintCase.all.filter(\.fires))
  func `a fixed model has no finding of the rule that could be fixed, and fixing again changes nothing`(
    _ lintCase: LintCase
  ) throws {
    var draft = FixDraft()
    var before = try lintCase.findings()
    let fixable = before.findings.filter { $0.rule == lintCase.rule && $0.fix != nil }
    guard !fixable.isEmpty else { return }
    #expect(draft.make(fixable, of: before.model) { _ in true })
    // Fixes of one place take turns.
    for _ in 0..<8 {
      before = try lintCase.findings(after: draft)
      let left = before.findings.filter { $0.rule == lintCase.rule && $0.fix != nil }
      guard !left.isEmpty, draft.make(left, of: before.model, allowing: { _ in true }) else { break }
    }
    let left = try lintCase.own(after: draft)
    #expect(left.filter { $0.fix != nil }.isEmpty, "\(left.map(\.message))")
  }

  /// `--fix` makes safe fixes unasked, so they must not change what a runtime computes; only a runtime that refused the
  /// file may do something else. A slip of the pen (YP107) has no effect as it is, and the fix gives it one.
  @Test(arguments: LintCase.all.filter { $0.fires && $0.rule.hasPrefix("YP1") && $0.rule != "YP107" })
  func `a safe fix of a config's structure changes no table`(_ lintCase: LintCase) throws {
    let before = try lintCase.findings()
    var draft = FixDraft()
    let own = before.findings.filter { $0.rule == lintCase.rule }
    guard draft.make(own, of: before.model, allowing: { $0.safety == .safe }) else { return }
    let after = try lintCase.findings(after: draft)
    for (old, new) in zip(before.model.configs, after.model.configs) {
      for runtime in Runtime.all where runtime.formats.contains(.config) {
        for (old, new) in zip(old.readings(of: runtime), new.readings(of: runtime)) where old.table != nil {
          #expect(old.table == new.table && old.contextLength == new.contextLength, "\(runtime.name)")
        }
      }
    }
  }

  @Test
  func `every rule has a page, an id in order, and cases of both kinds`() {
    #expect(Rule.all.map(\.id) == Rule.all.map(\.id).sorted())
    #expect(Set(Rule.all.map(\.id)).count == Rule.all.count)
    for rule in Rule.all {
      for text in [rule.title, rule.severity, rule.checks, rule.why, rule.example, rule.remedy, rule.exceptions] {
        #expect(!text.isEmpty, "\(rule.id)")
      }
      #expect(!rule.sources.isEmpty, "\(rule.id)")
      for fires in [true, false] {
        #expect(LintCase.all.contains { $0.rule == rule.id && $0.fires == fires }, "\(rule.id) \(fires)")
      }
    }
    #expect(Set(LintCase.all.map(\.rule)).isSubset(of: Set(Rule.all.map(\.id))))
  }
}
