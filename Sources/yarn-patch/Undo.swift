import ArgumentParser
import Diagnostics
import Reporting
import YarnPatch

struct Undo: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "undo", abstract: "Restores the exact bytes before the newest patch.")

  @Argument(help: "The model, as it was named to patch.") var model: String
  @Flag(help: "Compare all of the data with the record, not samples, where the patch read it all.") var full = false
  @OptionGroup var output: OutputOptions

  func run() throws {
    let restored: [RestoredFile]
    do throws(FileError) { restored = try undoPatch(model, full: full) } catch { throw error.exit }
    try printRestored(restored, output.detail)
  }
}

/// Prints a line for each file, and the notes to standard error.
func printRestored(_ files: [RestoredFile], _ detail: ReportDetail) throws {
  try printResult(files.map { "\(printable($0.path)): restored\n" }.joined())
  guard detail != .quiet else { return }
  for file in files { for note in file.notes { printError("yarn-patch: \(printable("\(file.path): \(note)"))") } }
}
