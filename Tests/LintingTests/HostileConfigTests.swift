import Foundation
import LosslessJSON
import ModelConfig
import Runtimes
import TestSupport
import Testing

@testable import Linting
@testable import YarnPatch

/// Files come from anyone: whatever stands in a config.json, rules find something to say or nothing, and go on.
@Suite struct HostileConfigTests {
  private static let values = [
    "null", "true", "-1", "0", "0.5", "1e308", "-1e-320", "1e999", "9007199254740993", "9223372036854775807",
    "\"yarn\"",
    "\"4.0\"", "\"\"", "[]", "[1, 2, 3]", "[9223372036854775807, 9223372036854775807]", "{}", "{\"factor\": 4}", "NaN",
  ]

  @Test(arguments: 0..<UInt64(ProcessInfo.processInfo.environment["YARN_PATCH_SEEDS"].flatMap { Int($0) } ?? 200))
  func `rules survive any value in any place`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let cases = LintCase.all.filter { FileManager.default.fileExists(atPath: "\($0.folder)/config.json") }
    let lintCase = try #require(cases.randomElement(using: &random))
    var bytes = try Fixture.bytes("\(lintCase.folder.split(separator: "/fixtures/", maxSplits: 1)[1])/config.json")
    for _ in 0..<3 {
      guard let document = try? JSONDocument(bytes, path: "config.json") else { break }
      var places: [Range<Int>] = []
      collect(document.root, into: &places)
      guard let place = places.randomElement(using: &random) else { break }
      bytes.replaceSubrange(place, with: Array((Self.values.randomElement(using: &random) ?? "null").utf8))
    }
    guard let document = try? JSONDocument(bytes, path: "config.json"), let config = try? HuggingFaceConfig(document)
    else { return }
    let model = LintedModel(path: ".", configs: [LintedConfig(config, RuntimeInput.Surroundings())])
    let findings = Linter().findings(in: model)
    #expect(findings.allSatisfy { !$0.message.isEmpty && $0.location.path == "config.json" }, "seed \(seed)")
    // Fixes go through the editor, which must take or refuse them.
    var draft = FixDraft()
    _ = draft.make(findings, of: model) { _ in true }
  }

  private func collect(_ node: JSONNode, into places: inout [Range<Int>]) {
    for member in node.value.members ?? [] {
      places.append(member.node.range)
      collect(member.node, into: &places)
    }
  }
}
