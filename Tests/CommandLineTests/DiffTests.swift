import Foundation
import TestSupport
import Testing

@Suite struct DiffTests {
  static let configs = [
    "compact", "crlf", "four-spaces", "gpt-oss", "infinity-elsewhere", "llama-plain", "mla-yarn", "nested-thinker",
    "no-trailing-newline", "single-line", "tabs", "unsorted", "v5-per-layer", "v5-yarn", "yarn-old",
  ]

  @Test(arguments: configs) func `patch -p1 makes of the diff what patching makes`(config: String) throws {
    try expectDiffApplies(in: try ScratchFolder(["model": "config/\(config)"]), "model", "--factor 8 --runtime formula")
  }

  @Test(arguments: ["--method none", "--method linear --factor 2", "--method ntk --factor 2"])
  func `patch -p1 makes of another method's diff what patching makes`(method: String) throws {
    try expectDiffApplies(in: try ScratchFolder(["model": "config/yarn-old"]), "model", method)
  }

  @Test func `patch -p1 applies the diff of a folder with a GGUF`() throws {
    try expectDiffApplies(in: try ScratchFolder(["model": Fixture.model]), "model", "--factor 4")
  }

  @Test func `patch -p1 finds a folder with spaces in its name`() throws {
    try expectDiffApplies(in: try ScratchFolder(["my model": "config/llama-plain"]), "my model", "--factor 4")
  }

  @Test(arguments: ["\u{2028}", "\u{85}", "\u{2029}", "e\u{301}", "\u{301}"])
  func `only a line feed ends a line of the diff`(inside: String) throws {
    let folder = try ScratchFolder()
    // In the strings and as the first character behind a line feed's neighbours.
    let text = try String(contentsOfFile: Fixture.path("config/llama-plain/config.json"), encoding: .utf8)
      .replacingOccurrences(of: "\"hidden_act\": \"silu\"", with: "\"hidden_act\": \"si\(inside)lu\(inside)\"")
      .replacingOccurrences(of: "\"rope_scaling\"", with: "\"note\": \"\(inside)\",\n  \"rope_scaling\"")
    #expect(text.contains(inside))
    try folder.write(text, to: "model/config.json")
    try expectDiffApplies(in: folder, "model", "--factor 4")
  }

  @Test func `a diff shows what a reviewer needs and no more`() throws {
    let folder = try ScratchFolder(["model": "config/compact"])
    let outcome = try Command.run(["patch", "model", "--method", "none", "--diff"], cwd: folder.path)
    #expect(outcome.exitCode == 0)
    #expect(outcome.output == "")
  }

  private func expectDiffApplies(
    in folder: ScratchFolder, _ model: String, _ method: String, _ place: SourceLocation = #_sourceLocation
  ) throws {
    let arguments = ["patch", model] + method.split(separator: " ").map(String.init)
    let diff = try Command.run(arguments + ["--diff"], cwd: folder.path)
    #expect(diff.exitCode == 0 && diff.errors == "", sourceLocation: place)
    guard let patch = installed("patch", orSkip: "applying the diff") else { return }
    let config = try FileManager.default.subpathsOfDirectory(atPath: folder.path).first { $0.hasSuffix("config.json") }
    let name = try #require(config, sourceLocation: place)
    let before = try folder.bytes(name)
    #expect(try Command.run(arguments, cwd: folder.path).exitCode == 0, sourceLocation: place)
    let wanted = try folder.bytes(name)
    #expect(diff.output.isEmpty == (before == wanted), sourceLocation: place)
    guard before != wanted else { return }
    try folder.write(before, to: name)
    let applied = try Command.run(patch, ["-p1", "--binary", "--batch"], stdin: diff.output, cwd: folder.path)
    #expect(applied.exitCode == 0, "\(applied.output)\(applied.errors)", sourceLocation: place)
    #expect(!applied.output.contains("fuzz") && !applied.output.contains("offset"), sourceLocation: place)
    #expect(try folder.bytes(name) == wanted, sourceLocation: place)
  }
}
