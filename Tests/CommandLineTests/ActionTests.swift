import Foundation
import LosslessJSON
import TestSupport
import Testing

/// `action.yml` and the script behind it, run as a runner would.
@Suite struct ActionTests {
  private static let repository = Fixture.root + "/.."
  private let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder([
      "old": "lint/YP102/fires/type-only", "good": "lint/YP102/silent/both", "plain": "config/llama-plain",
      "with space": "lint/YP106/fires/qwen3", "-dash": "lint/YP102/silent/both",
    ])
  }

  /// - Parameter inputs: By the names of `action.yml`; by the rules that these tests are about where they name none.
  private func run(_ inputs: [String: String]) throws -> (outcome: Command.Outcome, outputs: [String]) {
    var environment = ["INPUT_COMMAND": Command.path, "GITHUB_OUTPUT": folder["outputs"]]
    try folder.write([], to: "outputs")
    for (name, value) in ["select": "YP102,YP106,YP203"].merging(inputs, uniquingKeysWith: { $1 }) {
      environment["INPUT_" + name.uppercased().replacing("-", with: "_")] = value
    }
    let outcome = try Command.run(
      Self.repository + "/scripts/action.sh", [], environment: environment, cwd: folder.path)
    return (outcome, try folder.text("outputs").split(separator: "\n").map(String.init))
  }

  @Test func `findings are annotations, and the exit code is an output`() throws {
    let (outcome, outputs) = try run(["paths": "old\nwith space\n"])
    #expect(outcome.exitCode == 1 && outputs == ["exit-code=1"])
    let files = outcome.output.split(separator: "\n").map { $0.prefix { $0 != "," } }
    #expect(files.contains("::warning file=old/config.json"))
    #expect(files.contains("::error file=with space/config.json"))
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var inputs: [String: String]
    var code: Int32
    var testDescription: String { "\(inputs) gives \(code)" }
  }

  static let cases = [
    Case(inputs: ["paths": "good"], code: 0),
    Case(inputs: ["paths": "old"], code: 0),
    Case(inputs: ["paths": "old", "fail-on": "warning"], code: 1),
    Case(inputs: ["paths": "old", "profile": "strict"], code: 1),
    Case(inputs: ["paths": "old", "profile": "strict", "ignore": "YP102"], code: 0),
    Case(inputs: ["paths": "with space", "profile": "advisory"], code: 0),
    Case(inputs: ["paths": "with space", "select": "YP106"], code: 1),
    Case(inputs: ["paths": "with space", "select": "YP102"], code: 0),
    Case(inputs: ["paths": "plain"], code: 0),
    Case(inputs: ["paths": "plain", "serve-length": "1000000"], code: 1),
    Case(inputs: ["paths": "-dash"], code: 0),
    Case(inputs: ["paths": "is-not-there"], code: 2),
    Case(inputs: ["paths": "old", "serve-length": "many"], code: 64),
    Case(inputs: ["paths": "old", "format": "html"], code: 2),
    Case(inputs: ["paths": "old", "command": "is-not-there"], code: 2),
  ]

  @Test(arguments: cases) func `each input reaches the command`(example: Case) throws {
    let (inputs, code) = (example.inputs, example.code)
    let (outcome, outputs) = try run(inputs)
    #expect(outcome.exitCode == code, "\(outcome.output)\(outcome.errors)")
    let isRefusedBefore = inputs["format"] == "html" || inputs["command"] != nil
    #expect(outputs == (isRefusedBefore ? [] : ["exit-code=\(code)"]))
    #expect(!isRefusedBefore || outcome.output.hasPrefix("::error title=yarn-patch::there is no "))
  }

  @Test(arguments: [("json", "yarn-patch.json"), ("sarif", "yarn-patch.sarif"), ("junit", "yarn-patch.xml")])
  func `a document is written to the report file`(format: String, file: String) throws {
    for name in [file, "own report"] {
      let (outcome, outputs) = try run(
        ["paths": "with space", "format": format].merging(name == file ? [:] : ["report": name]) { $1 })
      #expect(outcome.exitCode == 1 && outcome.output == "")
      #expect(outputs == ["report=\(name)", "exit-code=1"])
      #expect(try folder.text(name).contains("YP106"))
    }
  }

  @Test func `a baseline is accepted`() throws {
    let written = try Command.run(
      ["lint", "with space", "--write-baseline", "baseline.json", "--select", "YP106"], cwd: folder.path)
    #expect(written.exitCode == 1)
    let (outcome, _) = try run(["paths": "with space", "baseline": "baseline.json"])
    #expect(outcome.exitCode == 0 && outcome.output == "")
  }

  @Test func `action.yml hands on each of its inputs and takes up each output`() throws {
    let action = try String(contentsOfFile: Self.repository + "/action.yml", encoding: .utf8)
    let script = try String(contentsOfFile: Self.repository + "/scripts/action.sh", encoding: .utf8)
    let parts = action.split(separator: /(?m)^(inputs|outputs|runs):\n/)
    try #require(parts.count == 4)
    func names(_ part: Substring) -> [String] { part.matches(of: /(?m)^  ([\w-]+):$/).map { String($0.1) } }
    #expect(names(parts[1]).count == 11 && names(parts[2]) == ["report", "exit-code"])
    for input in names(parts[1]) {
      let variable = "INPUT_" + input.uppercased().replacing("-", with: "_")
      #expect(parts[3].contains("\(variable): ${{ inputs.\(input) }}\n"))
      #expect(script.contains(variable) || script.contains(" \(input) ") || script.contains(" \(input);"))
    }
    for output in names(parts[2]) { #expect(script.contains("put \(output) ")) }
  }
}
