import TestSupport
import Testing

/// Expects exit code 2 within the limits, a whole message, an empty standard output, and the folder as it was.
///
/// - Parameters:
///   - file: The file that the message must name; the second argument if `nil`.
///   - place: What must follow: an offset, a pointer or a key. Empty for a file that cannot be read at all.
///   - through: A program and its arguments that run the command, such as one that drops rights.
func expectRefusal(
  _ arguments: [String], in folder: ScratchFolder, file: String? = nil, at place: String = "", says words: String = "",
  limits: Command.Limits = .init(), through: [String] = [], _ test: Testing.SourceLocation = #_sourceLocation
) throws {
  let before = try folder.state()
  let outcome = try Command.run(
    (through + [Command.path])[0], (through + [Command.path]).dropFirst() + arguments, cwd: folder.path, limits: limits)
  #expect(outcome.exitCode == 2, "\(outcome.output)\(outcome.errors)", sourceLocation: test)
  #expect(outcome.output == "", sourceLocation: test)
  // One line with place and finding, one with the remedy; after a failed change one with the files' state.
  let lines = outcome.errors.split(separator: "\n", omittingEmptySubsequences: false)
  let hasState = lines.count == 4 && lines[2].hasPrefix("  the files: ")
  #expect(lines.count == 3 || hasState, "\(outcome.errors)", sourceLocation: test)
  #expect(lines.last == "", sourceLocation: test)
  #expect(
    lines[0].hasPrefix("yarn-patch: \(file ?? arguments[1]): "), "\(outcome.errors)", sourceLocation: test)
  #expect(place.isEmpty || lines[0].contains(place), "\(outcome.errors)", sourceLocation: test)
  #expect(lines[0].contains(", expected "), sourceLocation: test)
  #expect(lines.dropFirst().first?.hasPrefix("  what to do: ") == true, sourceLocation: test)
  #expect(words.isEmpty || outcome.errors.contains(words), "\(outcome.errors)", sourceLocation: test)
  #expect(try folder.state() == before, sourceLocation: test)
}
