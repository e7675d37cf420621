import ArgumentParser
import Diagnostics
import Reporting
import YarnPatch

struct Apply: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "apply",
    abstract: "Makes a patch that was saved as a plan.",
    discussion: """
      Plans anew and goes on only when the files are the ones that the plan was saved for and the new plan says what the \
      saved one says. The model's path stands in the plan, seen from the plan's folder.
      """)

  @Argument(help: "What patch --save-plan wrote.") var plan: String
  @Option(name: .shortAndLong, help: ArgumentHelp("Write a patched copy here.", valueName: "path")) var output: String?
  @Flag(help: "Say whether the plan can be applied, write nothing.") var dryRun = false
  @Flag(help: "Keep no record to undo the patch.") var noUndo = false
  @Option(help: "text or json.") var format = ReportFormat.text
  @OptionGroup var printing: OutputOptions

  func run() throws {
    let (outcome, model): (PatchOutcome, String)
    do throws(FileError) {
      let plan = try SavedPlan(plan)
      model = output ?? plan.model
      outcome = dryRun ? try plan.rehearse(output: output) : try plan.apply(output: output, keepsUndo: !noUndo)
    } catch { throw error.exit }
    try printResult(
      format == .json
        ? PatchReport.json(outcome)
        : PatchReport.text(outcome, isPlan: dryRun, model: model, detail: printing.detail))
  }
}
