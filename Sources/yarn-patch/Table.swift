import ArgumentParser
import Diagnostics
import Reporting
import Runtimes
import YarnPatch

extension FileError.Code {
  /// No runtime asked for computes a table from the files.
  static let noTable: Self = "no-table"
}

struct Table: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "table",
    abstract: "Prints the frequency table that runtimes compute from a model's files.")

  @Argument(help: "A model: a file or a folder.") var model: String
  @Option(
    parsing: .singleValue,
    help: ArgumentHelp("Whose reading to print, \(RuntimeChoice.help)", valueName: "runtime"))
  var runtime: [String] = [Formula.name]
  @Option(help: ArgumentHelp("Length for kinds whose table depends on it, in tokens.", valueName: "n"))
  var sequenceLength: Int?
  @Option(help: ArgumentHelp("Only layers of this kind.", valueName: "label")) var layerType: String?
  @Option(help: "text, json, csv, or svg for a plot.") var format = TableFormat.text
  @OptionGroup var output: OutputOptions

  func validate() throws {
    _ = try RuntimeChoice(runtime)
    try checkLength(sequenceLength, "--sequence-length")
  }

  func run() throws {
    warnOfInterruptedChange(of: model)
    let choice = try RuntimeChoice(runtime)
    let readings: [RuntimeReading]
    do throws(FileError) {
      readings = try tables(model, runtimes: choice, sequenceLength: sequenceLength, layerType: layerType)
    } catch { throw error.exit }
    switch format {
    case .json: try printResult(TableReport.json(readings, model: model))
    case .csv: try printResult(TableReport.csv(readings))
    case .svg: try printResult(SpectrumPlot.svg(readings, model: model))
    case .text: try printResult(TableReport.text(readings))
    }
    guard readings.contains(where: { $0.table != nil }) else {
      throw FileError(
        .noTable, at: SourceLocation(path: model),
        found: readings.first?.refused?.reason ?? readings.first?.notes.last?.message ?? "no settings are stated",
        expected: "settings from which a table follows", remedy: "see with inspect what the files state, and correct it"
      ).exit
    }
  }
}
