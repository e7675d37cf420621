import LosslessJSON
import YarnPatch

/// How much a text report says beside its result.
public enum ReportDetail: Sendable { case quiet, normal, verbose }

/// `verify`: what was proven, with measured values and bounds.
public enum VerifyReport {
  public static func json(_ verification: Verification) -> String {
    var members: [(key: String, value: JSONText)] = [
      ("schema", .string("yarn-patch.verify/1")), ("passed", .bool(verification.passed)),
      ("checks", .array(verification.checks.map(check))),
      ("information", .array(verification.information.map(JSONText.string))),
    ]
    if let agreement = verification.agreement { members.append(("agreement", AgreementReport.json(agreement))) }
    if let firstLayer = verification.firstLayer { members.append(("weights", FirstLayerReport.json(firstLayer))) }
    if !verification.attention.isEmpty {
      members.append(("attention", .array(verification.attention.map(AttentionReport.json))))
    }
    if !verification.attentionDifferences.isEmpty {
      members.append(("runtimesAttention", .array(verification.attentionDifferences.map(AttentionReport.json))))
    }
    return JSONText.object(members).pretty() + "\n"
  }

  private static func check(_ check: Check) -> JSONText {
    .object([
      ("id", .string(check.id)), ("title", .string(check.title)), ("passed", .bool(check.passed)),
      ("measured", .optional(check.measured)), ("bound", .optional(check.bound)), ("unit", .optional(check.unit)),
      ("detail", .optional(check.detail)),
    ])
  }

  /// - Parameter detail: When verbose, each check of each file has a line of its own with the place it was measured at;
  ///   otherwise checks of the same name share a line that shows the worst of them.
  public static func text(_ verification: Verification, detail: ReportDetail = .normal) -> String {
    let passed = verification.checks.count { $0.passed }
    var result =
      "\(printable(verification.path)): \(verification.passed ? "verified" : "FAILED"), \(passed) of \(verification.checks.count) checks hold\n"
    let shown = detail == .verbose ? verification.checks : worst(verification.checks)
    result += columns(
      shown.map { check in
        let saysWhere = detail == .verbose || !check.passed || check.bound == nil
        let place = saysWhere ? check.detail.map { " (\(oneLine($0, separator: "; ")))" } : nil
        return [check.passed ? "ok" : "FAILED", numbers(check), check.title + (place ?? "")]
      })
    if detail != .quiet { result += columns(verification.information.map { ["note", $0] }) }
    result += verification.attention.map(AttentionReport.text).joined()
    if let agreement = verification.agreement { result += AgreementReport.text(agreement) }
    if let firstLayer = verification.firstLayer { result += FirstLayerReport.text(firstLayer, detail: detail) }
    return result
  }

  /// Measured value, bound and unit, as far as there are any.
  private static func numbers(_ check: Check) -> String {
    guard let measured = check.measured else { return "" }
    let bound = check.bound.map { " ≤ \(significant($0, 3))" } ?? ""
    return "\(significant(measured, 3))\(bound) \(check.unit ?? "")"
  }

  /// One check of each name, in order: a failed one, else the one nearest to its bound.
  private static func worst(_ checks: [Check]) -> [Check] {
    var result: [Check] = []
    for check in checks {
      guard let index = result.firstIndex(where: { $0.id == check.id }) else {
        result.append(check)
        continue
      }
      let other = result[index]
      if other.passed, !check.passed || other.nearness < check.nearness { result[index] = check }
    }
    return result
  }
}

extension Check {
  /// Measured value over bound; at the bound the check is about to fail.
  fileprivate var nearness: Double {
    guard let measured, let bound, bound > 0 else { return 0 }
    return measured / bound
  }
}
