import Foundation
import LosslessJSON
import TestSupport
import Testing

/// The fixes in SARIF, made the way an editor makes them: by lines and columns alone.
@Suite struct SARIFFixTests {
  /// The cases of the lint fixtures, and one of them laid out in ways that make counting hard.
  static let models: [String] = {
    let rules = (try? Fixture.names(in: "lint")) ?? []
    let cases = rules.filter { $0.hasPrefix("YP") }.flatMap { rule in
      ((try? Fixture.names(in: "lint/\(rule)/fires")) ?? []).map { "lint/\(rule)/fires/\($0)" }
    }
    return cases + layouts.keys.sorted()
  }()

  private static let layouts: [String: @Sendable (String) -> String] = [
    "carriage returns": { $0.replacing("\n", with: "\r\n") },
    "tabs": { $0.replacing("  ", with: "\t") },
    "one line": { $0.replacing("\n", with: "") },
    "other scripts": {
      $0.replacing("\n", with: "").replacing("{", with: "{\"名前\": \"日本語 é😀 e\u{301}\", ", maxReplacements: 1)
    },
  ]

  private func copy(_ model: String) throws -> ScratchFolder {
    guard let layout = Self.layouts[model] else { return try ScratchFolder(["model": model]) }
    let folder = try ScratchFolder(["model": "lint/YP102/fires/type-only"])
    try folder.write(Array(layout(try folder.text("model/config.json")).utf8), to: "model/config.json")
    return folder
  }

  @Test(arguments: models) func `an editor's fix is the command's fix`(model: String) throws {
    let folder = try copy(model)
    // Its own rule alone: what others say of the same model is their cases' business.
    let rule = Self.layouts[model] == nil ? String(model.split(separator: "/")[1]) : "YP102"
    let log = try Command.run(["lint", "model", "--select", rule, "--format", "sarif"], cwd: folder.path)
    let document = try JSONDocument(Array(log.output.utf8), path: "lint.sarif")
    let results = try #require(document["/runs/0/results"]?.value.elements)
    let fixable = results.indices.filter { document["/runs/0/results/\($0)/fixes"] != nil }
    // Of several fixes one may change what another sees.
    guard let result = fixable.first, fixable.count == 1 else {
      #expect(Self.layouts[model] == nil)
      return
    }
    let fix = "/runs/0/results/\(result)/fixes/0/artifactChanges"
    for (change, _) in try #require(document[fix]?.value.elements).enumerated() {
      let file = try #require(document["\(fix)/\(change)/artifactLocation/uri"]?.value.string)
      let count = try #require(document["\(fix)/\(change)/replacements"]?.value.elements).count
      var text = try folder.text(file)
      // From the end, so that the places before stay right.
      for index in (0..<count).reversed() {
        let replacement = "\(fix)/\(change)/replacements/\(index)"
        let new = try #require(document["\(replacement)/insertedContent/text"]?.value.string)
        text = try replacing(in: text, document, "\(replacement)/deletedRegion", by: new)
      }
      try folder.write(Array(text.utf8), to: file)
    }
    let fixed = try copy(model)
    let made = try Command.run(
      ["lint", "model", "--select", rule, "--fix", "--unsafe-fixes", "--format", "json"], cwd: fixed.path)
    let summary = try JSONDocument(Array(made.output.utf8), path: "lint.json")
    // One finding's fix may bring forth the next one's, which an editor would show after it.
    guard summary["/summary/fixed"]?.value.number?.integer == 1 else {
      #expect(Self.layouts[model] == nil)
      return
    }
    let kept = folder.contents.filter { !$0.key.hasSuffix(".yarn-patch-undo") }
    #expect(kept == fixed.contents.filter { !$0.key.hasSuffix(".yarn-patch-undo") })
  }

  /// The text with a region replaced: lines and columns from 1, columns in Unicode scalars.
  private func replacing(
    in text: String, _ document: JSONDocument, _ region: String, by new: String
  ) throws -> String {
    let scalars = Array(text.unicodeScalars)
    func offset(_ end: String) throws -> Int {
      let line = try #require(document["\(region)/\(end)Line"]?.value.number?.integer)
      let column = try #require(document["\(region)/\(end)Column"]?.value.number?.integer)
      let breaks = scalars.indices.filter { scalars[$0] == "\n" }
      return (line == 1 ? 0 : breaks[line - 2] + 1) + column - 1
    }
    let changed = scalars[..<(try offset("start"))] + Array(new.unicodeScalars) + scalars[(try offset("end"))...]
    return String(String.UnicodeScalarView(changed))
  }
}
