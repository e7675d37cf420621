import ArgumentParser
import Diagnostics
import HTMLReport
import YarnPatch

struct Report: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Writes a page that explains a model's positions, what a patch changes, and lets its reader turn every knob.",
    discussion: """
      One HTML file that needs nothing beside itself and asks nothing of the network. Reads the files' headers only.
      """)

  @Argument(help: "A model: a file or a folder.") var model: String
  @Option(
    help: ArgumentHelp(
      "The length to explain, in tokens; the window of a scaled model, four times that of another one by default.",
      valueName: "n"))
  var context: Int?
  @Option(
    help: ArgumentHelp(
      "Measurements to show: lines of setting,length,value below names of columns; # begins a line about their origin.",
      valueName: "file"))
  var series: String?
  @Option(name: .shortAndLong, help: ArgumentHelp("Write the page here, not to standard output.", valueName: "file"))
  var output: String?
  @OptionGroup var printing: OutputOptions

  func validate() throws {
    try checkLength(context, "--context")
  }

  func run() throws {
    warnOfInterruptedChange(of: model)
    let page: String
    do throws(FileError) {
      page = Page.html(try guide(model, context: context, series: series))
      if let output { try write(page: page, to: output) }
    } catch { throw error.exit }
    if output == nil { try printResult(page) }
  }
}
