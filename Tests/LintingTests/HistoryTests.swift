import LosslessJSON
import TestSupport
import Testing

@testable import Linting
@testable import YarnPatch

/// Rules that look at config.json as it was before the last patch.
@Suite struct HistoryTests {
  private static func config(_ maximum: Int, _ scaling: String, base: String = "1000000.0") -> String {
    """
    {"model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32, "rope_theta": \(base),
     "max_position_embeddings": \(maximum), "rope_scaling": \(scaling)}
    """
  }

  private static func yarn(_ factor: Double, from original: Int) -> String {
    #"{"rope_type": "yarn", "factor": \#(factor), "original_max_position_embeddings": \#(original)}"#
  }

  private static func findings(
    _ rule: String, _ config: String, after previous: String?
  ) throws -> [Finding] {
    let folder = try ScratchFolder()
    defer { withExtendedLifetime(folder) {} }
    try folder.write(Array(config.utf8), to: "config.json")
    let model = try lintedModel(at: folder.path)
    model.previous = try previous.map { try JSONDocument(Array($0.utf8), path: "previous") }
    return Linter().findings(in: model).filter { $0.rule == rule }
  }

  @Test
  func `scaling from a window that the last patch had reached is found, and recomputed from the trained length`() throws
  {
    let now = Self.config(262_144, Self.yarn(2, from: 131_072))
    let before = Self.config(131_072, Self.yarn(4, from: 32_768))
    let finding = try #require(try Self.findings("YP505", now, after: before).first)
    #expect(finding.message.contains("factor 8 on 32768"))
    #expect(finding.fix?.description == "set the original length to 32768 and the factor to 8")
    #expect(try Self.findings("YP505", now, after: nil).isEmpty)
    #expect(try Self.findings("YP505", Self.config(131_072, Self.yarn(4, from: 32_768)), after: before).isEmpty)
  }

  @Test(arguments: [("llama3", true), ("longrope", true), ("linear", false), ("yarn", false)])
  func `YaRN in the place of a kind that belongs to the weights is found`(_ kind: String, isFound: Bool) throws {
    let now = Self.config(131_072, Self.yarn(4, from: 32_768))
    let before = Self.config(131_072, #"{"rope_type": "\#(kind)", "factor": 4.0}"#)
    #expect(try !Self.findings("YP504", now, after: before).isEmpty == isFound)
  }

  @Test
  func `a lost base is restored from the file before the last patch`() throws {
    let scaling = Self.yarn(4, from: 32_768)
    let lost = Self.config(131_072, scaling, base: "null")
    let finding = try #require(
      try Self.findings("YP301", lost, after: Self.config(32_768, "null", base: "777000")).first)
    #expect(finding.fix?.description == "set the base to 777000")
  }
}
