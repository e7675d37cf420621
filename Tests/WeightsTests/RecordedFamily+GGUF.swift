import Bytes
import GGUF
import TestSupport

@testable import Weights

/// What llama.cpp's converter makes of the recorded families.
extension RecordedFamily {
  var architecture: String? {
    switch modelType {
    case "gemma3_text": "gemma3"
    case "gpt_neox": "gptneox"
    case "gpt_oss": "gpt-oss"
    case "phi": "phi2"
    case "cohere": "command-r"
    case "deepseek_v2": "deepseek2"
    case "deepseek_v3": name == modelType ? "deepseek2" : nil
    case "mistral": "llama"
    case "olmo3": nil
    default: modelType
    }
  }

  /// Families whose rows are brought from halves into adjacent pairs.
  private var isPermuted: Bool { ["llama", "granite", "smollm3", "arcee"].contains(architecture) }

  /// - Parameter splitsKeys: Whether the expansion of latent keys stands by itself, transposed.
  func inGGUF(splitsKeys: Bool = false) throws -> FirstLayer {
    let heads = integer("num_attention_heads") ?? 0
    var tensors: [GGUFBuilder.Tensor] = []
    for name in self.tensors.keys.sorted() {
      guard let shape = self.tensors[name], let converted = converted(name) else { continue }
      var values = numbers(name)
      let width = shape.count == 2 ? shape[1] : 1
      if modelType.hasPrefix("gemma"), name.hasSuffix("norm.weight") { values = values.map { 1 + $0 } }
      if isPermuted, converted.hasPrefix("blk.0.attn_q.") { values = permuted(values, width, heads) }
      if isPermuted, converted.hasPrefix("blk.0.attn_k.") {
        values = permuted(values, width, integer("num_key_value_heads") ?? heads)
      }
      if converted.hasPrefix("blk.0.attn_qkv.") && modelType == "gpt_neox" { values = unfused(values, width, heads) }
      if splitsKeys, name.hasSuffix("kv_b_proj.weight") {
        let (lanes, stride, latent) = (integer("qk_nope_head_dim") ?? 0, shape[0] / heads, width)
        let keys = (0..<heads * latent * lanes).map { i in
          values[(i / (latent * lanes) * stride + i % lanes) * latent + i / lanes % latent]
        }
        tensors.append(tensor("blk.0.attn_k_b.weight", [lanes, latent, heads], keys))
      } else {
        tensors.append(tensor(converted, shape.reversed(), values))
      }
    }
    let source = MemorySource(GGUFBuilder(metadata: metadata(heads), tensors: tensors).bytes(), path: "model.gguf")
    return try FirstLayer([(try GGUFFile(source), source)])
  }

  private func tensor(_ name: String, _ dimensions: [Int], _ values: [Float]) -> GGUFBuilder.Tensor {
    .init(name, dimensions.map { UInt64($0) }, data: values.flatMap { $0.littleEndianBytes })
  }

  private func metadata(_ heads: Int) -> [(key: String, value: GGUFBuilder.Value)] {
    let name = architecture ?? ""
    var entries: [(key: String, value: GGUFBuilder.Value)] = [
      ("general.architecture", .string(name)), ("\(name).attention.head_count", .uint32(UInt32(heads))),
      ("\(name).embedding_length", .uint32(UInt32(integer("hidden_size") ?? 0))), ("\(name).block_count", .uint32(1)),
      ("\(name).rope.dimension_count", .uint32(UInt32(rotaryDimension))),
    ]
    func add(_ key: String, _ value: Double?) {
      if let value { entries.append(("\(name).\(key)", .float32(Float(value)))) }
    }
    let isLayerNorm = number("layer_norm_eps") ?? number("norm_epsilon")
    add("attention.layer_norm_epsilon", isLayerNorm)
    add("attention.layer_norm_rms_epsilon", isLayerNorm == nil ? number("rms_norm_eps") : nil)
    add("embedding_scale", number("embedding_multiplier"))
    add("attention.scale", number("attention_multiplier"))
    add("attn_logit_softcapping", number("attn_logit_softcapping"))
    // Not a key of the format: the small models' scalar is not their head size, as it is in the published ones.
    add("attention.scale", number("query_pre_attn_scalar").map { 1 / $0.squareRoot() })
    let latent = integer("qk_nope_head_dim").map { $0 + rotaryDimension }
    if let lanes = latent ?? integer("head_dim") {
      entries.append(("\(name).attention.\(latent == nil ? "key_length" : "key_length_mla")", .uint32(UInt32(lanes))))
    }
    return entries
  }

  private func converted(_ name: String) -> String? {
    let names = [
      "embed_tokens": "token_embd", "embed_in": "token_embd", "input_layernorm": "blk.0.attn_norm",
      "q_proj": "blk.0.attn_q", "k_proj": "blk.0.attn_k", "qkv_proj": "blk.0.attn_qkv",
      "query_key_value": "blk.0.attn_qkv", "q_norm": "blk.0.attn_q_norm", "k_norm": "blk.0.attn_k_norm",
      "q_a_proj": "blk.0.attn_q_a", "q_a_layernorm": "blk.0.attn_q_a_norm", "q_b_proj": "blk.0.attn_q_b",
      "kv_a_proj_with_mqa": "blk.0.attn_kv_a_mqa", "kv_a_layernorm": "blk.0.attn_kv_a_norm",
      "kv_b_proj": "blk.0.attn_kv_b",
    ]
    if name.hasSuffix("self_attn.sinks") { return "blk.0.attn_sinks.weight" }
    let parts = name.split(separator: ".")
    guard parts.count > 1, let converted = names[String(parts[parts.count - 2])] else { return nil }
    return "\(converted).\(parts[parts.count - 1])"
  }

  /// Rows i and i + d/2 of each head become rows 2i and 2i + 1.
  private func permuted(_ values: [Float], _ width: Int, _ heads: Int) -> [Float] {
    let lanes = values.count / width / heads
    return (0..<heads * lanes).flatMap { row in
      let lane = row % lanes
      let from = row - lane + (lane % 2 == 0 ? lane / 2 : lanes / 2 + lane / 2)
      return values[from * width..<(from + 1) * width]
    }
  }

  /// Query, key and value of each head side by side become all queries, all keys, all values.
  private func unfused(_ values: [Float], _ width: Int, _ heads: Int) -> [Float] {
    let lanes = values.count / width / heads / 3
    return (0..<3 * heads * lanes).flatMap { row in
      let (part, head, lane) = (row / (heads * lanes), row / lanes % heads, row % lanes)
      let from = (head * 3 + part) * lanes + lane
      return values[from * width..<(from + 1) * width]
    }
  }
}
