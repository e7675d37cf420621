/// One thing that goes wrong with models, how it is recognised, and all that a reader of the finding wants to know.
///
/// A reference: each model goes through sixty of them.
public final class Rule: Sendable {
  /// Permanent: `YP` and three digits, of which the first is the family. Never used for something else.
  public let id: String
  /// What is wrong, as a phrase without a verb's ending point.
  public let title: String
  /// The severities of its findings and when which, as a phrase: `error; warning when equal`.
  public let severity: String
  /// What is looked at, in a sentence or two.
  public let checks: String
  /// Which runtime does what, and with which consequence.
  public let why: String
  /// A file, or a part of one, that it fires on; the language of the block follows from its first character.
  public let example: String
  /// What to do, with the command or the text to type.
  public let remedy: String
  /// Where it keeps silent although the condition may seem to hold.
  public let exceptions: String
  /// Where the facts come from: files of runtimes, threads, measurements.
  public let sources: [String]
  package let find: @Sendable (LintedModel) -> [Finding]

  package init(
    _ id: String, _ title: String, severity: String, checks: String, why: String, example: String, remedy: String,
    exceptions: String, sources: [String], find: @escaping @Sendable (LintedModel) -> [Finding]
  ) {
    self.id = id
    self.title = title
    self.severity = severity
    self.checks = checks
    self.why = why
    self.example = example
    self.remedy = remedy
    self.exceptions = exceptions
    self.sources = sources
    self.find = find
  }

  /// The first digit of the id.
  public var family: RuleFamily {
    RuleFamily(rawValue: id.utf8.dropFirst(2).first.map { Int($0) - 0x30 } ?? 0) ?? .structure
  }
}

/// What the rules of one hundred are about.
public enum RuleFamily: Int, Sendable, CaseIterable {
  case structure = 1
  case lengths, frequencies, magnitude, suitability, gguf, safetensors, betweenFiles

  public var title: String {
    switch self {
    case .structure: "Structure and key names of config.json"
    case .lengths: "Lengths and factor"
    case .frequencies: "Base, dimensions, frequencies"
    case .magnitude: "Magnitude"
    case .suitability: "Suitability"
    case .gguf: "GGUF"
    case .safetensors: "safetensors and siblings"
    case .betweenFiles: "Between files"
    }
  }
}
