import Foundation
import TestSupport
import Testing

/// The manual page and the completions, which are made from what the command says about itself.
@Suite struct ManualTests {
  private static let repository = Fixture.root + "/.."
  private static let page = repository + "/docs/yarn-patch.1"

  @Test func `the manual page says what the help says; make goldens writes it anew`() throws {
    guard let python = installed("python3", orSkip: "making the manual page") else { return }
    let version = try Command.run(["--version"]).output.trimmingCharacters(in: .newlines)
    let dump = try Command.run(["--experimental-dump-help"])
    let made = try Command.run(python, [Self.repository + "/scripts/manual.py", version], stdin: dump.output)
    #expect(made.exitCode == 0 && made.errors == "")
    if writesGoldens { try made.output.write(toFile: Self.page, atomically: true, encoding: .utf8) }
    #expect(made.output == (try String(contentsOfFile: Self.page, encoding: .utf8)), "run make goldens")
  }

  @Test func `the manual page is set without a warning and names every subcommand and option`() throws {
    guard let groff = installed("groff", orSkip: "setting the manual page") else { return }
    let outcome = try Command.run(groff, ["-man", "-Tutf8", "-ww", "-P-cbou", Self.page])
    #expect(outcome.exitCode == 0 && outcome.errors == "")
    let page = outcome.output.replacing("‐\n", with: "").replacing(/\s+/, with: " ")
    for part in ["YARN-PATCH(1)", "NAME", "SYNOPSIS", "SUBCOMMANDS", "EXIT STATUS", "FILES"] {
      #expect(page.contains(part))
    }
    let commands = try words(after: [])
    #expect(commands.count > 10)
    for command in commands where command != "help" && !command.hasPrefix("-") {
      #expect(page.contains("yarn-patch \(command) "), "\(command)")
      for option in try words(after: [command, "--"]) { #expect(page.contains(option), "\(command) \(option)") }
    }
  }

  @Test func `the examples are commands that there are`() throws {
    let page = try String(contentsOfFile: Self.page, encoding: .utf8)
    let examples = page.matches(of: /(?s)\n\.nf\n(.*?)\n\.fi/).flatMap { $0.output.1.split(separator: "\n") }
      .map { $0.replacing("\\-", with: "-").split(separator: " ").map(String.init) }
    #expect(examples.count > 5)
    for words in examples {
      try #require(words.count > 2 && words[0] == "yarn-patch")
      let help = try Command.run([words[1], "--help"])
      #expect(help.exitCode == 0)
      for option in words where option.hasPrefix("--") { #expect(help.output.contains("  \(option) "), "\(words)") }
    }
  }

  /// What bash offers after some words; the last of them is begun.
  private func words(after words: [String]) throws -> [String] {
    let bash = try #require(installed("bash", orSkip: "completions"))
    let script = try Command.run(["--generate-completion-script", "bash"]).output
    let quoted = (["yarn-patch"] + (words.isEmpty ? [""] : words)).map { "'\($0)'" }.joined(separator: " ")
    let outcome = try Command.run(
      bash,
      [
        "-c",
        """
        \(script)
        COMP_WORDS=(\(quoted)); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE="${COMP_WORDS[*]}"
        COMP_POINT=${#COMP_LINE}; COMP_TYPE=9; COMP_KEY=9
        _yarn-patch yarn-patch "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\\n' "${COMPREPLY[@]}"
        """,
      ])
    #expect(outcome.exitCode == 0, "\(outcome.errors)")
    return outcome.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
  }

  @Test func `bash offers subcommands, options and the values of options`() throws {
    guard installed("bash", orSkip: "completions") != nil else { return }
    #expect(try words(after: ["li"]) == ["lint"])
    #expect(try words(after: ["lint", "--serve"]) == ["--serve-length"])
    #expect(Set(try words(after: ["lint", "--format", ""])) == ["text", "json", "sarif", "github", "junit"])
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func `each shell accepts its completions`(shell: String) throws {
    guard let path = installed(shell, orSkip: "completions for \(shell)") else { return }
    let script = try Command.run(["--generate-completion-script", shell])
    #expect(script.exitCode == 0)
    let check = try Command.run(path, ["-n"], stdin: script.output)
    #expect(check.exitCode == 0 && check.errors == "")
  }
}
