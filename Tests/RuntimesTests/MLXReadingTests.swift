import LosslessJSON
import ModelConfig
import RoPE
import Testing

@testable import Runtimes

@Suite struct `What mlx-lm's model files read` {
  static let shape = #""hidden_size": 256, "num_attention_heads": 4, "head_dim": 64, "max_position_embeddings": 8192"#
  static let yarn = #"{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048}"#
  static let newer =
    #"{"rope_type": "yarn", "rope_theta": 5e5, "factor": 8.0, "original_max_position_embeddings": 1024}"#

  func read(_ members: String) throws -> [RuntimeReading] {
    let text = "{\(Self.shape), \(members)}"
    let config = try HuggingFaceConfig(JSONDocument(Array(text.utf8), path: "config.json"))
    return Runtime.mlxLM.read(.config(config, .init()), RuntimeOptions())
  }

  @Test(
    arguments: [
      ("llama", 10_000, "default", nil), ("qwen2", 1_000_000, "default", nil), ("gpt_oss", 150_000, "default", nil),
      ("qwen3", 5e5, "yarn", 8), ("exaone_moe", 5e5, "default", nil), ("glm_moe_dsa", 5e5, "yarn", 8.0),
    ] as [(String, Double, String, Double?)])
  func `of a file with rope_parameters alone`(_ family: String, _ base: Double, _ kind: String, _ factor: Double?)
    throws
  {
    let reading = try #require(
      try read(#""model_type": "\#(family)", "qk_rope_head_dim": 64, "rope_parameters": \#(Self.newer)"#).first)
    #expect(reading.refused == nil)
    #expect(reading.base == base)
    #expect(reading.kind == kind)
    #expect(reading.factor == factor)
  }

  @Test func `legacy members win in qwen3`() throws {
    let reading = try #require(
      try read(
        #""model_type": "qwen3", "rope_theta": 20000, "rope_scaling": \#(Self.yarn), "rope_parameters": \#(Self.newer)"#
      ).first)
    #expect(reading.base == 20_000)
    #expect(reading.factor == 4)
    #expect(reading.notes.contains { $0.code == "ignored-key" && $0.key == "/rope_parameters" })
  }

  @Test(arguments: ["qwen3_moe", "mixtral", "cohere"])
  func `some files never scale`(_ family: String) throws {
    let reading = try #require(
      try read(#""model_type": "\#(family)", "rope_theta": 20000, "rope_scaling": \#(Self.yarn)"#).first)
    #expect(reading.kind == "default")
    #expect(reading.table?.attentionFactor == 1)
    #expect(reading.notes.contains { $0.code == "ignored-key" && $0.key == "/rope_scaling/factor" })
  }

  @Test(arguments: [
    #""model_type": "llama", "rope_parameters": 3"#, #""model_type": "mixtral", "rope_scaling": "yarn""#,
    #""model_type": "glm_moe_dsa", "qk_rope_head_dim": 64, "rope_scaling": [], "rope_parameters": {"rope_theta": 1e4}"#,
  ])
  func `a member that no code looks at can be anything`(_ members: String) throws {
    let reading = try #require(try read(members).first)
    #expect(reading.refused == nil)
    #expect(reading.kind == "default")
  }

  @Test func `sliding layers have their own base and no scaling`() throws {
    let readings = try read(
      #""model_type": "gemma3_text", "rope_theta": 1e6, "rope_scaling": {"rope_type": "linear", "factor": 8.0}"#)
    #expect(readings.map(\.layerType) == ["full_attention", "sliding_attention"])
    #expect(readings.map(\.base) == [1_000_000, 10_000])
    #expect(readings.map(\.kind) == ["linear", "default"])
  }

  @Test func `gemma4 without rope_parameters has its own, and a wider head in full layers`() throws {
    let readings = try read(#""model_type": "gemma4", "text_config": {"head_dim": 256, "layer_types": []}"#)
    #expect(readings.map(\.kind) == ["proportional", "default"])
    #expect(readings.map { $0.table?.inverseFrequencies.count } == [256, 128])
    #expect(readings.first?.table?.inverseFrequencies.filter { $0 == 0 }.count == 192)
  }

  @Test func `a wrapper reads its text_config`() throws {
    let inner = "{\(Self.shape), \"model_type\": \"ministral3\", \"rope_parameters\": \(Self.newer)}"
    let reading = try #require(try read(#""model_type": "mistral3", "text_config": \#(inner)"#).first)
    #expect(reading.refused?.kind == "KeyError")
    #expect(reading.refused?.missingKey == "llama_4_scaling_beta")
  }

  @Test(arguments: [
    (#""model_type": "no_such_model""#, "ValueError"),
    (#""model_type": "qwen3""#, "ValueError"),
    (#""model_type": "qwen3_moe""#, "TypeError"),
    (#""model_type": "llama", "rope_theta": null"#, "TypeError"),
    (#""model_type": "llama", "rope_scaling": "yarn""#, "AttributeError"),
    (#""model_type": "llama", "rope_scaling": {"rope_type": null}"#, "ValueError"),
    (#""model_type": "llama", "rope_scaling": {"type": "linear"}"#, "KeyError"),
    (#""model_type": "llama", "rope_scaling": {"type": "linear", "factor": 0}"#, "ZeroDivisionError"),
    (#""model_type": "llama", "rope_scaling": {"type": "yarn", "factor": "4"}"#, "TypeError"),
    (#""model_type": "llama", "rope_scaling": {"type": "mrope", "mrope_section": [1, 2]}"#, "AssertionError"),
    (#""model_type": "gpt_oss", "rope_scaling": {"type": "dynamic", "factor": 2.0}"#, "TypeError"),
    (#""model_type": "deepseek_v2""#, "AttributeError"),
    (#""model_type": "deepseek", "rope_scaling": {"type": "linear", "factor": 2}"#, "AssertionError"),
    (#""model_type": "internlm2", "rope_scaling": {"type": "yarn", "factor": 2.0}"#, "ValueError"),
    (#""model_type": "gemma3""#, "TypeError"),
  ])
  func `refusals with Python's kind of error`(_ members: String, _ kind: String) throws {
    #expect(try read(members).map { $0.refused?.kind } == [kind])
  }

  @Test func `type wins over rope_type, an empty one does not`() throws {
    func kind(_ type: String) throws -> String? {
      try read(
        #""model_type": "llama", "rope_scaling": {"type": \#(type), "rope_type": "linear", "factor": 2.0}"#
      ).first?.kind
    }
    #expect(try kind(#""yarn""#) == "yarn")
    #expect(try kind(#""""#) == "linear")
    #expect(try kind("null") == "linear")
  }

  @Test func `phi3 announces a kind it does not know and runs unscaled`() throws {
    let reading = try #require(
      try read(#""model_type": "phi3", "rope_scaling": {"type": "yarn", "long_factor": [1]}"#).first)
    #expect(reading.kind == "default")
    #expect(reading.notes.contains { $0.code == "warning" })
  }

  @Test func `what YaRN does not read is told, and the length it assumes`() throws {
    let reading = try #require(
      try read(
        #""model_type": "llama", "rope_scaling": {"type": "yarn", "factor": 4.0, "truncate": false, "attention_factor": 2.0}"#
      ).first)
    #expect(reading.originalContext == 4096)
    #expect(
      reading.notes.map(\.key) == [
        "/rope_scaling/original_max_position_embeddings", "/rope_scaling/truncate", "/rope_scaling/attention_factor",
        "/rope_theta",
      ])
  }

  @Test(arguments: [
    #""head_dim": 1e300"#, #""head_dim": -64"#, #""head_dim": 63"#, #""head_dim": NaN"#, #""head_dim": 10000000000"#,
    #""num_attention_heads": 0"#, #""rope_theta": -1"#, #""rope_theta": 1"#, #""rope_theta": Infinity"#,
    #""rope_scaling": {"type": "yarn", "factor": -4.0}"#, #""rope_scaling": {"type": "yarn", "factor": 0}"#,
    #""rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": -1}"#,
    #""rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": Infinity}"#,
    #""rope_scaling": {"type": "proportional", "partial_rotary_factor": 1e300}"#,
    #""rope_scaling": {"type": "proportional", "partial_rotary_factor": -1}"#,
    #""rope_scaling": {"type": "llama3", "factor": 0, "low_freq_factor": 1, "high_freq_factor": 1}"#,
    #""rope_scaling": {"type": "longrope", "original_max_position_embeddings": 0, "short_factor": [], "long_factor": []}"#,
    #""rope_scaling": {"type": "dynamic", "factor": 1e300}"#, #""partial_rotary_factor": 1e300"#,
    #""rope_scaling": [], "rope_parameters": 3"#, #""text_config": 3"#, #""layer_types": [[]], "rope_parameters": {}"#,
  ])
  func `no value stops the reading`(_ members: String) throws {
    for family in ["llama", "qwen2", "gemma3_text", "gemma4_text", "laguna", "phi3", "glm4", "deepseek_v3", "qwen3_5"] {
      let text = "{\"model_type\": \"\(family)\", \"hidden_size\": 256, \"num_attention_heads\": 4, \(members)}"
      guard let document = try? JSONDocument(Array(text.utf8), path: "config.json"),
        let config = try? HuggingFaceConfig(document)
      else { continue }
      for reading in Runtime.mlxLM.read(.config(config, .init()), RuntimeOptions(sequenceLength: 1 << 40)) {
        #expect((reading.table == nil) == (reading.refused != nil))
      }
    }
  }
}
