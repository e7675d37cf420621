import ArgumentParser
import Diagnostics
import Reporting
import YarnPatch

extension AttentionLevel: ExpressibleByArgument {}

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Proves a model's settings: tables by two routes, YaRN's promises, and rotated attention.",
    discussion: """
      Exits with 1 when a check fails, with 2 when all hold and the weights that --attention weights asks for cannot be \
      read.
      """)

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
  @Option(
    help: """
      How far attention itself is looked at; full adds curves by distance and length, weights the first layer's true \
      queries and keys.
      """)
  var attention = AttentionLevel.quick
  @Option(
    help: ArgumentHelp(
      "Tokens for --attention weights, separated by commas or spaces; pseudo-random ones otherwise.", valueName: "ids"))
  var tokens: String?
  @Option(help: "text, json, or svg for a plot of what --attention full or weights measures.") var format = VerifyFormat
    .text
  @OptionGroup var output: OutputOptions

  func validate() throws {
    _ = try RuntimeChoice(runtime)
    if format == .svg, attention == .off {
      throw ValidationError("--format svg draws what --attention full or weights measures, not off")
    }
    if tokens != nil, attention != .weights { throw ValidationError("--tokens are for --attention weights") }
    _ = try tokenList()
    try checkLength(context, "--context")
  }

  private func tokenList() throws -> [Int] {
    guard let tokens else { return [] }
    let list = try tokens.split { $0 == "," || $0.isWhitespace }.map { text in
      guard let token = Int(text), token >= 0 else {
        throw ValidationError("--tokens: \"\(text)\" is no token's number")
      }
      return token
    }
    guard !list.isEmpty else { throw ValidationError("--tokens names no token") }
    return list
  }

  func run() throws {
    let tokens = try tokenList()
    for model in [model, against].compactMap({ $0 }) { warnOfInterruptedChange(of: model) }
    let choice = try RuntimeChoice(runtime)
    let verification: Verification
    do throws(FileError) {
      var options = VerifyOptions()
      options.against = against
      options.expect = expect
      options.context = context
      options.tokens = tokens
      if !runtime.isEmpty { options.runtimes = choice }
      // A plot of curves needs them measured.
      options.attention = format == .svg && attention == .quick ? .full : attention
      verification = try verify(model, options)
    } catch { throw error.exit }
    switch format {
    case .json: try printResult(VerifyReport.json(verification))
    case .svg: try printResult(AttentionPlot.svg(verification))
    case .text: try printResult(VerifyReport.text(verification, detail: output.detail))
    }
    let couldNot = verification.firstLayer?.refusal?.exit
    // A check that failed is the answer, whatever else could not be looked at.
    if !verification.passed { throw ExitCode.no }
    if let couldNot { throw couldNot }
  }
}

extension Result {
  fileprivate var refusal: Failure? { if case .failure(let error) = self { error } else { nil } }
}
