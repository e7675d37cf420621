import ArgumentParser
import Diagnostics
import PatchPlanning
import Reporting
import Runtimes
import YarnPatch

extension PatchMethod: ExpressibleByArgument {}
extension PatchEncoding: ExpressibleByArgument {}

struct Patch: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "patch",
    abstract: "Rewrites the scaling entries, verifies the result, and keeps a record to undo it.")

  @Argument(help: "A model: a file or a folder.") var model: String
  @Option(help: ArgumentHelp("Multiply the original window by this.", valueName: "f")) var factor: Double?
  @Option(help: ArgumentHelp("Use the smallest factor whose window holds this many tokens.", valueName: "n"))
  var context: Int?
  @Option(help: ArgumentHelp("Length the model was trained on, where the files do not say it.", valueName: "n"))
  var originalContext: Int?
  @Option(help: "yarn, linear, ntk, ntk-by-parts, dynamic, or none to remove the scaling.") var method = PatchMethod
    .yarn
  @Option(help: ArgumentHelp("State this RoPE base.", valueName: "b")) var base: Double?
  @Option(help: ArgumentHelp("Rotations above which a pair keeps its frequency.", valueName: "x")) var betaFast: Double?
  @Option(help: ArgumentHelp("Rotations below which a pair is interpolated.", valueName: "x")) var betaSlow: Double?
  @Option(help: ArgumentHelp("Final magnitude of cos and sin.", valueName: "a")) var attentionFactor: Double?
  @Option(help: ArgumentHelp("Magnitude as a multiple of the logarithm's term.", valueName: "x")) var mscale: Double?
  @Option(help: ArgumentHelp("Divisor of the mscale magnitude.", valueName: "y")) var mscaleAllDim: Double?
  @Flag(inversion: .prefixedNo, help: "Round the ramp's bounds to whole pairs.") var truncate: Bool?
  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "Who is to compute what is asked, once for each; all, the default, for every serving runtime that reads the files.",
      valueName: "runtime"))
  var runtime: [String] = []
  @Option(help: ArgumentHelp("Object of config.json that holds the language model.", valueName: "pointer"))
  var section: String?
  @Option(
    help: """
      How a GGUF says it: keys; factors, a divisor for each pair, which some architectures of llama.cpp load; auto, \
      factors where keys cannot say it.
      """)
  var encoding = PatchEncoding.keys
  @Option(help: ArgumentHelp("Trained lengths of models, before the ones built in.", valueName: "file"))
  var knownModels: String?
  @Option(name: .shortAndLong, help: ArgumentHelp("Write a patched copy here.", valueName: "path")) var output: String?
  @Flag(help: "Print the plan, write nothing.") var dryRun = false
  @Flag(help: "Print the plan as a unified diff, write nothing.") var diff = false
  @Flag(help: "Write nothing; exit with 1 when a patch is needed.") var check = false
  @Option(help: ArgumentHelp("Save the plan here for review, write nothing else; apply makes it.", valueName: "file"))
  var savePlan: String?
  @Flag(help: "Keep no record to undo the patch.") var noUndo = false
  @Option(parsing: .singleValue, help: ArgumentHelp("Take on a refusal by its rule id.", valueName: "id"))
  var allow: [String] = []
  @Option(help: "text or json.") var format = ReportFormat.text
  @OptionGroup var printing: OutputOptions

  func validate() throws {
    _ = try RuntimeChoice(runtime)
    if factor != nil && context != nil { throw ValidationError("give --factor or --context, not both") }
    if attentionFactor != nil && mscale != nil {
      throw ValidationError("give --attention-factor or --mscale, not both")
    }
    if mscaleAllDim != nil && mscale == nil { throw ValidationError("--mscale-all-dim needs --mscale") }
    if method == .none && (factor != nil || context != nil) {
      throw ValidationError("--method none removes the scaling and takes neither --factor nor --context")
    }
    if savePlan != nil && (output != nil || noUndo) {
      throw ValidationError("give --output and --no-undo to apply, which makes the patch")
    }
    if method != .none && factor == nil && context == nil { throw ValidationError("give --factor or --context") }
    try checkUsage(request)
  }

  /// What is asked, without what further files say.
  private var request: PatchRequest {
    var request = PatchRequest(
      method, reach: factor.map(PatchRequest.Reach.factor) ?? context.map(PatchRequest.Reach.context))
    request.originalContext = originalContext
    request.base = base
    request.betaFast = betaFast
    request.betaSlow = betaSlow
    request.attentionFactor = attentionFactor
    request.mscale = mscale
    request.mscaleAllDim = mscaleAllDim
    request.truncate = truncate
    request.encoding = encoding
    request.section = section
    request.allowed = Set(allow)
    return request
  }

  func run() throws {
    let choice = try RuntimeChoice(runtime)
    let isPlan = dryRun || diff || check || savePlan != nil
    let outcome: PatchOutcome
    do throws(FileError) {
      var request = request
      if case .named(let runtimes) = choice, !runtimes.isEmpty { request.runtimes = runtimes }
      if let knownModels { request.knownModels = try YarnPatch.knownModels(knownModels) }
      if let savePlan {
        outcome = try YarnPatch.savePlan(model, request, to: savePlan)
      } else if isPlan {
        outcome = try planPatch(model, request, output: output)
      } else {
        outcome = try patch(model, request, output: output, keepsUndo: !noUndo)
      }
    } catch { throw error.exit }
    if format == .json {
      try printResult(PatchReport.json(outcome))
    } else if diff {
      try printResult(PatchReport.diff(outcome))
    } else {
      try printResult(PatchReport.text(outcome, isPlan: isPlan, model: output ?? model, detail: printing.detail))
      if let savePlan, !printing.quiet {
        try printResult("saved; make it with: yarn-patch apply \(printable(savePlan))\n")
      }
    }
    if check, !outcome.plan.changesNothing { throw ExitCode.no }
  }
}
