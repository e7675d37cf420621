import LosslessJSON
import Testing

@testable import Runtimes

@Suite struct `Transformers as recorded` {
  @Test(arguments: [("transformers4", Runtime.transformers4, 241), ("transformers5", Runtime.transformers5, 338)])
  func `every recorded case has its table, factors, warnings and errors`(
    name: String, runtime: Runtime, count: Int
  ) throws {
    let recording = try RecordedFile(name)
    let cases = recording.cases
    #expect(cases.count >= max(count, recording.count))
    #expect(runtime.name == recording.document["/runtime"]?.value.string)
    #expect(runtime.version == recording.document["/version"]?.value.string)

    var comparison = RecordedComparison()
    for recorded in cases {
      // Cases without a model type went through the named class, else through Llama's.
      let modelType = recorded.input["config_class"]?.string == "GptOssConfig" ? "gpt_oss" : "llama"
      let readings = try recorded.readings(
        of: runtime, modelType: modelType, sequenceLength: recorded.sequenceLength)
      compare(readings, with: recorded, &comparison)
    }
    print(comparison.summary("\(name) \(runtime.version ?? "")", cases: cases.count))
    #expect(comparison.failures.isEmpty, "\(comparison.failures.prefix(20).joined(separator: "\n"))")
  }

  private func compare(
    _ readings: [RuntimeReading], with recorded: RecordedCase, _ comparison: inout RecordedComparison
  ) {
    let codes = Set(
      readings.flatMap(\.notes).filter { $0.code == "warning" }.map { note in
        note.message.range(of: ": ").map { String(note.message[..<$0.lowerBound]) } ?? note.message
      })
    let warnings = Set((recorded.members["warnings"]?.elements ?? []).compactMap(\.value.string))
    if codes != warnings {
      comparison.fail(recorded.id, "warnings \(codes.sorted()), recorded \(warnings.sorted())")
    }
    if let layers = recorded.members["per_layer_type"]?.membersByKey {
      if Set(readings.map { $0.layerType ?? "" }) != Set(layers.keys) {
        comparison.fail(recorded.id, "layer types \(readings.map(\.layerType)), recorded \(layers.keys)")
      }
      for reading in readings {
        let layer = layers[reading.layerType ?? ""]?.membersByKey ?? [:]
        comparison.compare(reading, with: layer, id: recorded.id)
        let original = layer["original_max_position_embeddings_used"]?.number?.double
        if reading.originalContext != original {
          comparison.fail(recorded.id, "original length \(reading.originalContext as Any), recorded \(original as Any)")
        }
      }
    } else if readings.count == 1, readings[0].layerType == nil {
      comparison.compare(readings[0], with: recorded.members, id: recorded.id)
    } else {
      comparison.fail(recorded.id, "\(readings.count) readings")
    }
  }
}
