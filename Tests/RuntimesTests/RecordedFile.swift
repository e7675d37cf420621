import LosslessJSON
import ModelConfig
import TestSupport

@testable import Runtimes

/// A runtime's recorded tables in `fixtures/frequency-tables`, read with their literals: `4` and `4.0` stay two things.
struct RecordedFile {
  let document: JSONDocument

  init(_ name: String) throws {
    let name = "frequency-tables/\(name).json"
    document = try JSONDocument(Fixture.bytes(name), path: name)
  }

  var count: Int { document["/count"]?.value.number?.integer ?? 0 }
  var cases: [RecordedCase] { (document["/cases"]?.value.elements ?? []).map { RecordedCase($0, in: document) } }
}

/// One case: what was given to the runtime and what it answered.
struct RecordedCase {
  let id: String
  /// The input's own text: an integer literal and a float are different inputs.
  let inputText: String
  let members: [String: JSONValue]
  let input: [String: JSONValue]

  init(_ node: JSONNode, in document: JSONDocument) {
    members = node.value.membersByKey
    id = members["id"]?.string ?? "?"
    let range = node.value.members?.first { $0.key == "input" }?.node.range ?? 0..<0
    inputText = String(decoding: document.bytes[range], as: UTF8.self)
    input = members["input"]?.membersByKey ?? [:]
  }

  var sequenceLength: Int? { members["seq_len"]?.number?.integer }

  /// The input as a config.json, of the given model type when it does not name one.
  func config(modelType: String?) throws -> HuggingFaceConfig {
    var text = inputText
    if input["model_type"] == nil, let modelType {
      text = "{\"model_type\": \"\(modelType)\", " + text.dropFirst()
    }
    return try HuggingFaceConfig(JSONDocument(Array(text.utf8), path: "\(id).json"))
  }

  func readings(of runtime: Runtime, modelType: String?, sequenceLength: Int? = nil) throws -> [RuntimeReading] {
    runtime.read(
      .config(try config(modelType: modelType), .init()), RuntimeOptions(sequenceLength: sequenceLength))
  }
}

extension JSONValue {
  var membersByKey: [String: JSONValue] {
    Dictionary((members ?? []).map { ($0.key, $0.node.value) }, uniquingKeysWith: { $1 })
  }
  var doubles: [Double] {
    (elements ?? []).map { $0.value.number?.double ?? $0.value.string.flatMap(Double.init) ?? .nan }
  }
}
