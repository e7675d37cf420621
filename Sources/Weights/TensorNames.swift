/// What a container calls the tensors of the first layer's attention; `.weight` or `.bias` follows.
struct TensorNames {
  var embedding: String
  var inputNorm: String
  /// Begins the names of all tensors of queries and keys.
  var attention: String
  var query = "q_proj", key = "k_proj"
  /// Queries, keys and values in one matrix, all heads of each behind each other.
  var stacked = "qkv_proj"
  /// The same with query, key and value of each head side by side.
  var fusedByHead: String?
  var queryNorm = "q_norm", keyNorm = "k_norm"
  var queryCompression = "q_a_proj", queryLatentNorm = "q_a_layernorm", queryExpansion = "q_b_proj"
  var keyCompression = "kv_a_proj_with_mqa", keyLatentNorm = "kv_a_layernorm", keyExpansion = "kv_b_proj"
  /// The whole name of the scores that each head adds to its softmax.
  var sinks: String
  /// The keys' part of the expansion by itself, transposed.
  var transposedKeyExpansion: String?

  static let gguf = TensorNames(
    embedding: "token_embd", inputNorm: "blk.0.attn_norm", attention: "blk.0.attn_", query: "q", key: "k",
    stacked: "qkv", queryNorm: "q_norm", keyNorm: "k_norm", queryCompression: "q_a", queryLatentNorm: "q_a_norm",
    queryExpansion: "q_b", keyCompression: "kv_a_mqa", keyLatentNorm: "kv_a_norm", keyExpansion: "kv_b",
    sinks: "blk.0.attn_sinks.weight", transposedKeyExpansion: "k_b")

  /// The names of a checkpoint, by the place of its embedding: `model.embed_tokens`, or deeper in composite models.
  ///
  /// - Returns: `nil` when no embedding has a first layer beside it.
  static func huggingFace(among names: some Sequence<String>) -> TensorNames? {
    let names = Set(names)
    for name in names.sorted() {
      for (embedding, attention) in [("embed_tokens", "self_attn."), ("embed_in", "attention.")]
      where name.hasSuffix("\(embedding).weight") {
        let prefix = String(name.dropLast("\(embedding).weight".count))
        let layer = "\(prefix)layers.0."
        guard names.contains(where: { $0.hasPrefix(layer + attention) }) else { continue }
        return TensorNames(
          embedding: prefix + embedding, inputNorm: layer + "input_layernorm", attention: layer + attention,
          fusedByHead: "query_key_value", sinks: layer + "self_attn.sinks")
      }
    }
    return nil
  }
}
