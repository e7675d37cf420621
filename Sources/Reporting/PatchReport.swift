import LosslessJSON
import PatchPlanning
import YarnPatch

/// `patch`: what was changed or would be.
public enum PatchReport {
  public static func json(_ outcome: PatchOutcome) -> String {
    JSONText.object([
      ("schema", .string("yarn-patch.patch/1")), ("changed", .bool(!outcome.plan.changesNothing)),
      ("strategy", .string(outcome.strategy)), ("files", .array(outcome.files.map(file))),
      ("runtimes", .array(outcome.plan.runtimes.map { .string($0.name) })),
      ("undo", .optional(outcome.undo)), ("verified", .optional(outcome.verification?.passed)),
      ("notes", .array(notes(outcome).map(JSONText.string))),
    ]).pretty() + "\n"
  }

  private static func file(_ file: PatchOutcome.File) -> JSONText {
    .object([
      ("path", .string(file.path)), ("bytesWritten", .raw("\(file.bytesWritten)")),
      ("sizeBefore", .raw("\(file.sizeBefore)")), ("sizeAfter", .raw("\(file.sizeAfter)")),
      ("changes", .array(file.changes.map(\.json))),
    ])
  }

  private static func notes(_ outcome: PatchOutcome) -> [String] {
    outcome.plan.notes + outcome.files.flatMap(\.notes)
  }

  /// - Parameters:
  ///   - isPlan: Nothing was written.
  ///   - model: Its path as the user would name it to undo.
  ///   - detail: How much to say beside the result.
  public static func text(
    _ outcome: PatchOutcome, isPlan: Bool, model: String, detail: ReportDetail = .normal
  ) -> String {
    let settings = outcome.plan.settings
    guard !outcome.plan.changesNothing else {
      return "\(printable(model)): nothing to change, the files already state \(summary(settings))\n"
    }
    var result = "\(isPlan ? "plan: " : "")\(summary(settings))\n"
    for file in outcome.files where !file.changes.isEmpty {
      let size =
        file.sizeAfter == file.sizeBefore
        ? "same size" : "\(file.sizeBefore) → \(file.sizeAfter) bytes"
      result += "\(printable(file.path)): \(size), \(file.strategy)\n"
      result += columns(
        file.changes.map { change in
          let before = change.before.map { oneLine($0, separator: " ") }
          return [change.at, "\(before ?? "(absent)") → \(change.after ?? "(removed)")"]
        })
    }
    let runtimes = outcome.plan.runtimes.map(\.name).joined(separator: ", ")
    if !runtimes.isEmpty { result += "checked for \(runtimes)\n" }
    if detail != .quiet { result += columns(notes(outcome).map { ["note", $0] }) }
    if let verification = outcome.verification { result += VerifyReport.text(verification, detail: detail) }
    if outcome.undo != nil, detail != .quiet {
      result += "take it back with: yarn-patch undo \(printable(model))\n"
    }
    return result
  }

  private static func summary(_ settings: RoPESettings) -> String {
    let window = "\(settings.originalContext) → \(settings.window) tokens"
    return switch settings.method {
    case .none: "no scaling, window \(settings.window) tokens"
    case .ntk: "ntk ×\(significant(settings.factor)), base \(significant(settings.base, 8)), \(window)"
    default: "\(settings.method.rawValue) ×\(significant(settings.factor)), \(window)"
    }
  }

  /// A unified diff of JSON texts, and of the keys that change in a GGUF's metadata.
  public static func diff(_ outcome: PatchOutcome) -> String { diff(outcome.plan.files) }

  static func diff(_ files: [FilePlan]) -> String {
    files.filter { !$0.changes.isEmpty }.map { file in
      if let texts = file.texts { return unifiedDiff(old: texts.old, new: texts.new, path: file.path) }
      var result = diffHeading(file.path)
      for change in file.changes {
        if let before = change.before { result += printable("-\(change.at) = \(before)") + "\n" }
        if let after = change.after { result += printable("+\(change.at) = \(after)") + "\n" }
      }
      return result
    }.joined()
  }
}
