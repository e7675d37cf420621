import LosslessJSON
import ModelConfig
import RoPE
import Testing

@testable import Runtimes

@Suite struct `What the authors' model files read` {
  func read(_ members: String, sequenceLength: Int? = nil) throws -> RuntimeReading {
    let text = #"{"hidden_size": 4096, "num_attention_heads": 32, "rope_theta": 500000.0, \#(members)}"#
    let config = try HuggingFaceConfig(JSONDocument(Array(text.utf8), path: "config.json"))
    let readings = Runtime.yarnRepository.read(.config(config, .init()), RuntimeOptions(sequenceLength: sequenceLength))
    return try #require(readings.first)
  }

  static let llama = #""model_type": "llama", "max_position_embeddings": 65536"#
  static let length = #""original_max_position_embeddings": 4096"#

  @Test func `YaRN is called without the base`() throws {
    let scaling = #""rope_scaling": {"type": "yarn", "factor": 16.0, \#(Self.length), "beta_fast": 8}"#
    let reading = try read("\(Self.llama), \(scaling)")
    #expect(reading.base == 10_000)
    #expect(reading.parameters?.scaling == .yarn(.init(factor: 16, originalContextLength: 4096)))
    #expect(reading.notes.map(\.key) == ["/rope_theta", "/rope_scaling/beta_fast"])
    #expect(try read(Self.llama).base == 500_000)
    #expect(try read("\(Self.llama), \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2.0}").base == 500_000)
  }

  @Test func `Mistral's file has other betas and another magnitude`() throws {
    let reading = try read(
      #""model_type": "mistral", "rope_scaling": {"type": "yarn", "factor": 16.0, "original_max_position_embeddings": 8192}"#
    )
    #expect(
      reading.parameters?.scaling
        == .yarn(.init(factor: 16, originalContextLength: 8192, betaFast: 128, betaSlow: 2)))
    let magnitude = try #require(reading.table?.attentionFactor)
    #expect(abs(magnitude - 1.194081) < 1e-6)
    #expect(try read(#""model_type": "mistral""#).base == 10_000)
  }

  @Test func `dynamic YaRN takes the length over the window, once the window is passed`() throws {
    let members = #"\#(Self.llama), "rope_scaling": {"type": "dynamic-yarn", "factor": 4.0, \#(Self.length)}"#
    #expect(try read(members).table?.attentionFactor == 1)
    #expect(try read(members, sequenceLength: 65_536).parameters?.scaling == RoPEScaling.none)
    #expect(
      try read(members, sequenceLength: 131_072).parameters?.scaling
        == .yarn(.init(factor: 2, originalContextLength: 4096)))
  }

  @Test(arguments: [
    #"{}"#, #"{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096}"#,
    #"{"type": "yarn", "factor": 4, "original_max_position_embeddings": 4096}"#,
    #"{"type": "yarn", "factor": 1.0, "original_max_position_embeddings": 4096}"#,
    #"{"type": "yarn", "factor": 4.0}"#,
    #"{"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096.0}"#,
    #"{"type": "llama3", "factor": 4.0}"#, #""yarn""#,
    #"{"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 0}"#,
  ])
  func `the dictionary is checked before anything else`(_ scaling: String) throws {
    let reading = try read("\(Self.llama), \"rope_scaling\": \(scaling)")
    #expect(reading.refused?.kind == "ValueError")
    #expect(reading.table == nil)
  }

  @Test(arguments: [
    #""hidden_size": 1e300"#, #""hidden_size": 33"#, #""num_attention_heads": 0"#, #""hidden_size": null"#,
    #""rope_theta": 0, "rope_scaling": {"type": "dynamic", "factor": 1e300}"#,
  ])
  func `no value stops the reading`(_ members: String) throws {
    let config = try HuggingFaceConfig(JSONDocument(Array("{\(members)}".utf8), path: "config.json"))
    for reading in Runtime.yarnRepository.read(.config(config, .init()), RuntimeOptions(sequenceLength: 1 << 40)) {
      #expect((reading.table == nil) == (reading.refused != nil))
    }
  }
}
