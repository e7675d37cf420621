import ArgumentParser
import Diagnostics
import Reporting
import YarnPatch

struct Recover: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recover",
    abstract: "Ends a change that a crash interrupted: rolls a patch back, or finishes an undo.")

  @Argument(help: "The model, as it was named to patch.") var model: String
  @OptionGroup var output: OutputOptions

  func run() throws {
    var failure: ExitCode?
    var isIdle = true
    for recovery in recoverModel(model) {
      if case .kept = recovery {} else { isIdle = false }
      switch recovery {
      case .rolledBack(let model, let files):
        try printResult("\(printable(model)): an interrupted patch was rolled back\n")
        try printRestored(files, output.detail)
      case .finishedUndo(let model, let files):
        try printResult("\(printable(model)): an interrupted undo was finished\n")
        try printRestored(files, output.detail)
      case .failed(let error): failure = error.exit
      case .removed(let path): try printResult("\(printable(path)): removed, an interrupted run had left it\n")
      case .kept(let path):
        printError("yarn-patch: \(printable(path)): left by an interrupted run; no file has its name, so it stays")
      }
    }
    if isIdle { try printResult("\(printable(model)): nothing to recover\n") }
    if let failure { throw failure }
  }
}

/// Says on standard error when a change of the model was interrupted: what is read from it then says little.
func warnOfInterruptedChange(of model: String) {
  if let error = interruptedChange(of: model) { printError("yarn-patch: warning: \(error.printable)") }
}
