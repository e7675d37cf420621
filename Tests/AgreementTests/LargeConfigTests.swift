import Agreement
import LosslessJSON
import ModelConfig
import Runtimes
import Testing

/// Files that would make the search for causes long.
@Suite struct `Large files and the search for causes` {
  private static func agreement(_ text: String) throws -> RuntimeAgreement {
    let config = try HuggingFaceConfig(JSONDocument(Array(text.utf8), path: "config.json"))
    let runtimes: [Runtime] = [.transformers5, .vllm, .mlxLM]
    return RuntimeAgreement(runtimes.map { RuntimeSubject($0, .config(config, .init())) })
  }

  private static let scaling = """
    "model_type": "qwen2", "hidden_size": 256, "num_attention_heads": 4, "max_position_embeddings": 8192,
    "rope_theta": 20000.0, "rope_scaling": {"rope_type": "yarn", "factor": 4.0
    """

  @Test func `a long table beside the settings changes neither finding nor cause`() throws {
    let labels = (0..<20_000).map { "\"\($0)\": \"label \($0)\"" }.joined(separator: ", ")
    let small = try Self.agreement("{\(Self.scaling)}}")
    let large = try Self.agreement("{\"id2label\": {\(labels)}, \(Self.scaling)}}")
    #expect(small.disagreements.map(\.cause?.keys) == [["/rope_scaling/original_max_position_embeddings"]])
    #expect(large.disagreements.map(\.cause) == small.disagreements.map(\.cause))
    #expect(large.disagreements.map(\.effect) == small.disagreements.map(\.effect))
  }

  @Test func `a section inside is slimmed as well`() throws {
    let labels = (0..<20_000).map { "\"\($0)\": \"label \($0)\"" }.joined(separator: ", ")
    let large = try Self.agreement(
      "{\"text_config\": {\"id2label\": {\(labels)}, \(Self.scaling)}}, \"vision_config\": {\"id2label\": {\(labels)}}}"
    )
    #expect(
      large.disagreements.map(\.cause?.keys) == [["/text_config/rope_scaling/original_max_position_embeddings"]])
  }

  /// Two thousand members, and many kinds of layers: each pair of changes tried on each would never end.
  @Test func `thousands of members and dozens of layer types end`() throws {
    let members = (0..<2000).map { ", \"key\($0)\": \($0)" }.joined()
    #expect(try Self.agreement("{\(Self.scaling)\(members)}}").disagreements.count == 1)
    let types = (0..<24).map { "\"type\($0)\"" }.joined(separator: ", ")
    let layers = (0..<24).map {
      "\"type\($0)\": {\"rope_type\": \"yarn\", \"factor\": \($0 + 2).0, \"truncate\": false, \"rope_theta\": 10000.0}"
    }.joined(separator: ", ")
    let found = try Self.agreement(
      """
      {"model_type": "gemma3_text", "head_dim": 64, "hidden_size": 256, "num_attention_heads": 4,
       "max_position_embeddings": 4096, "layer_types": [\(types)], "rope_parameters": {\(layers)}}
      """)
    #expect(found.comparisons.count >= 24)
    #expect(found.disagreements.filter { $0.cause != nil }.count <= 16)
  }
}
