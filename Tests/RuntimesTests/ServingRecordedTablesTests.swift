import LosslessJSON
import RoPE
import Testing

@testable import Runtimes

@Suite struct `Serving engines as recorded` {
  @Test func `every recorded case of vLLM has its table, factors, window and errors`() throws {
    try check("vllm", .vllm, count: 237, window: "derived_max_model_len") { recorded in
      // A case without its own length has the derived one, which is also the default.
      (
        recorded.members["per_layer_type"] == nil ? "llama" : "gemma3_text",
        recorded.members["max_model_len"]?.number?.integer
      )
    }
  }

  @Test func `every recorded case of SGLang has its table, factors, window and errors`() throws {
    try check("sglang", .sglang, count: 235, window: "context_length") { recorded in
      // Only ids of the Llama class went through its code; the others have no model class.
      (
        recorded.id.hasSuffix("@llama-model") ? "llama" : "qwen2",
        recorded.members["max_position_in_batch"]?.number?.integer.map { $0 + 1 }
      )
    }
  }

  private func check(
    _ name: String, _ runtime: Runtime, count: Int, window: String,
    _ choice: (RecordedCase) -> (modelType: String, sequenceLength: Int?)
  ) throws {
    let recording = try RecordedFile(name)
    let cases = recording.cases
    #expect(cases.count >= max(count, recording.count))
    #expect(runtime.version == recording.document["/version"]?.value.string)
    var comparison = RecordedComparison()
    for recorded in cases {
      var (modelType, sequenceLength) = choice(recorded)
      // The recordings name the rotary class instead of the model.
      if recorded.members["class"]?.string == "DeepseekScalingRotaryEmbedding" { modelType = "deepseek_v3" }
      if recorded.id.hasPrefix("real-phi3") { modelType = "phi3" }
      let readings = try recorded.readings(of: runtime, modelType: modelType, sequenceLength: sequenceLength)
      compare(readings, with: recorded, window: window, &comparison)
    }
    print(comparison.summary("\(name) \(runtime.version ?? "")", cases: cases.count))
    #expect(comparison.failures.isEmpty, "\(comparison.failures.prefix(20).joined(separator: "\n"))")
  }

  private func compare(
    _ readings: [RuntimeReading], with recorded: RecordedCase, window: String, _ comparison: inout RecordedComparison
  ) {
    let layers = recorded.members["per_layer_type"]?.membersByKey ?? ["": .null]
    if Set(readings.map { $0.layerType ?? "" }) != Set(layers.keys) {
      comparison.fail(recorded.id, "layer types \(readings.map(\.layerType)), recorded \(layers.keys)")
    }
    for reading in readings {
      let layer = reading.layerType.map { layers[$0]?.membersByKey ?? [:] } ?? recorded.members
      comparison.compare(reading, with: layer, id: recorded.id)
      let isAlpha = reading.kind == "dynamic" && recorded.input["rope_scaling"]?.membersByKey["alpha"] != nil
      let kind = isAlpha ? "dynamic with alpha" : reading.kind
      if let name = layer["class"]?.string, Self.classes[kind] != name {
        comparison.fail(recorded.id, "kind \(reading.kind), recorded class \(name)")
      }
      if let length = recorded.members[window]?.number?.integer, reading.contextLength != length {
        comparison.fail(recorded.id, "window \(reading.contextLength as Any), recorded \(length)")
      }
      compareParameters(reading, recorded, &comparison)
    }
  }

  /// What the runtime's dictionary holds after parsing, as far as a reading repeats it.
  private func compareParameters(
    _ reading: RuntimeReading, _ recorded: RecordedCase, _ comparison: inout RecordedComparison
  ) {
    guard let used = recorded.members["rope_parameters_used"]?.membersByKey, reading.table != nil else { return }
    if reading.base != used["rope_theta"]?.number?.double {
      // Only the fixed NTK kind changes the base that its parameters state.
      if reading.kind != "ntk" { comparison.fail(recorded.id, "base \(reading.base as Any)") }
    }
    if let original = reading.originalContext, original != used["original_max_position_embeddings"]?.number?.double {
      comparison.fail(recorded.id, "original length \(original)")
    }
  }

  private static let classes = [
    "default": "RotaryEmbedding", "linear": "LinearScalingRotaryEmbedding", "llama3": "Llama3RotaryEmbedding",
    "yarn": "YaRNScalingRotaryEmbedding", "deepseek_yarn": "DeepseekScalingRotaryEmbedding",
    "longrope": "Phi3LongRoPEScaledRotaryEmbedding", "proportional": "Gemma4RotaryEmbedding",
    "dynamic": "DynamicNTKScalingRotaryEmbedding", "dynamic with alpha": "DynamicNTKAlphaRotaryEmbedding",
    "ntk": "NTKScalingRotaryEmbedding",
  ]
}
