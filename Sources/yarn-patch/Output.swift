import ArgumentParser
import Diagnostics
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
enum VerifyFormat: String, ExpressibleByArgument, CaseIterable { case text, json, svg }
enum TableFormat: String, ExpressibleByArgument, CaseIterable { case text, json, csv, svg }

extension FileError.Code {
  /// The result could not be printed.
  static let output: Self = "output"
}

/// Prints a result to standard output.
///
/// - Throws: The exit code for "could not do it" when the text cannot be written. A reader that has gone, such as
///   `head`, is no error.
func printResult(_ text: String) throws(ExitCode) {
  let code = write(text, to: STDOUT_FILENO)
  guard code != 0, code != EPIPE else { return }
  throw FileError(
    .output, at: SourceLocation(path: "standard output"),
    found: "write failed: \(String(cString: strerror(code))) (errno \(code))", expected: "room for the result",
    remedy: "print it to another place; the command's work itself is done"
  ).exit
}

func printError(_ text: String) { _ = write(text + "\n", to: STDERR_FILENO) }

/// Writes all of the text.
///
/// - Returns: 0, or the error number when it could not.
private func write(_ text: String, to file: Int32) -> Int32 {
  var text = text
  return text.withUTF8 { bytes in
    var rest = UnsafeRawBufferPointer(bytes)
    while let start = rest.baseAddress, !rest.isEmpty {
      let count = Glibc.write(file, start, rest.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return count < 0 ? errno : EIO }
      rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    }
    return 0
  }
}
