import Diagnostics
import LosslessJSON

/// Text out of a file, for a terminal to show and not to obey: one line without control characters.
///
/// Controls, line breaks and invisible formatting are spelled as in Swift, `\n` or `\u{1B}`.
public func printable(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    if scalar.isHidden { result += scalar.escaped(asASCII: true) } else { result.unicodeScalars.append(scalar) }
  }
  return result
}

/// The lines of a text as one line, without their indentation.
func oneLine(_ text: String, separator: String) -> String {
  text.split { $0.isNewline }.map { $0.drop { $0.isWhitespace } }.joined(separator: separator)
}

extension FileError {
  /// The same error with every part of it safe to print: names and values in it can come from a hostile file.
  public var printable: FileError {
    var error = self
    error.location.path = Reporting.printable(location.path)
    error.location.key = location.key.map(Reporting.printable)
    error.found = Reporting.printable(found)
    error.expected = Reporting.printable(expected)
    error.remedy = Reporting.printable(remedy)
    return error
  }
}
