import ArgumentParser
import Diagnostics
import YarnPatch

struct Undo: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Restores the exact bytes before the newest patch.")

  @Argument(help: "The model, as it was named to patch.") var model: String
  @OptionGroup var output: OutputOptions

  func run() throws {
    do throws(FileError) {
      for path in try undoPatch(model) { printResult("\(path): restored\n") }
    } catch { throw error.exit }
  }
}
