import LosslessJSON
import YarnPatch

/// `verify`: what was proven, with measured values and bounds.
public enum VerifyReport {
  public static func json(_ verification: Verification) -> String {
    JSONText.object([
      ("schema", .string("yarn-patch.verify/1")), ("passed", .bool(verification.passed)),
      ("checks", .array(verification.checks.map(check))),
      ("information", .array(verification.information.map(JSONText.string))),
    ]).pretty() + "\n"
  }

  private static func check(_ check: Check) -> JSONText {
    .object([
      ("id", .string(check.id)), ("title", .string(check.title)), ("passed", .bool(check.passed)),
      ("measured", .optional(check.measured)), ("bound", .optional(check.bound)), ("unit", .optional(check.unit)),
      ("detail", .optional(check.detail)),
    ])
  }

  /// - Parameter isVerbose: Whether to say for each check where it was measured, not only for failed ones.
  public static func text(_ verification: Verification, isVerbose: Bool = false) -> String {
    let passed = verification.checks.count { $0.passed }
    var result =
      "\(verification.path): \(verification.passed ? "verified" : "FAILED"), \(passed) of \(verification.checks.count) checks hold\n"
    result += columns(
      verification.checks.map { check in
        let numbers = check.measured.map {
          "\(significant($0, 3)) ≤ \(significant(check.bound ?? .nan, 3)) \(check.unit ?? "")"
        }
        let detail = isVerbose || !check.passed || check.measured == nil ? check.detail : nil
        return [
          check.passed ? "ok" : "FAILED", check.title, [numbers, detail].compactMap { $0 }.joined(separator: "; "),
        ]
      })
    result += columns(verification.information.map { ["note", $0] })
    return result
  }
}
