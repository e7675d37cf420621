import Bytes
import Diagnostics
import GGUF
import TestSupport
import Testing

@testable import Weights

@Suite struct RefusedLayerTests {
  static let recorded = RecordedFamily.all.first { $0.name == "llama" }

  /// The error for the recorded Llama after a change.
  private func refused(_ change: (inout RecordedFamily) -> Void) throws -> FileError? {
    var family = try #require(Self.recorded)
    change(&family)
    do {
      let layer = try family.inSafetensors()
      _ = try layer.keys(ofHeads: [0], tokens: [0])
    } catch { return try #require(error as? FileError) }
    return nil
  }

  @Test func `the unchanged layer is read`() throws { #expect(try refused { _ in } == nil) }

  @Test(arguments: ["llama4", "hunyuan_v1_dense", "olmo", "minicpm3", "qwen3_next", "something"])
  func `a family that is not known is refused by name`(family: String) throws {
    let error = try refused { $0.config["model_type"] = .text(family) }
    #expect(error?.code == .weightsFamily)
    #expect(error?.found == "how \(family) forms queries and keys is not known here")
    #expect(error?.location.key == "/model_type")
  }

  @Test(arguments: [
    "embed_tokens", "layers.0.input_layernorm", "layers.0.self_attn.q_proj", "layers.0.self_attn.k_proj",
  ])
  func `a missing tensor is named`(part: String) throws {
    let error = try refused { $0.tensors["model.\(part).weight"] = nil }
    #expect(error?.code == .weightsMissing)
    #expect(error?.location.key == "model.\(part).weight")
  }

  @Test(arguments: [
    ("layers.0.self_attn.q_proj.weight", [35, 36]), ("layers.0.self_attn.q_proj.weight", [2, 36]),
    ("layers.0.self_attn.q_proj.weight", [36, 35]), ("layers.0.self_attn.k_proj.weight", [13, 36]),
    ("layers.0.self_attn.k_proj.weight", [24, 36]), ("layers.0.self_attn.q_proj.bias", [35]),
    ("layers.0.self_attn.k_proj.bias", [2, 12]), ("layers.0.input_layernorm.weight", [37]),
    ("embed_tokens.weight", [24, 0]),
  ]) func `a shape that does not fit is refused`(tensor: String, shape: [Int]) throws {
    #expect(try refused { $0.tensors["model.\(tensor)"] = shape }?.code == .weightsShape)
  }

  @Test(arguments: ["q_proj.weight_scale", "k_norm2.weight", "q_layernorm.weight", "qkv.weight"])
  func `a tensor that may change queries or keys in an unknown way is refused`(part: String) throws {
    let name = "model.layers.0.self_attn.\(part)"
    let error = try refused { $0.tensors[name] = [4] }
    #expect(error?.code == .weightsFamily)
    #expect(error?.location.key == name)
  }

  @Test func `values and buffers beside them do not matter`() throws {
    #expect(try refused { $0.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = [6] } == nil)
  }

  @Test(
    arguments: [
      ("num_attention_heads", nil, "bad-number"), ("num_attention_heads", 0.0, "bad-length"),
      ("num_attention_heads", 1e300, "bad-length"), ("num_attention_heads", 1e15, "weights-shape"),
      ("rms_norm_eps", nil, "weights-setting"), ("rms_norm_eps", 0, "bad-number"), ("rms_norm_eps", -1, "bad-number"),
      ("clip_qkv", -1, "bad-number"),
    ] as [(String, Double?, String)])
  func `a setting that cannot be used is refused`(key: String, value: Double?, code: String) throws {
    let error = try refused { $0.config[key] = value.map { .number($0) } }
    #expect(error?.code.rawValue == code)
  }

  @Test func `a stated limit cuts queries and keys`() throws {
    var family = try #require(Self.recorded)
    let free = try family.inSafetensors().keys(ofHeads: [0], tokens: [1])[0]
    family.config["clip_qkv"] = .number(0.25)
    let cut = try family.inSafetensors().keys(ofHeads: [0], tokens: [1])[0]
    #expect(cut == free.map { min(max($0, -0.25), 0.25) })
    #expect(cut != free)
  }

  @Test func `products beyond float32 are refused, not passed on`() throws {
    let huge = [Float](repeating: .greatestFiniteMagnitude, count: 16)
    func tensor(_ name: String, _ dimensions: [UInt64], _ values: [Float]) -> GGUFBuilder.Tensor {
      .init(name, dimensions, data: values.flatMap { $0.littleEndianBytes })
    }
    let builder = GGUFBuilder(
      metadata: [
        ("general.architecture", .string("llama")), ("llama.attention.head_count", .uint32(1)),
        ("llama.attention.layer_norm_rms_epsilon", .float32(1e-5)),
      ],
      tensors: [
        tensor("token_embd.weight", [4, 1], [1, 1, 1, 1]), tensor("blk.0.attn_norm.weight", [4], [1, 1, 1, 1]),
        tensor("blk.0.attn_q.weight", [4, 4], huge), tensor("blk.0.attn_k.weight", [4, 4], huge),
      ])
    let source = MemorySource(builder.bytes())
    let layer = try FirstLayer([(try GGUFFile(source), source)])
    let error = refusal { () throws(FileError) in try layer.queries(ofHeads: [0], tokens: [0]) }
    #expect(error?.code == .weightsNotFinite)
    #expect(error?.location.key == "blk.0.attn_q.weight")
  }
}
