import ArgumentParser
import YarnPatch

extension ExitCode {
  /// The answer is "no": verification failed, or a patch is needed with `--check`.
  static let no = ExitCode(1)
  /// Unreadable, malformed or unsupported input, a refused edit, an I/O failure.
  static let couldNot = ExitCode(2)
}
