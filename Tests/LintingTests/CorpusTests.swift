import Foundation
import LosslessJSON
import TestSupport
import Testing

@testable import Linting
@testable import YarnPatch

/// Published models work, so what a rule calls an error in one of them is either true and written down with its reason,
/// or the rule is wrong.
///
/// `fixtures/lint/reviewed/YP….json` holds for each model the places of a rule's errors with the reasons.
@Suite struct CorpusTests {
  @Test
  func `every error in a published config has been reviewed, and every review is needed`() throws {
    guard let root = Corpus.root else { return print(Corpus.absence) }
    let models = try FileManager.default.contentsOfDirectory(atPath: "\(root)/configs").sorted()
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
    var found: Set<String> = []
    var counts: [String: Int] = [:]
    for model in models {
      for finding in Linter().findings(in: try lintedModel(at: "\(root)/configs/\(model)")) {
        counts["\(finding.rule) \(finding.severity)", default: 0] += 1
        guard finding.severity == .error else { continue }
        let place = "\(finding.rule) \(model) \(finding.location.key ?? "")"
        found.insert(place)
        #expect(reviewed[place] != nil, "\(place): \(finding.message)")
      }
    }
    #expect(Set(reviewed.keys).subtracting(found).isEmpty)
    print("Linting CorpusTests: \(models.count) configs read")
    print(counts.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value)" }.joined(separator: "\n"))
  }
}
