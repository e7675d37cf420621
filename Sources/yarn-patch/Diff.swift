import ArgumentParser
import Diagnostics
import Reporting
import YarnPatch

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compares what two models state and what runtimes compute from them.",
    discussion: """
      For a config.json and the GGUF made from it, a draft model and its target, a base and its quantised copy. A runtime \
      that reads only one of the two is compared with the one that serves the other. Exits with 1 when a runtime \
      computes different tables, magnitudes or windows.
      """)

  @Argument(help: "The model to compare with.") var first: String
  @Argument(help: "The model that is judged.") var second: String
  @Option(
    parsing: .singleValue,
    help: ArgumentHelp("Whose tables to compare, \(RuntimeChoice.help)", valueName: "runtime"))
  var runtime: [String] = ["all"]
  @Option(help: "text or json.") var format = ReportFormat.text
  @OptionGroup var output: OutputOptions

  func validate() throws { _ = try RuntimeChoice(runtime) }

  func run() throws {
    for model in [first, second] { warnOfInterruptedChange(of: model) }
    let choice = try RuntimeChoice(runtime)
    let difference: ModelDifference
    do throws(FileError) { difference = try diff(first, second, runtimes: choice) } catch { throw error.exit }
    try printResult(format == .json ? DiffReport.json(difference) : DiffReport.text(difference))
    if !difference.isSame { throw ExitCode.no }
  }
}
