import ArgumentParser
import Glibc
import Reporting

/// Options of every subcommand.
struct OutputOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Print no notes and no progress.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Print where each check was measured.")
  var verbose = false

  var detail: ReportDetail { quiet ? .quiet : verbose ? .verbose : .normal }
}

enum ReportFormat: String, ExpressibleByArgument, CaseIterable { case text, json }
enum TableFormat: String, ExpressibleByArgument, CaseIterable { case text, json, csv }

/// Prints a result to standard output.
func printResult(_ text: String) { write(text, to: STDOUT_FILENO) }

func printError(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

/// Writes all of the text, or gives up when the reader has gone.
private func write(_ text: String, to file: Int32) {
  var text = text
  text.withUTF8 { bytes in
    var rest = UnsafeRawBufferPointer(bytes)
    while let start = rest.baseAddress, !rest.isEmpty {
      let count = Glibc.write(file, start, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
  }
}
