import Diagnostics
import Linting
import LosslessJSON
import YarnPatch

/// Writes a lint's results as they come, so that thousands of models take no more memory than one.
public protocol LintReporter {
  mutating func beginning() -> String
  mutating func text(of result: LintResult) -> String
  mutating func ending(_ summary: LintSummary) -> String
}

extension LintReporter {
  public mutating func beginning() -> String { "" }
}

extension Finding {
  /// The rule, which every finding of the linter has.
  var ruleTitle: String { Rule.named(rule).first?.title ?? "" }

  /// JSON pointer, GGUF key or tensor name with the byte where it stands.
  var placeInFile: String {
    let key = location.key.map { $0.isEmpty || $0.hasPrefix("/") ? $0 : "key \($0)" }
    return [key, location.byteOffset.map { "byte 0x\(String($0, radix: 16))" }].compactMap(\.self)
      .filter { !$0.isEmpty }.joined(separator: ", ")
  }
}

/// The findings as one JSON document, a line for each.
public struct LintJSON: LintReporter {
  private var isFirst = true

  public init() {}

  public mutating func beginning() -> String {
    #"{"schema":"yarn-patch.lint/1","findings":["#
  }

  public mutating func text(of result: LintResult) -> String {
    result.findings.map { finding in
      defer { isFirst = false }
      return (isFirst ? "\n" : ",\n") + Self.json(finding).compact
    }.joined()
  }

  public mutating func ending(_ summary: LintSummary) -> String {
    let counts = JSONText.object([
      ("models", .integer(summary.models)), ("files", .integer(summary.files)), ("errors", .integer(summary.errors)),
      ("warnings", .integer(summary.warnings)), ("notes", .integer(summary.notes)),
      ("accepted", .integer(summary.accepted)), ("fixed", .integer(summary.fixed)),
    ])
    return "\n],\"summary\":\(counts.compact)}\n"
  }

  static func json(_ finding: Finding) -> JSONText {
    let isPointer = finding.region != nil || finding.location.key?.hasPrefix("/") ?? false
    var members: [(key: String, value: JSONText)] = [
      ("rule", .string(finding.rule)), ("severity", .string(finding.severity.rawValue)),
      ("file", .string(finding.location.path)),
      (isPointer ? "pointer" : "key", .optional(finding.location.key)),
      ("offset", .optional(finding.location.byteOffset.flatMap { Int(exactly: $0) })),
    ]
    if let region = finding.region {
      members += [("line", .integer(region.startLine)), ("column", .integer(region.startColumn))]
    }
    let fix = finding.fix.map { fix in
      JSONText.object([("safety", .string(fix.safety.rawValue)), ("description", .string(fix.description))])
    }
    return .object(
      members + [
        ("message", .string(finding.message)), ("expected", .optional(finding.expected)),
        ("actual", .optional(finding.actual)), ("runtimes", .array(finding.runtimes.map(JSONText.string))),
        ("fix", fix ?? .null),
      ])
  }
}

/// Annotations of GitHub's workflow commands, one line for each finding and for each model that could not be looked at.
/// Control characters other than line breaks, which the format escapes, are spelled out.
///
/// - Source: `escapeData` and `escapeProperty` of the toolkit that actions are written with (`@actions/core`).
public struct LintGitHub: LintReporter {
  public init() {}

  public mutating func text(of result: LintResult) -> String {
    let findings = result.findings.map { finding in
      var properties = [("file", finding.location.path)]
      if let region = finding.region {
        properties += [
          ("line", "\(region.startLine)"), ("endLine", "\(region.endLine)"), ("col", "\(region.startColumn)"),
          ("endColumn", "\(region.endColumn)"),
        ]
      }
      properties.append(("title", "\(finding.rule) \(finding.ruleTitle)"))
      let place = finding.region == nil ? finding.placeInFile + ": " : ""
      let level = finding.severity == .note ? "notice" : finding.severity.rawValue
      return Self.command(level, properties, place + finding.message)
    }
    let refusal = result.refusal.map { Self.command("error", [("file", $0.location.path)], "\($0)") } ?? ""
    return findings.joined() + refusal
  }

  public mutating func ending(_ summary: LintSummary) -> String { "" }

  private static func command(_ name: String, _ properties: [(String, String)], _ message: String) -> String {
    let text = properties.map { "\($0)=\(escaped($1, alsoSeparators: true))" }.joined(separator: ",")
    return "::\(name) \(text)::\(escaped(message))\n"
  }

  private static func escaped(_ text: String, alsoSeparators: Bool = false) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "%": result += "%25"
      case "\r": result += "%0D"
      case "\n": result += "%0A"
      case ":" where alsoSeparators: result += "%3A"
      case "," where alsoSeparators: result += "%2C"
      default: result += printable(String(scalar))
      }
    }
    return result
  }
}
