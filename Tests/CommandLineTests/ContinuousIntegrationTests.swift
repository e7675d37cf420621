import Foundation
import TestSupport
import Testing

/// What `docs/continuous-integration.md` tells people to write down is what the command, the hooks and the action know.
@Suite struct ContinuousIntegrationTests {
  private let page: String

  init() throws { page = try Self.text("docs/continuous-integration.md") }

  private static func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(Fixture.root)/../\(name)", encoding: .utf8)
  }

  private func blocks(_ language: String) throws -> [Substring] {
    page.matches(of: try Regex("(?ms)^```\(language)\n(.*?)^```$", as: (Substring, Substring).self)).map(\.output.1)
  }

  @Test func `its policy is one, and accepts what it says`() throws {
    let policy = try #require(try blocks("json").first)
    let folder = try ScratchFolder([
      "old/model": "lint/YP106/fires/qwen3", "new": "lint/YP102/fires/type-only",
    ])
    try folder.write(Array(policy.utf8), to: ".yarn-patch.json")
    let outcome = try Command.run(
      ["lint", ".", "--select", "YP102,YP106", "--format", "github"], cwd: folder.path)
    #expect(outcome.exitCode == 1 && outcome.errors == "")
    let lines = outcome.output.split(separator: "\n")
    #expect(lines.count == 1 && lines[0].hasPrefix("::error file=new/config.json,"))
  }

  @Test func `its baseline commands work, one after the other`() throws {
    let folder = try ScratchFolder(["models/m": "lint/YP106/fires/qwen3"])
    let commands = try blocks("sh")[0].split(separator: "\n").map { $0.prefix { $0 != "#" } }
    #expect(commands.count == 2)
    for (command, code) in zip(commands, [1, 0] as [Int32]) {
      let words = command.split(separator: " ").map(String.init)
      #expect(words.first == "yarn-patch")
      #expect(try Command.run(Array(words.dropFirst()), cwd: folder.path).exitCode == code)
    }
  }

  @Test func `its hooks and inputs are there`() throws {
    let yaml = try blocks("yaml")
    try #require(yaml.count == 2)
    let hooks = try Self.text(".pre-commit-hooks.yaml")
    let ids = yaml[0].matches(of: /- id: ([\w-]+)/).map(\.output.1)
    #expect(ids.count == 2 && ids.allSatisfy { hooks.contains("\n- id: \($0)\n") })
    let action = try Self.text("action.yml")
    let given = try #require(yaml[1].firstMatch(of: #/(?s)with:\n(.*?)\n  - /#)).output.1
    let inputs = given.matches(of: /(?m)^ +([\w-]+):/).map(\.output.1)
    #expect(inputs.count == 5 && inputs.allSatisfy { action.contains("\n  \($0):\n") })
  }
}
