import TestSupport
import Testing

@testable import Linting
@testable import YarnPatch

@Suite struct SeverityTests {
  /// Rules with several severities: which of their cases has which.
  @Test(arguments: [
    ("YP104", "upper-case", Severity.error), ("YP104", "unheard-of", .error), ("YP104", "su", .warning),
    ("YP104", "both-keys", .warning), ("YP104", "both-keys-upper-case", .error),
    ("YP105", "absent", .error), ("YP105", "below-one", .error), ("YP105", "one", .warning),
    ("YP107", "slip", .warning), ("YP107", "finetuned", .note), ("YP107", "of-another-kind", .note),
    ("YP108", "whole-factor", .note), ("YP108", "whole-linear-factor", .error),
    ("YP109", "factors", .error), ("YP109", "equal", .note),
    ("YP112", "top-level", .error), ("YP112", "two-sections", .warning),
    ("YP201", "short", .error), ("YP201", "beyond", .error), ("YP201", "between", .warning),
    ("YP201", "not-whole", .note),
    ("YP205", "hundred", .error), ("YP205", "forty-eight", .warning), ("YP205", "recorded-forty-eight", .warning),
    ("YP205", "sixteen", .warning), ("YP205", "above-stated", .note),
    ("YP206", "tokenizer", .warning), ("YP206", "generation", .note),
    ("YP207", "every-layer", .warning), ("YP207", "some-layers", .note), ("YP207", "later-layers", .note),
    ("YP301", "null", .error), ("YP301", "known", .error), ("YP301", "family", .error),
    ("YP301", "gguf-family", .error), ("YP301", "gguf", .note), ("YP301", "scaled", .note),
    ("YP301", "unexpected", .note),
    ("YP305", "swapped", .error), ("YP305", "zero", .error), ("YP305", "equal", .warning),
    ("YP308", "other-base", .error), ("YP308", "unscaled-buffer", .note), ("YP308", "scaled-buffer", .note),
    ("YP308", "other-base-cache", .error), ("YP308", "unscaled-cache", .note), ("YP308", "scaled-cache", .note),
    ("YP401", "attn-factor-alone", .error), ("YP401", "one-target", .warning),
    ("YP402", "zero", .error), ("YP402", "far-too-large", .warning), ("YP402", "one", .note),
    ("YP402", "gguf", .warning),
    ("YP403", "mscale-alone", .warning), ("YP403", "contradicted", .error),
    ("YP701", "hole", .error), ("YP701", "no-format", .warning), ("YP701", "absent-shard", .error),
    ("YP701", "no-shard", .warning),
  ])
  func `a case has the severity of its condition`(_ rule: String, _ name: String, _ severity: Severity) throws {
    let findings = try LintCase(rule: rule, fires: true, name: name).own()
    #expect(findings.map(\.severity) == [severity])
  }

  @Test(arguments: [
    ("trailing-comma", "Line 11, column 3: a comma stands before the closing bracket"),
    ("comment", "Line 9, column 20: a comment"), ("ellipsis", "Line 2, column 3: an ellipsis"),
    ("single-quotes", "Line 8, column 18: a text in single quotes"), ("python", "Line 10, column 17: a word of Python"),
    ("cut-off", "The text ends"), ("twice-different", "`factor` is stated twice, on lines 9 and 10; most readers"),
  ])
  func `broken JSON is called by what it is`(_ name: String, _ beginning: String) throws {
    let findings = try LintCase(rule: "YP111", fires: true, name: name).own()
    #expect(findings.count == 1)
    #expect(findings.first?.message.hasPrefix(beginning) == true)
    #expect(findings.first?.region != nil)
  }
}
