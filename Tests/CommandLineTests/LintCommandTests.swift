import Foundation
import TestSupport
import Testing

/// What findings tell people to type.
@Suite struct LintCommandTests {
  /// Commands between backticks in the recorded findings, each once.
  private static func commands() throws -> [String] {
    let text = String(decoding: try Fixture.bytes("reports/lint-cases.txt"), as: UTF8.self)
    let lines = text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    let quoted = lines.joined(separator: " ").components(separatedBy: "`").enumerated()
    return Array(
      Set(
        quoted.filter { $0.offset % 2 == 1 && $0.element.hasPrefix("yarn-patch ") && $0.element != "yarn-patch patch" }
          .map(\.element))
    ).sorted()
  }

  @Test func `every command that a finding names is understood`() throws {
    let commands = try Self.commands()
    #expect(commands.count > 40)
    let folder = try ScratchFolder(["lint": "lint"])
    for command in commands {
      // What the user has to know is left for the user to fill in.
      var words = command.split(separator: " ").dropFirst().map {
        ["N": "32768", "F": "4", "A": "1.2", "B": "500000", "X": "16"][$0] ?? String($0)
      }
      if words.first == "patch" { words.append("--dry-run") }
      let outcome = try Command.run(words, cwd: folder.path)
      #expect(outcome.exitCode != 64 && outcome.exitCode != nil, "\(command)\n\(outcome.errors)")
    }
  }
}
