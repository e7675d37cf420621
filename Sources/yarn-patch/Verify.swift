import ArgumentParser
import Diagnostics
import Reporting
import YarnPatch

enum AttentionLevel: String, ExpressibleByArgument, CaseIterable { case off, quick }

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Proves a model's settings: tables by two routes, YaRN's promises, and rotated attention.",
    discussion: "Exits with 1 when a check fails.")

  @Argument(help: "A model: a file or a folder.") var model: String
  @Option(help: ArgumentHelp("Another model with the same weights and other metadata.", valueName: "model"))
  var against: String?
  @Option(help: ArgumentHelp("JSON with expected members of inspect's rope object.", valueName: "file"))
  var expect: String?
  @Option(
    parsing: .singleValue,
    help: ArgumentHelp("Whose tables must agree, \(RuntimeChoice.help)", valueName: "runtime"))
  var runtime: [String] = []
  @Option(help: ArgumentHelp("Window that must be covered, in tokens.", valueName: "n")) var context: Int?
  @Option(help: "off or quick: whether to rotate and compare attention.") var attention = AttentionLevel.quick
  @Option(help: "text or json.") var format = ReportFormat.text
  @OptionGroup var output: OutputOptions

  func validate() throws {
    _ = try RuntimeChoice(runtime)
    if let context, context < 1 { throw ValidationError("--context must be at least 1") }
  }

  func run() throws {
    for model in [model, against].compactMap({ $0 }) { warnOfInterruptedChange(of: model) }
    let choice = try RuntimeChoice(runtime)
    let verification: Verification
    do throws(FileError) {
      var options = VerifyOptions()
      options.against = against
      options.expect = expect
      options.context = context
      if !runtime.isEmpty { options.runtimes = choice }
      options.checksAttention = attention != .off
      verification = try verify(model, options)
    } catch { throw error.exit }
    try printResult(
      format == .json ? VerifyReport.json(verification) : VerifyReport.text(verification, detail: output.detail))
    if !verification.passed { throw ExitCode.no }
  }
}
