import Bytes
import Diagnostics
import GGUF
import TestSupport
import Testing

@testable import ModelConfig

/// Memory of keys and values, against numbers computed by hand from the shapes that publishers state.
@Suite struct KeyValueCacheTests {
  private func cache(_ text: String) throws -> KeyValueCache {
    let config = try config(text)
    return try config.keyValueCache(config.ropeDeclarations().declarations, TensorShapes())
  }

  private func gguf(_ architecture: String, _ own: [(String, GGUFBuilder.Value)]) throws -> KeyValueCache {
    let bytes = GGUFBuilder(
      metadata: [("general.architecture", .string(architecture))] + own.map { ("\(architecture).\($0.0)", $0.1) }
    ).bytes()
    return try GGUFFile(MemorySource(bytes)).keyValueCache(in: MemorySource(bytes))
  }

  // MARK: config.json

  struct Shape: Sendable, CustomTestStringConvertible {
    var name: String
    /// Members beside `rope_theta`.
    var members: String
    var tokens = 1
    /// At two bytes for a number.
    var bytes: UInt64
    var isExact = true
    var testDescription: String { name }
  }

  static let shapes = [
    // 2 (keys and values) · layers · heads · head size · 2 bytes
    Shape(
      name: "Llama 3.2 3B, grouped heads",
      members: """
        "num_hidden_layers":28,"num_attention_heads":24,"num_key_value_heads":8,"head_dim":128,"hidden_size":3072
        """, tokens: 131072, bytes: 15_032_385_536),
    Shape(
      name: "Llama 2 13B, a head for each query",
      members: #""num_hidden_layers":40,"num_attention_heads":40,"num_key_value_heads":40,"hidden_size":5120"#,
      bytes: 819_200),
    Shape(
      name: "Qwen2.5 7B, whose window is switched off",
      members: """
        "num_hidden_layers":28,"num_attention_heads":28,"num_key_value_heads":4,"hidden_size":3584,
        "sliding_window":131072,"use_sliding_window":false,"max_window_layers":28
        """, tokens: 1000, bytes: 57_344_000),
    // (512 + 64) · 61 · 2
    Shape(
      name: "DeepSeek R1, latent attention",
      members: """
        "num_hidden_layers":61,"num_attention_heads":128,"num_key_value_heads":128,"kv_lora_rank":512,
        "qk_rope_head_dim":64,"qk_nope_head_dim":128,"v_head_dim":128
        """, bytes: 70_272),
    // (512 + 64 + 128) · 78 · 2
    Shape(
      name: "GLM 5, latent attention with an index",
      members: """
        "num_hidden_layers":78,"num_attention_heads":64,"kv_lora_rank":512,"qk_rope_head_dim":64,
        "qk_nope_head_dim":192,"index_head_dim":128
        """, bytes: 109_824),
    // 22 layers hold 512 tokens, 4 hold all: 2 · 256 · 2 · (22 · 512 + 4 · 32768)
    Shape(
      name: "Gemma 3 1B, every sixth layer holds all",
      members: """
        "num_hidden_layers":26,"num_attention_heads":4,"num_key_value_heads":1,"head_dim":256,"sliding_window":512,
        "sliding_window_pattern":6
        """, tokens: 32768, bytes: 145_752_064),
    // 2 · 8 · 64 · 2 · (1 · 128 + 1 · 4096)
    Shape(
      name: "layers by their types",
      members: """
        "num_hidden_layers":3,"num_attention_heads":64,"num_key_value_heads":8,"head_dim":64,"sliding_window":128,
        "layer_types":["sliding_attention","full_attention","linear_attention"]
        """, tokens: 4096, bytes: 8_650_752),
    // Short of the window all layers hold all tokens.
    Shape(
      name: "a sequence within the sliding window",
      members: """
        "num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":64,"sliding_window":128,
        "layer_types":["sliding_attention","full_attention"]
        """, tokens: 100, bytes: 102_400),
    // 6 · 8192 elements hold 1024 tokens, 1 · 4096 hold 2048.
    Shape(
      name: "Gemma 4, whose full layers have heads of their own",
      members: """
        "num_hidden_layers":7,"num_attention_heads":32,"num_key_value_heads":16,"head_dim":256,"global_head_dim":512,
        "num_global_key_value_heads":4,"sliding_window":1024,
        "rope_parameters":{"full_attention":{"rope_theta":1e6,"rope_type":"default"},
          "sliding_attention":{"rope_theta":1e4,"rope_type":"default"}},
        "layer_types":["sliding_attention","sliding_attention","sliding_attention","sliding_attention",
          "sliding_attention","sliding_attention","full_attention"]
        """, tokens: 2048, bytes: 117_440_512),
    // 2 · 2 · 128 · 2 · (3 · 64 + 1 · 32)
    Shape(
      name: "Qwen2 with its window on, from the fourth layer on",
      members: """
        "num_hidden_layers":4,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":128,"sliding_window":32,
        "use_sliding_window":true,"max_window_layers":3
        """, tokens: 64, bytes: 229_376),
    // 2 · 1 · 8 · 2 · (3 · 4 + 1 · 10)
    Shape(
      name: "EXAONE 4, layers by letters",
      members: """
        "num_hidden_layers":4,"num_attention_heads":4,"num_key_value_heads":1,"head_dim":8,"sliding_window":4,
        "sliding_window_pattern":"LLLG"
        """, tokens: 10, bytes: 704),
    Shape(
      name: "Qwen3-Next, three of four layers have a fixed state",
      members: """
        "num_hidden_layers":48,"num_attention_heads":16,"num_key_value_heads":2,"head_dim":256,
        "full_attention_interval":4
        """, bytes: 24_576),
    Shape(
      name: "values of another width than keys",
      members: """
        "num_hidden_layers":1,"num_attention_heads":4,"num_key_value_heads":4,"head_dim":192,"v_head_dim":128
        """, bytes: 2560),
    Shape(
      name: "ChatGLM's groups",
      members: """
        "num_layers":28,"num_attention_heads":32,"multi_query_attention":true,"multi_query_group_num":2,
        "kv_channels":128
        """, bytes: 28_672),
    Shape(
      name: "the older Falcon's one head",
      members: """
        "num_hidden_layers":32,"num_attention_heads":71,"num_kv_heads":71,"hidden_size":4544,"multi_query":true,
        "new_decoder_architecture":false
        """, bytes: 8192),
    Shape(
      name: "heads that are not stated",
      members: #""num_hidden_layers":2,"num_attention_heads":4,"head_dim":8"#, bytes: 256, isExact: false),
    Shape(
      name: "a sliding window without the layers it is for",
      members: """
        "num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":1,"head_dim":8,"sliding_window":2
        """, tokens: 10, bytes: 640, isExact: false),
    Shape(
      name: "layers that see images alone",
      members: """
        "num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":1,"head_dim":8,"cross_attention_layers":[1]
        """, bytes: 64, isExact: false),
  ]

  @Test(arguments: shapes) func `a config's cache is as large as its shape says`(shape: Shape) throws {
    let cache = try cache("{\"rope_theta\":10000.0,\(shape.members)}")
    #expect(cache.bytes(tokens: shape.tokens, elementSize: 2) == shape.bytes)
    #expect(cache.bytes(tokens: shape.tokens, elementSize: 1) == shape.bytes / 2)
    #expect(cache.bounds.isEmpty == shape.isExact, "\(cache.bounds)")
  }

  @Test func `the rows of the key projection tell heads that a config leaves out`() throws {
    let config = try config(#"{"rope_theta":1e4,"num_hidden_layers":2,"num_attention_heads":8,"head_dim":16}"#)
    var shapes = TensorShapes()
    shapes.keyRows = Declared(32, at: SourceLocation(path: "model.safetensors"))
    let cache = try config.keyValueCache(config.ropeDeclarations().declarations, shapes)
    #expect(cache.layers == [KeyValueCache.Layers(count: 2, elements: 64)] && cache.bounds.isEmpty)
  }

  static let refused = [
    (#""num_attention_heads":4,"head_dim":8"#, "not-stated", "/num_hidden_layers"),
    (#""num_hidden_layers":2,"head_dim":8"#, "not-stated", "/num_key_value_heads"),
    (#""num_hidden_layers":2,"num_attention_heads":4"#, "not-stated", "/head_dim"),
    (#""num_hidden_layers":65537,"num_attention_heads":4,"head_dim":8"#, "bad-length", "/num_hidden_layers"),
    (#""num_hidden_layers":-1,"num_attention_heads":4,"head_dim":8"#, "bad-length", "/num_hidden_layers"),
    (
      #""num_hidden_layers":2,"num_key_value_heads":9007199254740992,"head_dim":8"#, "bad-length",
      "/num_key_value_heads"
    ),
    (#""num_hidden_layers":2,"num_key_value_heads":2,"head_dim":9007199254740992"#, "bad-length", "/head_dim"),
    (#""num_hidden_layers":2,"num_key_value_heads":1.5,"head_dim":8"#, "bad-length", "/num_key_value_heads"),
    (
      #""num_hidden_layers":2,"num_key_value_heads":1,"head_dim":8,"layer_types":["full_attention"]"#, "bad-length",
      "/layer_types"
    ),
    (
      #""num_hidden_layers":1,"num_key_value_heads":1,"head_dim":8,"layer_types":["perceptive_attention"]"#,
      "bad-length", "/layer_types"
    ),
  ]

  @Test(arguments: refused) func `what a config leaves open or gets wrong is named, not guessed`(
    members: String, code: String, place: String
  ) {
    let error = #expect(throws: FileError.self) { try cache("{\"rope_theta\":1e4,\(members)}") }
    #expect(error?.code.rawValue == code && error?.location.key == place, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func `the largest shape that is taken overflows into no number, not into a trap`() throws {
    let cache = try cache(
      """
      {"rope_theta":1e4,"num_hidden_layers":65536,"num_attention_heads":1,"num_key_value_heads":1048576,
      "head_dim":65536}
      """)
    #expect(cache.bytes(tokens: 1 << 31, elementSize: 2) == nil)
    #expect(cache.bytes(tokens: 1, elementSize: 1) == 1 << 53)
    #expect(cache.bytes(tokens: .max, elementSize: 1) == nil && cache.bytes(tokens: -1, elementSize: 1) == 0)
  }

  // MARK: GGUF

  @Test func `a GGUF's heads and sizes are llama.cpp's`() throws {
    let common: [(String, GGUFBuilder.Value)] = [
      ("block_count", .uint32(32)), ("embedding_length", .uint32(4096)), ("attention.head_count", .uint32(32)),
    ]
    // 32 · 32 · (128 + 128)
    #expect(try gguf("llama", common).bytes(tokens: 1, elementSize: 1) == 262_144)
    let grouped = common + [("attention.head_count_kv", .uint32(8)), ("attention.value_length", .uint32(64))]
    #expect(try gguf("llama", grouped).bytes(tokens: 1, elementSize: 1) == 49_152)
  }

  @Test func `lists for each layer count each`() throws {
    let cache = try gguf(
      "gemma4",
      [
        ("block_count", .uint32(4)), ("embedding_length", .uint32(64)), ("attention.head_count", .uint32(8)),
        ("attention.head_count_kv", .array(type: 5, [.int32(2), .int32(0), .int32(2), .int32(1)])),
        ("attention.key_length", .uint32(16)), ("attention.value_length", .uint32(16)),
        ("attention.key_length_swa", .uint32(8)), ("attention.value_length_swa", .uint32(8)),
        ("attention.sliding_window", .uint32(32)),
        ("attention.sliding_window_pattern", .array(type: 7, [.bool(true), .bool(true), .bool(true), .bool(false)])),
      ])
    #expect(
      cache.layers == [
        KeyValueCache.Layers(count: 2, elements: 32, window: 32), KeyValueCache.Layers(count: 1, elements: 32),
      ])
    #expect(cache.depth == 4 && cache.bounds.isEmpty)
  }

  @Test func `latent attention is compressed where the head size is spelled out, and per head where not`() throws {
    let common: [(String, GGUFBuilder.Value)] = [
      ("block_count", .uint32(61)), ("embedding_length", .uint32(7168)), ("attention.head_count", .uint32(128)),
      ("attention.kv_lora_rank", .uint32(512)), ("rope.dimension_count", .uint32(64)),
    ]
    let new =
      common + [
        ("attention.head_count_kv", .uint32(1)), ("attention.key_length", .uint32(576)),
        ("attention.value_length", .uint32(512)), ("attention.key_length_mla", .uint32(192)),
      ]
    #expect(try gguf("deepseek2", new).bytes(tokens: 1, elementSize: 2) == 70_272)
    let old =
      common + [
        ("attention.head_count_kv", .uint32(128)), ("attention.key_length", .uint32(192)),
        ("attention.value_length", .uint32(128)),
      ]
    #expect(try gguf("deepseek2", old).bytes(tokens: 1, elementSize: 2) == 4_997_120)
  }

  @Test func `a period of sliding layers ends with one that holds all`() throws {
    let cache = try gguf(
      "gemma3",
      [
        ("block_count", .uint32(26)), ("attention.head_count", .uint32(4)), ("attention.head_count_kv", .uint32(1)),
        ("attention.key_length", .uint32(256)), ("attention.value_length", .uint32(256)),
        ("attention.sliding_window", .uint32(512)), ("attention.sliding_window_pattern", .uint32(6)),
      ])
    #expect(cache.bytes(tokens: 32768, elementSize: 2) == 145_752_064)
  }

  @Test func `a sliding window alone gives a bound`() throws {
    let cache = try gguf(
      "gemma2",
      [
        ("block_count", .uint32(2)), ("embedding_length", .uint32(8)), ("attention.head_count", .uint32(1)),
        ("attention.sliding_window", .uint32(4)),
      ])
    #expect(cache.bytes(tokens: 10, elementSize: 1) == 320 && cache.bounds.count == 1)
  }

  static let refusedKeys: [([(String, GGUFBuilder.Value)], String, String)] = [
    ([], "not-stated", "llama.block_count"),
    ([("block_count", .uint32(.max))], "bad-length", "llama.block_count"),
    ([("block_count", .float32(2))], "bad-length", "llama.block_count"),
    ([("block_count", .uint32(2))], "not-stated", "llama.attention.head_count"),
    ([("block_count", .uint32(2)), ("attention.head_count", .uint32(2))], "not-stated", "llama.attention.key_length"),
    (
      [("block_count", .uint32(2)), ("attention.head_count_kv", .array(type: 4, [.uint32(2)]))], "bad-length",
      "llama.attention.head_count_kv"
    ),
    (
      [("block_count", .uint32(1)), ("attention.head_count_kv", .array(type: 5, [.int32(-2)]))], "bad-length",
      "llama.attention.head_count_kv"
    ),
  ]

  @Test(arguments: refusedKeys.indices) func `what a GGUF leaves open or gets wrong is named`(_ index: Int) {
    let (keys, code, place) = Self.refusedKeys[index]
    let error = #expect(throws: FileError.self) { try gguf("llama", keys) }
    #expect(error?.code.rawValue == code && error?.location.key == place, "\(error.map { "\($0)" } ?? "")")
  }
}
