import Diagnostics
import Linting
import LosslessJSON
import YarnPatch

/// The findings as SARIF 2.1.0, which code hosts show beside the lines, with fixes for editors.
///
/// - Source: Static Analysis Results Interchange Format 2.1.0, OASIS standard.
public struct LintSARIF: LintReporter {
  private var isFirst = true
  private let indices: [String: Int]
  /// What could not be looked at or fixed, as notifications; a log with one is no clean bill.
  private var refusals: [JSONText] = []

  public init() {
    indices = Dictionary(uniqueKeysWithValues: Rule.all.enumerated().map { ($1.id, $0) })
  }

  public mutating func beginning() -> String {
    let rules = Rule.all.map { $0.sarif.compact }.joined(separator: ",\n")
    return """
      {"$schema":"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",\
      "version":"2.1.0","runs":[{"tool":{"driver":{"name":"yarn-patch","version":"\(version)","rules":[
      \(rules)
      ]}},"columnKind":"unicodeCodePoints","results":[
      """
  }

  public mutating func text(of result: LintResult) -> String {
    if let refusal = result.refusal { refusals.append(Self.notification(refusal)) }
    return result.findings.enumerated().map { index, finding in
      defer { isFirst = false }
      return (isFirst ? "\n" : ",\n") + json(finding, result.replacements[index] ?? []).compact
    }.joined()
  }

  public mutating func ending(_ summary: LintSummary) -> String {
    let invocation = JSONText.object([
      ("executionSuccessful", .bool(refusals.isEmpty)), ("toolExecutionNotifications", .array(refusals)),
    ])
    return "\n],\"invocations\":[\(invocation.compact)]}]}\n"
  }

  private func json(_ finding: Finding, _ replacements: [TextReplacement]) -> JSONText {
    var place: [(key: String, value: JSONText)] = [("artifactLocation", Self.artifact(finding.location.path))]
    if let region = finding.region {
      place.append(("region", Self.region(region)))
    } else if let offset = finding.location.byteOffset {
      place.append(("region", .object([("byteOffset", .raw("\(offset)")), ("byteLength", .integer(0))])))
    }
    var location: [(key: String, value: JSONText)] = [("physicalLocation", .object(place))]
    if let key = finding.location.key, !key.isEmpty {
      location.append(("logicalLocations", .array([.object([("fullyQualifiedName", .string(key))])])))
    }
    var members: [(key: String, value: JSONText)] = [
      ("ruleId", .string(finding.rule)), ("ruleIndex", .optional(indices[finding.rule])),
      ("level", .string(finding.severity.rawValue)),
      ("message", .object([("text", .string(finding.message))])), ("locations", .array([.object(location)])),
    ]
    if let fix = finding.fix, !replacements.isEmpty {
      let paths = Set(replacements.map(\.path)).sorted()
      let changes = paths.map { path in
        JSONText.object([
          ("artifactLocation", Self.artifact(path)),
          ("replacements", .array(replacements.filter { $0.path == path }.map(Self.replacement))),
        ])
      }
      members.append(
        (
          "fixes",
          .array([
            .object([
              ("description", .object([("text", .string(fix.description))])), ("artifactChanges", .array(changes)),
            ])
          ])
        ))
    }
    return .object(members)
  }

  private static func notification(_ refusal: FileError) -> JSONText {
    .object([
      ("level", .string("error")), ("descriptor", .object([("id", .string(refusal.code.rawValue))])),
      ("message", .object([("text", .string("\(refusal)"))])),
      (
        "locations",
        .array([
          .object([("physicalLocation", .object([("artifactLocation", artifact(refusal.location.path))]))])
        ])
      ),
    ])
  }

  private static func replacement(_ replacement: TextReplacement) -> JSONText {
    .object([
      ("deletedRegion", region(replacement.region)),
      ("insertedContent", .object([("text", .string(replacement.text))])),
    ])
  }

  private static func region(_ region: TextRegion) -> JSONText {
    .object([
      ("startLine", .integer(region.startLine)), ("startColumn", .integer(region.startColumn)),
      ("endLine", .integer(region.endLine)), ("endColumn", .integer(region.endColumn)),
    ])
  }

  private static func artifact(_ path: String) -> JSONText {
    .object([("uri", .string((path.hasPrefix("/") ? "file://" : "") + percentEncoded(path)))])
  }

  /// The path with every byte escaped that RFC 3986 does not allow in one.
  private static func percentEncoded(_ path: String) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/@".utf8)
    let digits = Array("0123456789ABCDEF")
    return path.utf8.map { byte in
      plain.contains(byte)
        ? String(Unicode.Scalar(byte)) : "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }.joined()
  }
}

extension Rule {
  fileprivate var sarif: JSONText {
    func text(_ text: String) -> JSONText { .object([("text", .string(text))]) }
    let level = Severity.allCases.reversed().first { severity.contains($0.rawValue) } ?? .warning
    return .object([
      ("id", .string(id)), ("shortDescription", text(title)), ("fullDescription", text("\(checks) \(why)")),
      (
        "help",
        .object([("text", .string(remedy)), ("markdown", .string(RulePages.markdown(self)))])
      ),
      ("defaultConfiguration", .object([("level", .string(level.rawValue))])),
    ])
  }
}
