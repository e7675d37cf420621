import ArgumentParser
import Diagnostics
import Reporting
import YarnPatch

struct Undo: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Restores the exact bytes before the newest patch.")

  @Argument(help: "The model, as it was named to patch.") var model: String
  @OptionGroup var output: OutputOptions

  func run() throws {
    let restored: [String]
    do throws(FileError) { restored = try undoPatch(model) } catch { throw error.exit }
    try printResult(restored.map { "\(printable($0)): restored\n" }.joined())
  }
}
