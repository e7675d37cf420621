import ArgumentParser
import Diagnostics
import Glibc
import Linting
import Reporting
import Runtimes
import YarnPatch

enum LintFormat: String, ExpressibleByArgument, CaseIterable { case text, json, sarif, github, junit }
extension Severity: ExpressibleByArgument {}

struct Lint: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Looks for what will go wrong at deployment, and fixes it.",
    discussion: """
      PATH is a model, a folder with models at any depth, a Hugging Face hub cache or an Ollama folder. .gitignore is \
      respected. A policy is read from .yarn-patch.json in the model's folder or the nearest one above. Exits with 1 when \
      a finding is at or above the threshold.
      """)

  @Argument(help: ArgumentHelp("Files and folders to look at.", valueName: "path")) var paths: [String]
  @Option(help: ArgumentHelp("Longest sequence that will be served, in tokens.", valueName: "n")) var serveLength: Int?
  @Option(
    help: ArgumentHelp(
      "portable, strict (warnings fail), advisory (nothing fails), or a runtime: only what concerns it fails.",
      valueName: "profile"))
  var profile: String?
  @Option(help: ArgumentHelp("Rules to run, by id or its beginning: YP2,YP401.", valueName: "ids")) var select: String?
  @Option(help: ArgumentHelp("Rules to leave out, likewise.", valueName: "ids")) var ignore: String?
  @Flag(help: "Make the fixes that keep the meaning of the files.") var fix = false
  @Flag(help: "With --fix, also those that change what runtimes do.") var unsafeFixes = false
  @Flag(help: "Show the fixes as a difference and make none; exits with 1 when there are some.") var diff = false
  @Option(help: ArgumentHelp("Findings to accept.", valueName: "file")) var baseline: String?
  @Option(
    help: ArgumentHelp(
      "Write the findings as a baseline; one that is there only loses what is no longer found.", valueName: "file"))
  var writeBaseline: String?
  @Option(help: "The least severity that fails: error, warning or note.") var failOn: Severity?
  @Option(help: ArgumentHelp("The model that these are quantised or merged copies of.", valueName: "model"))
  var base: String?
  @Option(help: ArgumentHelp("The model that these draft for.", valueName: "model")) var target: String?
  @Option(
    parsing: .singleValue,
    help: ArgumentHelp("A command line that starts a server, to check its overrides; repeats.", valueName: "command"))
  var launch: [String] = []
  @Option(help: "text, json, sarif, github (annotations) or junit.") var format = LintFormat.text
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard !paths.isEmpty else { throw ValidationError("name a file or a folder to look at") }
    try checkLength(serveLength, "--serve-length")
    if unsafeFixes, !fix, !diff { throw ValidationError("--unsafe-fixes goes with --fix or --diff") }
    if fix, diff { throw ValidationError("--diff shows what --fix would make; give one of the two") }
    _ = try chosenProfile()
    _ = try (ids(select), ids(ignore))
  }

  func run() throws {
    var options = LintOptions()
    options.serveLength = serveLength
    options.profile = try chosenProfile()
    (options.selected, options.ignored) = (try ids(select), try ids(ignore))
    (options.baseline, options.newBaseline) = (baseline, writeBaseline)
    options.fixing = fix || diff ? fixes : nil
    options.plansOnly = diff
    (options.original, options.target, options.launches) = (base, target, launch)
    options.failOn = failOn
    options.needsReplacements = format == .sarif
    var reporter = reporter
    var text = reporter.beginning()
    var unprinted: ExitCode?
    let summary: LintSummary
    do throws(FileError) {
      summary = try lint(paths, options) { result in
        text += reporter.text(of: result)
        if let refusal = result.refusal { printError("yarn-patch: \(refusal.printable)") }
        // In pieces, so that thousands of models take no more memory than one.
        guard text.utf8.count > 1 << 16, unprinted == nil else { return }
        do throws(ExitCode) { try printResult(text) } catch { unprinted = error }
        text = ""
      }
    } catch { throw error.exit }
    if let unprinted { throw unprinted }
    try printResult(text + reporter.ending(summary))
    if !output.quiet {
      for remark in summary.remarks { printError("yarn-patch: \(printable(remark))") }
    }
    if summary.refusals > 0 { throw ExitCode.couldNot }
    if summary.fails || diff && summary.fixed > 0 { throw ExitCode.no }
  }

  private var fixes: Fix.Safety { unsafeFixes ? .unsafe : .safe }

  private var reporter: any LintReporter {
    switch format {
    case .text:
      let isColoured = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil
      return LintText(detail: output.detail, isColoured: isColoured, showingDifferences: diff ? fixes : nil)
    case .json: return LintJSON()
    case .sarif: return LintSARIF()
    case .github: return LintGitHub()
    case .junit: return LintJUnit(failing: failOn ?? (try? chosenProfile()).map(\.failing) ?? .error)
    }
  }

  private func chosenProfile() throws -> LintProfile? {
    guard let profile else { return nil }
    do throws(UnknownRuntime) { return try LintProfile(profile) } catch {
      throw ValidationError("--profile: \(error); or portable, strict, advisory")
    }
  }

  /// Ids separated by commas, each the beginning of a rule's.
  private func ids(_ text: String?) throws -> [String] {
    let ids = (text ?? "").split(separator: ",").map { $0.drop { $0 == " " }.uppercased() }
    for id in ids where Linting.Rule.named(id).isEmpty {
      throw ValidationError("there is no rule \(id); `yarn-patch rules` lists them")
    }
    return ids
  }
}
