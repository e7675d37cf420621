import Diagnostics
import LosslessJSON
import RoPE

extension HuggingFaceConfig {
  /// The cache of the language model's layers.
  ///
  /// - Parameters:
  ///   - declarations: Of this file, full attention first; their head sizes are used.
  ///   - shapes: Rows of the key projection, used where the file states no number of key heads.
  /// - Throws: `not-stated` with the member that is missing, `bad-length` for an unusable one.
  package func keyValueCache(_ declarations: [RoPEDeclaration], _ shapes: TensorShapes) throws(FileError)
    -> KeyValueCache
  {
    guard let depth = try count(ConfigKey.depths, atMost: KeyValueCache.largestDepth) else {
      throw unstated("num_hidden_layers", "the number of layers")
    }
    var bounds: [String] = []
    var notes: [String] = []
    let full: KeyValueCache.Layers
    var sliding: KeyValueCache.Layers
    if let rank = try count(["kv_lora_rank"]), let rotating = try count(["qk_rope_head_dim"]) {
      let index = try count(["index_head_dim"]) ?? 0
      full = KeyValueCache.Layers(elements: rank + rotating + index)
      sliding = full
      notes.append("in the compressed form of latent attention; engines that expand keys and values keep them per head")
    } else {
      full = try layer(declarations.first, shapes, ["num_global_key_value_heads"], head: [], value: [], &bounds)
      sliding = try layer(
        declarations.first { $0.layerType == "sliding_attention" } ?? declarations.first, shapes,
        ["swa_num_key_value_heads"], head: ["swa_head_dim"], value: ["swa_v_head_dim"], &bounds)
    }
    let slides = try self.slides(depth: depth, &bounds)
    let each = slides.map { kind in
      switch kind {
      case .full: return full
      case .within(let window):
        sliding.window = window
        return sliding
      case .fixed: return .nothing
      }
    }
    var cache = KeyValueCache(each)
    let savings = Self.savings.filter { isSet($0) && !(stated("layer_types") && Self.impliedByLayerTypes.contains($0)) }
    cache.bounds = bounds + savings.map { "\($0) lets some layers keep less" }
    cache.notes = notes
    return cache
  }

  // MARK: one layer

  private func layer(
    _ declaration: RoPEDeclaration?, _ shapes: TensorShapes, _ ownHeads: [String], head: [String], value: [String],
    _ bounds: inout [String]
  ) throws(FileError) -> KeyValueCache.Layers {
    guard let key = try count(head) ?? declaration?.headDimension?.value else {
      // One that is too long to be declared is named as such.
      _ = try count([ConfigKey.headDimension], atMost: RoPEParameters.maximumDimension)
      throw unstated(ConfigKey.headDimension, "the size of a head")
    }
    let width = try count(value + ["v_head_dim"]) ?? key
    let general = try keyHeads()
    if let heads = try count(ownHeads) ?? general {
      return KeyValueCache.Layers(heads: heads, key: key, value: width)
    }
    if let rows = shapes.keyRows?.value, rows <= KeyValueCache.largestCount, rows % key == 0 {
      return KeyValueCache.Layers(heads: rows / key, key: key, value: width)
    }
    guard let heads = try count(["num_attention_heads", "n_head", "n_heads"]) else {
      throw unstated("num_key_value_heads", "the number of key and value heads")
    }
    let bound = "num_key_value_heads is not stated; there are at most the \(heads) query heads"
    if !bounds.contains(bound) { bounds.append(bound) }
    return KeyValueCache.Layers(heads: heads, key: key, value: width)
  }

  /// Falcon's older code and ChatGLM's share keys by a flag of their own.
  private func keyHeads() throws(FileError) -> Int? {
    if node("multi_query")?.node.value.bool == true, node("new_decoder_architecture")?.node.value.bool != true {
      return 1
    }
    if node("multi_query_attention")?.node.value.bool == true { return try count(["multi_query_group_num"]) }
    return try count(["num_key_value_heads", "num_kv_heads", "n_head_kv", "attn_config/kv_n_heads"])
  }

  // MARK: which layers hold how many tokens

  private enum Reach {
    case full
    case within(Int)
    /// A state of fixed size.
    case fixed
  }

  /// - Source: `layer_types` and what transformers 5.23 derives it from where a config lacks it.
  private func slides(depth: Int, _ bounds: inout [String]) throws(FileError) -> [Reach] {
    let window = try count(["sliding_window", "sliding_window_size"], atMost: Int.max)
    let chunk = try count(["attention_chunk_size"], atMost: Int.max)
    if let (pointer, list) = node("layer_types"), let elements = list.value.elements {
      guard elements.count >= depth else {
        throw unusable(pointer, found: "\(elements.count) kinds of layers", expected: "\(depth), one for each layer")
      }
      var result: [Reach] = []
      for element in elements.prefix(depth) {
        switch element.value.string {
        case "full_attention", "attention": result.append(.full)
        case "sliding_attention": result.append(window.map { .within($0) } ?? .full)
        case "chunked_attention": result.append(chunk.map { .within($0) } ?? .full)
        case "linear_attention", "mamba", "mamba2", "conv", "recurrent": result.append(.fixed)
        default: throw unusable(pointer, found: element.value.noun, expected: "kinds of layers whose cache is known")
        }
      }
      return result
    }
    if let interval = try count(["full_attention_interval"]) {
      return (1...depth).map { $0 % interval == 0 ? .full : .fixed }
    }
    guard let window, node("use_sliding_window")?.node.value.bool != false else {
      return Array(repeating: .full, count: depth)
    }
    if let first = node("max_window_layers")?.node.value.number?.integer {
      return (0..<depth).map { $0 < first ? .full : .within(window) }
    }
    // EXAONE spells local and global layers out, such as LLLG.
    if let letters = node("sliding_window_pattern")?.node.value.string?.utf8.map({ $0 }), !letters.isEmpty {
      return (0..<depth).map { letters[$0 % letters.count] == UInt8(ascii: "L") ? .within(window) : .full }
    }
    if let pattern = try count(["sliding_window_pattern", "_sliding_window_pattern"]) {
      return (1...depth).map { $0 % pattern == 0 ? .full : .within(window) }
    }
    bounds.append("layers that slide keep at most \(window) tokens, and the file does not say which do")
    return Array(repeating: .full, count: depth)
  }

  /// Members whose presence means that some layers keep less than their shape says.
  private static let savings =
    ["num_kv_shared_layers", "cross_attention_layers", "attention_k_eq_v"] + impliedByLayerTypes
  private static let impliedByLayerTypes = [
    "attention_chunk_size", "attn_layer_period", "attn_layer_indices", "full_attn_idxs", "hybrid_override_pattern",
    "layers_block_type",
  ]

  // MARK: members

  /// The first member that is there and neither null nor 0.
  private func count(_ keys: [String], atMost limit: Int = KeyValueCache.largestCount) throws(FileError) -> Int? {
    for key in keys {
      guard let (pointer, node) = node(key), !node.value.isNull, node.value.number?.double != 0,
        node.value.bool != false
      else { continue }
      var reader = SettingReader(self)
      guard let length = reader.length(pointer)?.value, length <= limit else {
        throw reader.problems.first ?? unusable(pointer, found: node.value.phrase)
      }
      return length
    }
    return nil
  }

  private func stated(_ key: String) -> Bool { node(key)?.node.value.elements != nil }

  private func isSet(_ key: String) -> Bool {
    switch node(key)?.node.value {
    case nil, .null, .bool(false): false
    case .number(let number): number.double != 0
    case .array(let elements): !elements.isEmpty
    default: true
    }
  }

  private func unstated(_ key: String, _ what: String) -> FileError {
    FileError(
      .notStated, at: place("\(section)/\(key)"), found: "the member is missing", expected: what,
      remedy: "take it from the model's original config.json")
  }

  private func unusable(_ key: String, found: String, expected: String = "a number that some model has") -> FileError {
    FileError(
      .badLength, at: place(key.hasPrefix("/") ? key : "\(section)/\(key)"), found: found, expected: expected,
      remedy: "correct the member by hand, or take it from the model's original config.json")
  }
}
