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

  private struct Report: Decodable {
    struct Finding: Decodable { var rule, message: String }
    var findings: [Finding]
  }

  private static func findings(_ path: String, _ rule: String, in folder: ScratchFolder) throws -> [Report.Finding] {
    let arguments = ["lint", path, "--select", rule, "--profile", "advisory", "--format", "json"]
    let outcome = try Command.run(arguments, cwd: folder.path)
    return try JSONDecoder().decode(Report.self, from: Data(outcome.output.utf8)).findings
  }

  @Test(arguments: try Fixture.names(in: "lint").filter { $0.hasPrefix("YP") })
  func `a command that leaves nothing for the user to fill in cures its finding`(_ rule: String) throws {
    for name in try Fixture.names(in: "lint/\(rule)/fires") {
      let folder = try ScratchFolder(["model": "lint/\(rule)/fires/\(name)"])
      let found = try Self.findings("model", rule, in: folder)
      for finding in found {
        for command in finding.message.components(separatedBy: "`") where command.hasPrefix("yarn-patch patch model") {
          let words = command.split(separator: " ").dropFirst().map(String.init)
          // A copy is another model.
          if words.contains(where: { ["N", "F", "A", "B", "X", "COPY"].contains($0) }) { continue }
          let copy = try ScratchFolder(["model": "lint/\(rule)/fires/\(name)"])
          let outcome = try Command.run(words, cwd: copy.path)
          #expect(outcome.exitCode == 0, "\(name): \(command)\n\(outcome.errors)")
          let left = try Self.findings("model", rule, in: copy)
          #expect(!left.contains { $0.message == finding.message }, "\(name): \(command)")
          #expect(left.count < found.count, "\(name): \(command)\n\(left)")
        }
      }
    }
  }

  @Test func `a path that is more than a word is typed in quotes`() throws {
    let folder = try ScratchFolder()
    _ = try folder.copy("lint/YP101/fires/no-kind", as: "my $(model)")
    let findings = try Self.findings("my $(model)", "YP101", in: folder)
    let command = try #require(
      findings.first?.message.components(separatedBy: "`").first { $0.hasPrefix("yarn-patch ") })
    #expect(command == "yarn-patch patch 'my $(model)' --method yarn --factor 4")
    let typed = command.replacing("yarn-patch ", with: "\(Command.path) ", maxReplacements: 1)
    #expect(try Command.run("/bin/sh", ["-c", typed], cwd: folder.path).exitCode == 0)
    #expect(try Self.findings("my $(model)", "YP101", in: folder).isEmpty)
  }

  @Test(arguments: ["empty", "empty --quiet", "empty notes --format json"])
  func `paths without a model are no clean answer`(_ arguments: String) throws {
    let folder = try ScratchFolder()
    try folder.write("no model", to: "notes/readme.txt")
    try folder.write("*", to: "empty/.gitignore")
    try folder.write("{}", to: "empty/config.json")
    let outcome = try Command.run(["lint"] + arguments.split(separator: " ").map(String.init), cwd: folder.path)
    #expect(outcome.exitCode == 2 && outcome.output.isEmpty)
    #expect(outcome.errors.contains("there is no model here") && outcome.errors.contains(".gitignore"))
  }
}
