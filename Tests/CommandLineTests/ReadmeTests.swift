import Foundation
import TestSupport
import Testing

/// The README's sessions are run and its example is the compiled one.
///
/// In a fence of language `console`, a line behind `$ ` is a command, and what follows is its exact output; a line `…`
/// stands for any lines. The commands run in order in a folder where `model/` is the trained fixture.
@Suite struct ReadmeTests {
  private static let path = Fixture.path("../README.md")

  /// The lines of a fence, with the line numbers in the file.
  private struct Fence {
    var language: String
    var lines: Range<Int>
  }

  private let lines: [String]
  private let fences: [Fence]

  init() throws {
    guard let data = FileManager.default.contents(atPath: Self.path) else {
      throw Command.Failure(description: "README.md is missing in the package's root; these tests run what it shows")
    }
    lines = String(decoding: data, as: UTF8.self).components(separatedBy: "\n")
    var fences: [Fence] = []
    var start: (language: String, line: Int)?
    for (number, line) in lines.enumerated() where line.hasPrefix("```") {
      if let begun = start {
        fences.append(Fence(language: begun.language, lines: begun.line + 1..<number))
        start = nil
      } else {
        start = (String(line.dropFirst(3)), number)
      }
    }
    guard start == nil else { throw Command.Failure(description: "README.md has a fence that does not end") }
    self.fences = fences
  }

  @Test func `sessions print what the README shows`() throws {
    let consoles = fences.filter { $0.language == "console" }
    let shown = consoles.map { Transcript(lines[$0.lines].joined(separator: "\n")) }
    let folder = try ScratchFolder(["model": Fixture.model])
    let run = try Transcript(running: shown.flatMap(\.steps).map(\.command), in: folder)
    #expect(!run.steps.isEmpty)
    if writesGoldens {
      try rewrite(consoles, shown, run.steps)
      return
    }
    for (shown, run) in zip(shown.flatMap(\.steps), run.steps) {
      #expect(
        fits(comparable(run.output), comparable(shown.output)),
        "$ \(run.command)\n\(lineDifference(from: shown.output, to: run.output))\nif this is right: make goldens")
    }
  }

  @Test func `the library example is the one that is compiled`() throws {
    let example = try libraryExample()
    #expect(example.contains("import YarnPatch"))
    let swift = fences.filter { $0.language == "swift" }
    #expect(swift.map { lines[$0.lines].map { $0 + "\n" }.joined() } == [example] || writesGoldens)
  }

  private func libraryExample() throws -> String {
    let source = String(decoding: try Fixture.bytes("../Tests/CommandLineTests/LibraryExample.swift"), as: UTF8.self)
    let parts = source.components(separatedBy: "// README begin\n")
    return try #require(parts.last?.components(separatedBy: "// README end\n").first)
  }

  @Test func `the README is short and names the two commands`() {
    #expect(lines.count < 200)
    for command in ["make demo", "make test"] { #expect(lines.contains { $0.contains(command) }, "\(command)") }
  }

  @Test(arguments: [
    ("", "", true), ("a\n", "a\n", true), ("a\n", "a", false), ("a\nb\n", "…\n", true), ("", "…\n", true),
    ("a\nb\nc\n", "a\n…\nc\n", true), ("a\nc\n", "a\n…\nc\n", true), ("a\nb\n", "a\n…\nc\n", false),
    ("a\nb\nc\nd\n", "…\nb\n…\nd\n", true), ("a\nb\n", "…\nb\n…\nb\n", false), ("a … b\n", "a … b\n", true),
    ("a\nb\n", "a\n", false), ("b\n", "a\n…\n", false),
  ]) func `an ellipsis stands for any lines and nothing else does`(text: String, pattern: String, fit: Bool) {
    #expect(fits(text, pattern) == fit)
  }

  @Test(arguments: [
    ("ok  5.6e-08 ≤ 2e-06 relative   a", "ok  0 ≤ 2e-06 relative  a", true),
    ("ok  1e-08 ≤ 2e-06 relative  a", "ok  1e-08 ≤ 3e-06 relative  a", false), ("a  1", "a 1", false),
    ("  \"measured\": 1.5e-9,", "  \"measured\": 2,", true), ("\"bound\": 1.5e-9", "\"bound\": 2", false),
    ("0.12345678901234561", "0.12345678901234569", true), ("0.123456789012", "0.123456789013", false),
    ("x 0.8058421877614819 y", "x 0.8058421877714819 y", false),
    ("  ok      every file", "  ok  every file", true), ("  note      a", "  note  a", false),
  ]) func `only what depends on the processor is passed over`(a: String, b: String, areEqual: Bool) {
    #expect((comparable(a) == comparable(b)) == areEqual)
  }

  /// Writes the true output below each command, and the example; what fits already stays as it is shown.
  private func rewrite(_ consoles: [Fence], _ shown: [Transcript], _ run: [Transcript.Step]) throws {
    var lines = self.lines
    var rest = run[...]
    var fresh: [(Fence, String)] = []
    for (fence, var transcript) in zip(consoles, shown) {
      for index in transcript.steps.indices {
        guard let step = rest.popFirst() else { break }
        if !fits(step.output, transcript.steps[index].output) { transcript.steps[index].output = step.output }
      }
      fresh.append((fence, transcript.text))
    }
    for fence in fences where fence.language == "swift" { fresh.append((fence, try libraryExample())) }
    for (fence, text) in fresh.sorted(by: { $0.0.lines.lowerBound > $1.0.lines.lowerBound }) {
      lines.replaceSubrange(fence.lines, with: text.components(separatedBy: "\n").dropLast())
    }
    try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: Self.path))
  }
}
