import Bytes
import Diagnostics
import GGUF
import TestSupport
import Testing

@testable import ModelConfig

@Suite struct AttentionSettingsTests {
  private func gguf(
    _ architecture: String, _ more: [(String, GGUFBuilder.Value)] = [], heads: GGUFBuilder.Value = .uint32(32)
  ) throws -> GGUFFile {
    let own: [(String, GGUFBuilder.Value)] = [("attention.head_count", heads)] + more
    let builder = GGUFBuilder(
      metadata: [("general.architecture", .string(architecture))] + own.map { ("\(architecture).\($0.0)", $0.1) })
    return try GGUFFile(MemorySource(builder.bytes()))
  }

  @Test func `a config without optional members leaves them open`() throws {
    let settings = try config(#"{"model_type":"llama","num_attention_heads":8}"#).attentionSettings()
    #expect(settings.headCount.value == 8)
    #expect(settings.headCount.place.key == "/num_attention_heads")
    #expect(settings.headDimension == nil && settings.normEpsilon == nil && settings.softmaxScale == nil)
    #expect(settings.clamp == nil && settings.firstLayerSlides == nil && settings.embeddingMultiplier == nil)
  }

  @Test func `members of the language section go before those outside`() throws {
    let text = """
      {"model_type":"gemma3","num_attention_heads":2,"text_config":{"model_type":"gemma3_text","rope_theta":1e6,
      "num_attention_heads":8,"head_dim":256,"rms_norm_eps":1e-6,"query_pre_attn_scalar":256,
      "layer_types":["sliding_attention","full_attention"],"attn_logit_softcapping":null}}
      """
    let settings = try config(text).attentionSettings()
    #expect(settings.family.value == "gemma3_text")
    #expect(settings.headCount.value == 8)
    #expect(settings.headDimension?.value == 256)
    #expect(settings.softmaxScale?.value == 1.0 / 16)
    #expect(settings.firstLayerSlides == true)
    #expect(settings.scoreCap == nil)
  }

  @Test func `latent heads are as wide as both of their parts`() throws {
    let text = #"{"model_type":"deepseek_v3","num_attention_heads":8,"qk_nope_head_dim":128,"qk_rope_head_dim":64}"#
    let settings = try config(text).attentionSettings()
    #expect(settings.headDimension?.value == 192)
    #expect(settings.latentRotaryDimension?.value == 64)
  }

  @Test(
    arguments: [
      ("gemma2", 46, 4608, 144.0), ("gemma3", 62, 5376, 168), ("gemma3", 48, 3840, nil), ("llama", 46, 4608, nil),
    ] as [(String, UInt32, UInt32, Double?)])
  func `Gemma's largest models divide scores by the width of a head's share`(
    architecture: String, depth: UInt32, width: UInt32, share: Double?
  ) throws {
    let settings = try gguf(architecture, [("block_count", .uint32(depth)), ("embedding_length", .uint32(width))])
      .attentionSettings()
    #expect(settings.softmaxScale?.value == share.map { 1 / $0.squareRoot() })
  }

  @Test func `zero means that a GGUF's value does not apply`() throws {
    let settings = try gguf("granite", [("attention.scale", .float32(0)), ("embedding_scale", .float32(12))])
      .attentionSettings()
    #expect(settings.softmaxScale == nil)
    #expect(settings.embeddingMultiplier?.value == 12)
  }

  @Test(arguments: [
    ("attention.clamp_kqv", GGUFBuilder.Value.float32(-8), "bad-number"),
    ("attention.layer_norm_rms_epsilon", .float32(.nan), "bad-number"),
    ("attention.layer_norm_epsilon", .string("small"), "bad-number"),
    ("attention.key_length", .int32(-128), "bad-length"),
  ]) func `a value of a GGUF that cannot be used is refused`(
    key: String, value: GGUFBuilder.Value, code: String
  ) throws {
    let file = try gguf("llama", [(key, value)])
    let error = refusal { () throws(FileError) in try file.attentionSettings() }
    #expect(error?.code.rawValue == code)
    #expect(error?.location.key == "llama.\(key)")
  }

  @Test func `head counts that differ by layer are refused`() throws {
    let file = try gguf("llama", heads: .array(type: 4, [.uint32(8), .uint32(4)]))
    let error = refusal { () throws(FileError) in try file.attentionSettings() }
    #expect(error?.code == .badLength)
    #expect(error?.found == "the value is a list of 2")
  }
}
