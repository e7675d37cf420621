import LosslessJSON
import ModelConfig
import Testing

@testable import Runtimes

@Suite struct `Recorded tables of mlx-lm` {
  @Test func `every recorded case is read as mlx-lm reads it`() throws {
    let file = try RecordedFile("mlx_lm.json")
    // Fewer cases than were recorded is a lost fixture, whatever the file says of itself.
    #expect(file.count == 252)
    var comparison = RecordedComparison()
    for recorded in file.cases {
      compare(try read(recorded), with: recorded, in: &comparison)
      comparison.finish(recorded.id)
    }
    comparison.report("mlx-lm 0.32.2", recorded: file.count)
  }

  /// The config as the class of the case got it. A case without a model type was given to `initialize_rope`, or by the
  /// class it names to phi3's or DeepSeek's attention with a head of that size.
  private func read(_ recorded: RecordedCase) throws -> RuntimeReading {
    let head = recorded.number("input", "head_dim") ?? 0
    var text = recorded.input
    let name = recorded["class"]?.string ?? ""
    if name.hasPrefix("phi3.") {
      text = adding(#""model_type": "phi3", "hidden_size": \#(Int(head)), "num_attention_heads": 1"#, to: text)
    } else if name.hasPrefix("rope_utils.") {
      text = adding(#""model_type": "deepseek_v3", "qk_rope_head_dim": \#(Int(head))"#, to: text)
    }
    let config = try HuggingFaceConfig(JSONDocument(Array(text.utf8), path: recorded.id))
    let options = RuntimeOptions(sequenceLength: recorded.number("seq_len").map { Int($0) })
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

  private func adding(_ members: String, to object: String) -> String { "{\(members), " + object.dropFirst() }

  private func compare(
    _ reading: RuntimeReading, with recorded: RecordedCase, in comparison: inout RecordedComparison
  ) {
    if let error = recorded["error", "type"]?.string {
      comparison.expect(reading.refused?.kind == error, "\(String(describing: reading.refused)), recorded \(error)")
      let key = recorded["error", "missing_key"]?.string
      comparison.expect(key == nil || reading.refused?.missingKey == key, "missing key \(String(describing: key))")
      return
    }
    guard let table = reading.table else {
      return comparison.expect(false, "refused: \(String(describing: reading.refused))")
    }
    let name = recorded["class"]?.string?.split(separator: ".").last.map(String.init) ?? ""
    comparison.expect(Self.kinds[name]?.contains(reading.kind) == true, "\(reading.kind), recorded class \(name)")
    if let frequencies = recorded.numbers("inv_freq") {
      // A kind without a table is measured from a rotation, which costs a few bits.
      let isMeasured = recorded["inv_freq_source"]?.string?.contains("atan2") == true
      comparison.table(
        table.inverseFrequencies, frequencies, within: isMeasured ? 3e-6 : 5e-7, isMeasured: isMeasured)
    } else {
      comparison.expect(!recorded.rotations.isEmpty, "nothing to compare")
    }
    comparison.number("attention factor", table.attentionFactor, recorded.number("attention_factor"))
    comparison.number(
      "softmax multiplier", table.softmaxScaleMultiplier, recorded.number("softmax_scale_multiplier") ?? 1)
    comparison.rotations(recorded, table.inverseFrequencies, magnitude: table.attentionFactor)
  }
}
