import FileStore
import Foundation
import LosslessJSON
import TestSupport
import Testing

@testable import Linting
@testable import YarnPatch

/// Published models work, so what a rule calls an error in one of them is either true and written down with its reason,
/// or the rule is wrong.
///
/// `fixtures/lint/reviewed/YP….json` holds for each model the places of a rule's errors with the reasons. A model is a
/// folder of configs, or a GGUF by its file name.
@Suite struct CorpusTests {
  @Test
  func `every error in a published config has been reviewed, and every review is needed`() throws {
    guard let root = Corpus.root else { return print(Corpus.absence) }
    let models = try FileManager.default.contentsOfDirectory(atPath: "\(root)/configs").sorted()
    try check(models, of: "configs") { try lintedModel(at: "\(root)/configs/\($0)") }
  }

  @Test
  func `every error in a published GGUF has been reviewed, and every review is needed`() throws {
    guard let root = Corpus.root else { return print(Corpus.absence) }
    let folder = "\(root)/gguf"
    let paths = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".gguf") }.sorted()
    #expect(Set(paths.map(Path.name(of:))).count == paths.count, "reviews name files without their folders")
    try check(paths, of: "GGUFs") { path in
      LintLoader(POSIXFileSystem(), Deployment()).load(
        FoundModel(path: "\(folder)/\(path)", files: ["\(folder)/\(path)"]))
    }
  }

  /// Reasons by rule, model and place.
  private func reviews() throws -> [String: String] {
    var reviewed: [String: String] = [:]
    for file in (try? Fixture.names(in: "lint/reviewed")) ?? [] {
      let document = try JSONDocument(Fixture.bytes("lint/reviewed/\(file)"), path: file)
      for model in try #require(document.root.value.members) {
        for place in try #require(model.node.value.members) {
          let reason = try #require(place.node.value.string)
          #expect(reason.split(separator: " ").count > 4, "a reason says why: \(file) \(model.key)")
          reviewed["\(file.prefix(5)) \(model.key) \(place.key)"] = reason
        }
      }
    }
    return reviewed
  }

  private func check(_ models: [String], of kind: String, load: (String) throws -> LintedModel) throws {
    let names = Set(models.map(Path.name(of:)))
    let reviewed = try reviews().keys.filter { names.contains(String($0.split(separator: " ")[1])) }
    var found: Set<String> = []
    var counts: [String: Int] = [:]
    for model in models {
      for finding in Linter().findings(in: try load(model)) {
        counts["\(finding.rule) \(finding.severity)", default: 0] += 1
        guard finding.severity == .error else { continue }
        let place = "\(finding.rule) \(Path.name(of: model)) \(finding.location.key ?? "")"
        found.insert(place)
        #expect(reviewed.contains(place), "\(place): \(finding.message)")
      }
    }
    #expect(Set(reviewed).subtracting(found).isEmpty)
    print("Linting CorpusTests: \(models.count) \(kind) read")
    print(counts.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }.joined(separator: "\n"))
  }
}
