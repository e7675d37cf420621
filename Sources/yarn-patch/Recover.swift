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
    let recovery: Recovery
    do throws(FileError) { recovery = try recoverModel(model) } catch { throw error.exit }
    switch recovery {
    case .nothing: try printResult("\(printable(model)): nothing to recover\n")
    case .rolledBack(let files):
      try printResult("\(printable(model)): an interrupted patch was rolled back\n")
      try printRestored(files, output.detail)
    case .finishedUndo(let files):
      try printResult("\(printable(model)): an interrupted undo was finished\n")
      try printRestored(files, output.detail)
    }
  }
}

/// Says on standard error when a change of the model was interrupted: what is read from it then says little.
func warnOfInterruptedChange(of model: String) {
  if let error = interruptedChange(of: model) { printError("yarn-patch: warning: \(error.printable)") }
}
