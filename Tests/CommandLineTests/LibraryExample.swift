// The README's example, compiled: the part between the marks is compared with README.md letter for letter.

// README begin
import PatchPlanning
import YarnPatch

func extend(_ path: String) throws -> String {
  let before = try inspect(path)
  guard let window = before.model.primary?.declaration?.contextLength else { return "no window is stated" }
  let outcome = try patch(path, PatchRequest(reach: .factor(4)))
  let checks = outcome.verification?.checks.count { $0.passed } ?? 0
  return "from \(window.value) to \(outcome.plan.settings.window) tokens, \(checks) checks hold"
}
// README end
