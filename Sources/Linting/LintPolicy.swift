import Diagnostics
import LosslessJSON
import Runtimes

extension FileError.Code {
  package static let badPolicy: Self = "bad-policy"
}

/// What a project wants of its models, from a file `.yarn-patch.json` at its top.
///
/// ```
/// {
///   "serveLength": 131072,                         longest sequence that is served, in tokens
///   "targets": ["vllm@0.33", "llama.cpp"],         who runs the models; every serving runtime without it
///   "features": ["prefix-caching"],                also cache-reuse, continuous-batching
///   "launch": ["vllm serve . --hf-overrides …"],   command lines with which servers are started
///   "profile": "portable",                         portable, strict, advisory, or a runtime's name
///   "severities": {"YP503": "off"},                off, note, warning, error
///   "ignores": [{"rules": ["YP204"], "paths": ["old/**"], "reason": "kept for comparison"}],
///   "drafts": {"small": "large"},                  a draft model and its target, by folder
///   "copies": {"quantised": "original"}            a quantised or merged copy and what it was made from
/// }
/// ```
public struct LintPolicy: Sendable {
  /// Findings that are accepted, and why.
  public struct Ignore: Sendable, Equatable {
    /// Ids; none for every rule.
    public var rules: [String]
    /// Patterns relative to the policy's folder; none for every path.
    public var paths: [String]
    public var reason: String
  }

  /// The file, `nil` when there is none.
  public internal(set) var path: String?
  public var deployment = Deployment()
  public var profile: LintProfile?
  /// Severities by rule id; `nil` turns a rule off.
  public var severities: [String: Severity?] = [:]
  public var ignores: [Ignore] = []
  /// Folders of draft models with those of their targets, both relative to the policy's folder.
  public var drafts: [String: String] = [:]
  /// Folders of copies with those of their originals.
  public var copies: [String: String] = [:]

  public init() {}
}

/// Whose rules count.
public enum LintProfile: Sendable {
  /// Every runtime; errors fail.
  case portable
  /// Every runtime; warnings fail as well.
  case strict
  /// Nothing fails.
  case advisory
  /// One runtime; what concerns only others is a note.
  case runtime(Runtime)

  /// - Throws: ``UnknownRuntime`` with the known names.
  public init(_ name: String) throws(UnknownRuntime) {
    switch name {
    case "portable": self = .portable
    case "strict": self = .strict
    case "advisory": self = .advisory
    default: self = .runtime(try Runtime.named(name))
    }
  }
}

extension LintPolicy {
  /// The name of the file.
  public static let fileName = ".yarn-patch.json"

  /// Reads a policy and refuses what it does not know, so that a misspelled member does not go unnoticed.
  ///
  /// - Throws: `bad-policy` with the member's place.
  package init(_ document: JSONDocument) throws(FileError) {
    path = document.path
    let reader = PolicyReader(document: document)
    guard let members = document.root.value.members else {
      throw reader.refusal("", "it is no object", "an object with the policy's members")
    }
    if let duplicate = document.duplicates.first {
      throw reader.refusal(duplicate.pointer, "the member is stated twice", "each member once")
    }
    for member in members {
      let pointer = JSONPointer.child(member.key, of: "")
      switch member.key {
      case "$schema": continue
      case "serveLength": deployment.serveLength = try reader.length(pointer)
      case "targets": deployment.targets = try reader.texts(pointer, reader.runtime)
      case "features": deployment.features = Set(try reader.texts(pointer, reader.feature))
      case "launch": deployment.launches = try reader.texts(pointer) { text, _ in text }
      case "profile": profile = try reader.profile(pointer)
      case "severities": severities = try reader.dictionary(pointer, reader.severity)
      case "drafts": drafts = try reader.dictionary(pointer, reader.text)
      case "copies": copies = try reader.dictionary(pointer, reader.text)
      case "ignores": ignores = try reader.ignores(pointer)
      default:
        throw reader.refusal(
          pointer, "there is no such member",
          "serveLength, targets, features, launch, profile, severities, ignores, drafts, copies")
      }
    }
  }
}

/// Members of a policy as the values they should be.
private struct PolicyReader {
  let document: JSONDocument

  func refusal(_ pointer: String, _ found: String, _ expected: String) -> FileError {
    FileError(
      .badPolicy, at: document.location(of: pointer), found: found, expected: expected,
      remedy: "correct the policy; `yarn-patch lint --help` and README.md name its members")
  }

  func unusable(_ pointer: String, _ expected: String) -> FileError {
    refusal(pointer, document[pointer]?.value.phrase ?? "it is missing", expected)
  }

  func length(_ pointer: String) throws(FileError) -> Int {
    guard let length = document[pointer]?.value.number?.integer, length > 0 else {
      throw unusable(pointer, "a whole number of tokens")
    }
    return length
  }

  func text(_ pointer: String) throws(FileError) -> String {
    guard let text = document[pointer]?.value.string else { throw unusable(pointer, "text") }
    return text
  }

  func texts<Value>(
    _ pointer: String, _ read: (String, String) throws(FileError) -> Value
  ) throws(FileError) -> [Value] {
    guard let elements = document[pointer]?.value.elements else { throw unusable(pointer, "a list of texts") }
    var values: [Value] = []
    for index in elements.indices { values.append(try read(try text("\(pointer)/\(index)"), "\(pointer)/\(index)")) }
    return values
  }

  func dictionary<Value>(
    _ pointer: String, _ read: (String) throws(FileError) -> Value
  ) throws(FileError) -> [String: Value] {
    guard let members = document[pointer]?.value.members else { throw unusable(pointer, "an object") }
    var values: [String: Value] = [:]
    for member in members { values[member.key] = try read(JSONPointer.child(member.key, of: pointer)) }
    return values
  }

  func runtime(_ name: String, at pointer: String) throws(FileError) -> Runtime {
    do throws(UnknownRuntime) { return try Runtime.named(name) } catch {
      throw refusal(pointer, error.description, "a runtime's name")
    }
  }

  func feature(_ name: String, at pointer: String) throws(FileError) -> Deployment.Feature {
    guard let feature = Deployment.Feature(rawValue: name) else {
      throw unusable(pointer, Deployment.Feature.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return feature
  }

  func profile(_ pointer: String) throws(FileError) -> LintProfile {
    let name = try text(pointer)
    do throws(UnknownRuntime) { return try LintProfile(name) } catch {
      throw unusable(pointer, "portable, strict, advisory, or a runtime's name")
    }
  }

  func severity(_ pointer: String) throws(FileError) -> Severity? {
    guard Rule.all.contains(where: { JSONPointer.child($0.id, of: "/severities") == pointer }) else {
      throw refusal(pointer, "there is no such rule", "an id that `yarn-patch rules` lists")
    }
    let name = try text(pointer)
    if name == "off" { return nil }
    guard let severity = Severity(rawValue: name) else { throw unusable(pointer, "off, note, warning or error") }
    return severity
  }

  func ignores(_ pointer: String) throws(FileError) -> [LintPolicy.Ignore] {
    guard let elements = document[pointer]?.value.elements else { throw unusable(pointer, "a list of objects") }
    var ignores: [LintPolicy.Ignore] = []
    for index in elements.indices {
      let place = "\(pointer)/\(index)"
      guard let members = document[place]?.value.members else { throw unusable(place, "an object") }
      var ignore = LintPolicy.Ignore(rules: [], paths: [], reason: "")
      for member in members {
        let inner = JSONPointer.child(member.key, of: place)
        switch member.key {
        case "rules": ignore.rules = try texts(inner) { text, _ in text }
        case "paths": ignore.paths = try texts(inner) { text, _ in text }
        case "reason": ignore.reason = try text(inner)
        default: throw refusal(inner, "there is no such member", "rules, paths and reason")
        }
      }
      guard !ignore.reason.isEmpty else {
        throw refusal(place, "it gives no reason", "a reason, for those who read it")
      }
      ignores.append(ignore)
    }
    return ignores
  }
}
