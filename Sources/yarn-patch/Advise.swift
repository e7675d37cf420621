import ArgumentParser
import Diagnostics
import PatchPlanning
import Reporting
import YarnPatch

struct Advise: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Says what it takes for a model to serve a length: factor, stages, memory, costs, runtimes.",
    discussion: """
      Reads the files' headers and writes nothing; every number is from the files. Memory at 8 bits leaves out the \
      scales that such caches keep. Exits with 1 when no scaling that this program writes reaches the length.
      """)

  @Argument(help: "A model: a file or a folder.") var model: String
  @Option(help: ArgumentHelp("The length to serve, in tokens.", valueName: "n")) var context: Int
  @Option(help: ArgumentHelp("Length the model was trained on, where the files do not say it.", valueName: "n"))
  var originalContext: Int?
  @Option(help: ArgumentHelp("RoPE base, where the files do not state it.", valueName: "b")) var base: Double?
  @Option(help: "text or json.") var format = ReportFormat.text
  @OptionGroup var output: OutputOptions

  func validate() throws {
    var request = PatchRequest(reach: .context(context))
    request.originalContext = originalContext
    request.base = base
    try checkUsage(request)
  }

  func run() throws {
    warnOfInterruptedChange(of: model)
    let advice: Advice
    do throws(FileError) {
      advice = try advise(model, context: context, originalContext: originalContext, base: base)
    } catch { throw error.exit }
    try printResult(format == .json ? AdviceReport.json(advice) : AdviceReport.text(advice, detail: output.detail))
    if advice.verdict == .unreachable { throw ExitCode.no }
  }
}
