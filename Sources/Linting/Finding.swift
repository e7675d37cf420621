import Bytes
import Diagnostics
import ModelConfig

/// How much a finding weighs.
public enum Severity: String, Sendable, Comparable, CaseIterable {
  /// Advice.
  case note
  /// Runtimes disagree, or quality is at risk.
  case warning
  /// A mainstream runtime computes a wrong table, refuses the file, or reads past a table.
  case error

  public static func < (one: Severity, other: Severity) -> Bool { one.rank < other.rank }

  private var rank: Int { self == .note ? 0 : self == .warning ? 1 : 2 }
}

/// What a rule has to say about one place of a model's files.
public struct Finding: Sendable {
  /// Permanent id of the rule: `YP201`. Set by the linter.
  public internal(set) var rule = ""
  public var severity: Severity
  /// File, byte offset, and JSON pointer, GGUF key or tensor name.
  public var location: SourceLocation
  /// Which runtime does what, and what to type; understandable on its own.
  public var message: String
  /// What should stand there, as a phrase.
  public var expected: String?
  /// What stands there.
  public var actual: String?
  /// Runtimes that the finding is about, by the names of the command's contract; none when it concerns every one.
  public var runtimes: [String]
  public var fix: Fix?
  /// Where the place stands in a text, for editors; set by the linter for JSON files.
  public internal(set) var region: TextRegion?

  package init(
    _ severity: Severity, at location: SourceLocation, _ message: String, expected: String? = nil,
    actual: String? = nil, runtimes: [String] = [], fix: Fix? = nil
  ) {
    self.severity = severity
    self.location = location
    self.message = message
    self.expected = expected
    self.actual = actual
    self.runtimes = runtimes
    self.fix = fix
  }
}

extension Finding {
  /// Why a file could not be read, as a finding at the place.
  package init(_ severity: Severity, of refusal: FileError, runtimes: [String] = []) {
    self.init(
      severity, at: refusal.location,
      "\(refusal.found.capitalisedFirst); expected \(refusal.expected). What to do: \(refusal.remedy).",
      expected: refusal.expected, actual: refusal.found, runtimes: runtimes)
  }
}

/// A change that removes a finding.
public struct Fix: Sendable {
  public enum Safety: String, Sendable {
    /// The meaning of the file stays: `--fix` makes it.
    case safe
    /// Some runtime behaves differently afterwards: `--unsafe-fixes` makes it.
    case unsafe
  }

  /// What is done to the files.
  package enum Action: Sendable {
    /// Values to state or to take out, in any files of the model.
    case change([SettingChange])
    /// Bytes of a text that cannot be changed by its values, such as a member that is stated twice.
    case edit(path: String, EditList)
  }

  public var safety: Safety
  /// What it does, in the imperative: `add rope_type "yarn"`.
  public var description: String
  package var action: Action

  package static func safe(_ description: String, _ changes: [SettingChange]) -> Fix {
    Fix(safety: .safe, description: description, action: .change(changes))
  }

  package static func unsafe(_ description: String, _ changes: [SettingChange]) -> Fix {
    Fix(safety: .unsafe, description: description, action: .change(changes))
  }

  package init(safety: Safety, description: String, action: Action) {
    self.safety = safety
    self.description = description
    self.action = action
  }
}
