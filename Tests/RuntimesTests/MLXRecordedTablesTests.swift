import LosslessJSON
import ModelConfig
import Testing

@testable import Runtimes

@Suite struct `Recorded tables of mlx-lm` {
  @Test func `every recorded case is read as mlx-lm reads it`() throws {
    let file = try RecordedFile("mlx_lm")
    // Fewer cases than were recorded is a lost fixture, whatever the file says of itself.
    let cases = file.cases
    #expect(cases.count >= max(252, file.count))
    var comparison = RecordedComparison()
    for recorded in cases { compare(try read(recorded), with: recorded, &comparison) }
    print(comparison.summary("mlx-lm", cases: cases.count))
    #expect(comparison.failures.isEmpty, "\(comparison.failures.prefix(20).joined(separator: "\n"))")
  }

  /// The config as the class of the case got it. A case without a model type was given to `initialize_rope`, or by the
  /// class it names to phi3's or DeepSeek's attention with a head of that size.
  private func read(_ recorded: RecordedCase) throws -> RuntimeReading {
    let head = recorded.input["head_dim"]?.number?.integer ?? 0
    let name = recorded.members["class"]?.string ?? ""
    var added = ""
    if name.hasPrefix("phi3.") {
      added = #""model_type": "phi3", "hidden_size": \#(head), "num_attention_heads": 1, "#
    } else if name.hasPrefix("rope_utils.") {
      added = #""model_type": "deepseek_v3", "qk_rope_head_dim": \#(head), "#
    }
    let text = "{\(added)" + recorded.inputText.dropFirst()
    let config = try HuggingFaceConfig(JSONDocument(Array(text.utf8), path: recorded.id))
    let options = RuntimeOptions(sequenceLength: recorded.sequenceLength)
    let readings = Runtime.mlxLM.read(.config(config, .init()), options)
    #expect(readings.count == 1, "\(recorded.id)")
    return try #require(readings.first)
  }

  /// Kinds that build a class; phi3's is recorded as its attribute.
  private static let kinds: [String: Set<String>] = [
    "RoPE": ["default", "linear"], "DynamicNTKScalingRoPE": ["dynamic"], "Llama3RoPE": ["llama3"],
    "YarnRoPE": ["yarn"], "SuScaledRoPE": ["longrope"], "rope=SuScaledRoPE": ["longrope"],
    "ProportionalRoPE": ["proportional"],
  ]

  private func compare(
    _ reading: RuntimeReading, with recorded: RecordedCase, _ comparison: inout RecordedComparison
  ) {
    // A kind without a table is measured from a rotation, which costs a few bits.
    let isMeasured = recorded.members["inv_freq_source"]?.string?.contains("atan2") == true
    comparison.compare(
      reading, with: recorded.members, id: recorded.id, within: isMeasured ? 3e-6 : RecordedComparison.tolerance)
    let name = recorded.members["class"]?.string?.split(separator: ".").last.map(String.init) ?? ""
    if reading.table != nil, Self.kinds[name]?.contains(reading.kind) != true {
      comparison.fail(recorded.id, "kind \(reading.kind), recorded class \(name)")
    }
  }
}
