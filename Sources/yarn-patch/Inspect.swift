import ArgumentParser
import Diagnostics
import Reporting
import YarnPatch

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Says what a model's files declare, and where.")

  @Argument(help: "Models: files or folders.") var models: [String]
  @Option(help: "text or json.") var format = ReportFormat.text
  @Option(help: ArgumentHelp("List metadata whose key matches; * and ? stand for any characters.", valueName: "glob"))
  var metadata: String?
  @Flag(help: "List the tensors.") var tensors = false
  @OptionGroup var output: OutputOptions

  func run() throws {
    for model in models { warnOfInterruptedChange(of: model) }
    var inspections: [Inspection] = []
    do throws(FileError) {
      for model in models {
        let wanted = metadata.map { pattern in { (key: String) in matches(key, glob: pattern) } }
        inspections.append(try inspect(model, metadata: wanted, tensors: tensors))
      }
    } catch { throw error.exit }
    try printResult(
      format == .json ? InspectReport.json(inspections) : InspectReport.text(inspections, detail: output.detail))
  }
}
