import ArgumentParser
import Diagnostics
import Reporting
import YarnPatch

@main
struct YarnPatchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "yarn-patch",
    abstract: "Reads, validates, rewrites and proves a model's RoPE scaling (YaRN).",
    discussion: """
      MODEL is a GGUF file (any shard of a split set), a .safetensors file, a model.safetensors.index.json, a \
      config.json, or a folder holding these.

      Exit codes: 0 done, nothing to report; 1 the answer is "no"; 2 could not do it; 64 wrong usage.
      """,
    version: version,
    subcommands: [
      Inspect.self, Advise.self, Patch.self, Apply.self, Undo.self, Recover.self, Verify.self, Table.self, Diff.self,
      Report.self, Lint.self, Rules.self,
    ])
}

extension FileError {
  /// Prints the error and gives the exit code for "could not do it".
  var exit: ExitCode {
    printError("yarn-patch: \(printable)")
    return .couldNot
  }
}
