import LosslessJSON
import ModelConfig
import PatchPlanning
import TestSupport
import Testing

@Suite struct ConfigTemplateTests {
  private func template(
    _ text: String, _ method: PatchMethod, _ spelling: ConfigSpelling = ConfigSpelling()
  ) throws -> ConfigTemplate? {
    let subject = try ConfigSubject(text)
    return ConfigTemplate(subject.config, subject.subject, method, spelling)
  }

  private func paths(_ template: ConfigTemplate) -> [String: String] {
    Dictionary(template.places.map { ($0.path.joined(separator: "/"), $0.value.rawValue) }) { first, _ in first }
  }

  @Test(arguments: [
    ("yarn-old", ["rope_theta"], "rope_scaling"), ("v5-flat", [], "rope_parameters"),
    ("v5-per-layer", [], "rope_parameters/full_attention"),
    ("nested-text-config", ["text_config/rope_theta"], "text_config/rope_scaling"),
  ])
  func `the values stand where the file's layout has them`(
    fixture: String, bases: [String], dictionary: String
  ) throws {
    let template = try #require(try template(Fixture.config(fixture), .yarn))
    let found = paths(template)
    let section = dictionary.hasPrefix("text_config/") ? "text_config/" : ""
    #expect(found["\(dictionary)/factor"] == "factor")
    #expect(found["\(dictionary)/original_max_position_embeddings"] == "original")
    #expect(found["\(section)max_position_embeddings"] == "window")
    for base in bases.isEmpty ? ["\(dictionary)/rope_theta"] : bases { #expect(found[base] == "base") }
    #expect(template.removed.isEmpty)
  }

  @Test func `what the file does not state may be left out, what it states may not`() throws {
    let text = #"{"max_position_embeddings": 4096, "rope_theta": 10000.0, "head_dim": 64, "rope_scaling": "#
    for (dictionary, isOptional) in [
      ("null", true),
      (#"{"type": "yarn", "factor": 4.0, "beta_fast": 32, "original_max_position_embeddings": 1024}"#, false),
    ] {
      let template = try #require(try template("\(text)\(dictionary)}", .yarn))
      #expect(template.places.first { $0.value == .betaFast }?.isOptional == isOptional)
      #expect(template.places.first { $0.value == .betaSlow }?.isOptional == true)
      #expect(template.places.first { $0.value == .factor }?.isOptional == false)
    }
    var spelling = ConfigSpelling()
    spelling.statesBetas = true
    let explicit = try #require(try template("\(text)null}", .yarn, spelling))
    #expect(explicit.places.first { $0.value == .betaSlow }?.isOptional == false)
  }

  @Test func `numbers keep their kind`() throws {
    let template = try #require(try template(Fixture.config("yarn-old"), .linear))
    #expect(template.places.first { $0.value == .factor }?.isFraction == true)
    #expect(template.places.first { $0.value == .original }?.isFraction == false)
    #expect(!template.places.contains { $0.value == .window })
  }

  @Test func `the other members of a dictionary are shown with it, other members are not`() throws {
    let template = try #require(try template(Fixture.config("v5-per-layer"), .yarn))
    #expect(template.members.compact.contains("sliding_attention"))
    #expect(!template.members.compact.contains("architectures"))
  }

  @Test func `a patch that is refused has no template`() throws {
    #expect(try template(Fixture.config("llama3"), .yarn) == nil)
  }

  @Test func `bare numbers of Python spoil a template only where they stand in it`() throws {
    #expect(try template(Fixture.config("infinity-elsewhere"), .yarn) != nil)
    let text =
      #"{"max_position_embeddings": 4096, "rope_theta": 1e4, "head_dim": 64, "rope_scaling": {"rope_type": "default", "x": NaN}}"#
    #expect(try template(text, .yarn) == nil)
  }

  @Test(arguments: PatchMethod.allCases) func `a plain file takes every method`(method: PatchMethod) throws {
    let template = try #require(ConfigTemplate.plain(method))
    #expect(template.places.contains { $0.value == .base } && template.places.allSatisfy { $0.path.count <= 2 })
  }
}
