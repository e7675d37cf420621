import Bytes
import GGUF
import LosslessJSON
import ModelConfig
import RoPE
import TestSupport
import Testing

@testable import Runtimes

@Suite struct LlamaCppReadingTests {
  typealias Entry = (key: String, value: GGUFBuilder.Value)

  /// A head of 64 in an architecture, with more keys below its prefix; a later key replaces an earlier one.
  static func readings(
    _ architecture: String, _ entries: [Entry] = [], tensors: [String: [Float]] = [:],
    options: RuntimeOptions = RuntimeOptions()
  ) throws -> [RuntimeReading] {
    var metadata: [Entry] = [("general.architecture", .string(architecture))]
    let sizes: [Entry] = [
      ("context_length", .uint32(4096)), ("embedding_length", .uint32(128)), ("attention.head_count", .uint32(2)),
    ]
    for (key, value) in sizes + entries {
      metadata.removeAll { $0.key == "\(architecture).\(key)" }
      metadata.append(("\(architecture).\(key)", value))
    }
    var builder = GGUFBuilder(metadata: metadata)
    for (name, values) in tensors.sorted(by: { $0.key < $1.key }) {
      let data = values.flatMap { builder.encode($0.bitPattern) }
      builder.tensors.append(GGUFBuilder.Tensor(name, [UInt64(values.count)], data: data))
    }
    let file = try GGUFFile(MemorySource(builder.bytes()))
    return Runtime.llamaCpp.read(.gguf(file, tensors.mapValues { $0.map { Double($0) } }), options)
  }

  static func readings(config text: String) throws -> [RuntimeReading] {
    let config = try HuggingFaceConfig(JSONDocument(Array(text.utf8), path: "config.json"))
    return Runtime.llamaCpp.read(.config(config, .init()), RuntimeOptions())
  }

  static let divisors = [Float](repeating: 1, count: 32)
  static let longrope = [GGUFKeys.longFactorsTensor: divisors, GGUFKeys.shortFactorsTensor: divisors]

  struct Refusal: Sendable {
    var architecture = "llama"
    var key = "general.name"
    var value = GGUFBuilder.Value.string("")
    var tensors: [String: [Float]] = [:]
    var kind = "load failed"
  }

  // The first eight were tried on the library.
  @Test(arguments: [
    Refusal(tensors: [GGUFKeys.divisorsTensor: Array(divisors.dropLast())]), Refusal(tensors: longrope),
    Refusal(key: "rope.scaling.type", value: .string("longrope"), tensors: [GGUFKeys.divisorsTensor: divisors]),
    Refusal(key: "rope.scaling.finetuned", value: .uint32(1)), Refusal(key: "rope.dimension_count", value: .uint32(32)),
    Refusal(key: "rope.scaling.factor", value: .float64(4)), Refusal(key: "rope.freq_base", value: .uint32(10_000)),
    Refusal(key: "rope.scaling.type", value: .string("llama3"), kind: "process aborted"),
    Refusal(key: "rope.scale_linear", value: .int32(2)), Refusal(key: "context_length", value: .uint64(4096)),
    Refusal(key: "rope.scaling.attn_factor", value: .string("1")),
    Refusal(architecture: "qwen2", tensors: [GGUFKeys.divisorsTensor: divisors]),
    Refusal(architecture: "qwen2", key: "rope.dimension_count", value: .uint32(32), kind: "process aborted"),
    Refusal(architecture: "phi3", key: "rope.dimension_count", value: .uint32(31), kind: "process aborted"),
    Refusal(architecture: "phi3", key: "rope.dimension_count", value: .uint32(128), kind: "process aborted"),
    Refusal(architecture: "mistral3", key: "rope.scaling.yarn_log_multiplier", value: .float64(1)),
    Refusal(architecture: "deepseek4"),
  ])
  func `what the loader or an assertion refuses is refused`(_ refusal: Refusal) throws {
    let readings = try Self.readings(refusal.architecture, [(refusal.key, refusal.value)], tensors: refusal.tensors)
    #expect(readings.map(\.refused?.kind) == [refusal.kind])
    #expect(readings.allSatisfy { $0.table == nil })
    // The same file without the one change is read.
    if refusal.architecture != "deepseek4" {
      #expect(try Self.readings(refusal.architecture).map(\.refused) == [nil])
    }
  }

  @Test func `a missing length is named`() throws {
    let file = try GGUFFile(
      MemorySource(GGUFBuilder(metadata: [("general.architecture", .string("llama"))]).bytes()))
    let reading = try #require(Runtime.llamaCpp.read(.gguf(file, [:]), RuntimeOptions()).first)
    #expect(reading.refused?.missingKey == "llama.context_length")
  }

  @Test func `the older factor counts only where the newer is absent`() throws {
    let old: Entry = ("rope.scale_linear", .float32(4))
    let alone = try #require(Self.readings("llama", [old]).first)
    #expect(alone.kind == "linear" && alone.factor == 4)
    #expect(alone.parameters?.scaling == .linear(factor: 4))
    let zero = try #require(Self.readings("llama", [old, ("rope.scaling.factor", .float32(0))]).first)
    #expect(zero.kind == "default" && zero.factor == nil)
    #expect(zero.notes.contains { $0.code == "ignored-key" && $0.key == "llama.rope.scale_linear" })
  }

  @Test func `parameters stand beside a table where the published formula gives it, and only there`() throws {
    func yarn(_ original: UInt32, _ user: (inout LlamaCppContext) -> Void = { _ in }) throws -> RuntimeReading? {
      var options = RuntimeOptions()
      user(&options.llamaCpp)
      let keys: [Entry] = [
        ("rope.scaling.type", .string("yarn")), ("rope.scaling.factor", .float32(4)),
        ("rope.scaling.original_context_length", .uint32(original)), ("rope.freq_base", .float32(1e6)),
      ]
      return try Self.readings("qwen2", keys, options: options).first
    }
    let plain = YaRN(factor: 4, originalContextLength: 2048)
    #expect(try yarn(2048)?.parameters?.scaling == .yarn(plain))
    // So short that the published ramp interpolates nothing; ggml's does from pair 1 on.
    #expect(try yarn(4)?.parameters == nil)
    #expect(try yarn(2048) { $0.extrapolationFactor = 0.5 }?.parameters == nil)
    #expect(
      try yarn(2048) {
        $0.betaFast = 1
        $0.betaSlow = 32
      }?.parameters == nil)
    #expect(try yarn(2048) { $0.scaling = .unscaled }?.kind == "default")
    #expect(try yarn(2048)?.contextLength == 4096)
    #expect(try yarn(2048) { $0.frequencyScale = 0.125 }?.contextLength == 16_384)
  }

  @Test func `the lists of LongRoPE are chosen by the context of a sequence in steps of 256`() throws {
    let tensors = [
      GGUFKeys.longFactorsTensor: [Float](repeating: 4, count: 32), GGUFKeys.shortFactorsTensor: Self.divisors,
    ]
    let keys: [Entry] = [("rope.scaling.original_context_length", .uint32(1000))]
    func first(_ length: Int?) throws -> Double? {
      let options = RuntimeOptions(sequenceLength: length)
      return try Self.readings("phi3", keys, tensors: tensors, options: options).first?.table?.inverseFrequencies.first
    }
    #expect(try first(nil) == 0.25)
    #expect(try first(768) == 1)
    // 1000 tokens are not more than 1000, but the context is made 1024.
    #expect(try first(1000) == 0.25)
  }

  @Test func `sliding layers have a base and a scale of their own`() throws {
    let keys: [Entry] = [
      ("attention.sliding_window", .uint32(512)), ("rope.freq_base", .float32(1e6)),
      ("rope.scaling.type", .string("yarn")), ("rope.scaling.factor", .float32(8)),
    ]
    let gemma = try Self.readings("gemma3", keys)
    #expect(gemma.map(\.layerType) == ["full_attention", "sliding_attention"])
    #expect(gemma.map(\.base) == [1e6, 1e4] && gemma.map(\.factor) == [8, nil])
    let olmo = try Self.readings("olmo2", keys)
    #expect(olmo.map(\.base) == [1e6, 1e6] && olmo.map(\.kind) == ["yarn", "default"])
    #expect(olmo.last?.table?.attentionFactor == 1)
    #expect(try Self.readings("gpt-oss", keys).map(\.layerType) == [nil])
    let own = try Self.readings("gpt-oss", keys + [("rope.freq_base_swa", .float32(5000))])
    #expect(own.map(\.base) == [1e6, 5000] && own.map(\.factor) == [8, 8])
  }

  // MARK: config.json

  static let qwen = """
    "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 128, "num_attention_heads": 2,
    "max_position_embeddings": 32768, "rope_theta": 1000000.0
    """

  @Test func `what conversion or loading drops is named by its place in the config`() throws {
    let text = """
      {\(Self.qwen), "rope_scaling": {"rope_type": "yarn", "type": "yarn", "factor": 4, "beta_fast": 16.0,
       "original_max_position_embeddings": 8192, "attention_factor": 2.0, "truncate": false, "mscale": 1.0}}
      """
    let reading = try #require(Self.readings(config: text).first)
    let ignored = reading.notes.filter { $0.code == "ignored-key" }.compactMap(\.key)
    #expect(Set(ignored) == Set(["beta_fast", "attention_factor", "truncate", "mscale"].map { "/rope_scaling/\($0)" }))
    #expect(reading.kind == "yarn" && reading.originalContext == 8192 && reading.contextLength == 32_768)
    #expect(abs((reading.table?.attentionFactor ?? 0) - yarnMagnitude(factor: 4)) < 1e-6)
  }

  @Test(arguments: [
    (#"{"rope_type": "dynamic", "factor": 2.0}"#, "default", ["rope_type", "factor"]),
    (#"{"rope_type": "llama3", "factor": 8.0}"#, "default", ["rope_type", "factor"]),
    (#"{"type": "linear", "factor": 2}"#, "linear", []), (#"{"rope_type": "default"}"#, "default", []),
  ])
  func `a kind that the converter does not write leaves the model unscaled`(
    _ dictionary: String, _ kind: String, _ ignored: [String]
  ) throws {
    let reading = try #require(Self.readings(config: "{\(Self.qwen), \"rope_scaling\": \(dictionary)}").first)
    #expect(reading.kind == kind && reading.refused == nil)
    let pointers = reading.notes.filter { $0.code == "ignored-key" }.compactMap(\.key)
    #expect(Set(pointers) == Set(ignored.map { "/rope_scaling/\($0)" }))
  }

  @Test(arguments: [
    (
      qwen + #", "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8192.0}"#,
      "struct.error"
    ),
    (qwen + #", "rope_scaling": {"type": "yarn", "factor": "4.0"}"#, "struct.error"),
    (qwen + #", "rope_scaling": {"type": "linear", "factor": 1e39}"#, "OverflowError"),
    (#""model_type": "llama", "hidden_size": 128"#, "ValueError"),
    (#""architectures": ["NoSuchForCausalLM"]"#, "NotImplementedError"),
    (#""architectures": ["GrokForCausalLM"]"#, "not modelled"),
    (
      #""architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "hidden_size": 64, "num_attention_heads": 2, "rotary_pct": 0.25"#,
      "KeyError"
    ),
    (
      #""architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "num_attention_heads": 0"#,
      "ZeroDivisionError"
    ),
  ])
  func `the converter's own errors are refusals`(_ members: String, _ kind: String) throws {
    #expect(try Self.readings(config: "{\(members)}").map(\.refused?.kind) == [kind])
  }

  @Test func `gemma 3 loses a kind spelled type and keeps its two bases`() throws {
    func readings(_ kind: String) throws -> [RuntimeReading] {
      try Self.readings(
        config: """
          {"architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "hidden_size": 2560,
           "sliding_window": 1024, "rope_scaling": {"\(kind)": "linear", "factor": 8.0}}
          """)
    }
    #expect(try readings("rope_type").map(\.kind) == ["linear", "default"])
    #expect(try readings("type").map(\.kind) == ["default", "default"])
    #expect(try readings("type").map(\.base) == [1e6, 1e4])
    #expect(try readings("type").map(\.contextLength) == [131_072, 131_072])
  }

  // MARK: Hostile input

  @Test func `no metadata makes the reading trap`() throws {
    let seed: UInt64 = 20_261_121
    var random = SeededGenerator(seed: seed)
    let floats: [Float] = [0, -0, 1, -1, 1e-38, 3e38, .nan, .infinity, -.infinity, 4, 1e6]
    let lengths: [UInt32] = [0, 1, 2, 3, 64, 255, 4096, 65_536, 1 << 31, .max]
    let architectures = [
      "llama", "qwen2", "phi3", "grok", "mistral3", "deepseek2", "deepseek4", "gemma3", "laguna", "hunyuan_vl",
    ]
    let floatKeys = [
      "rope.freq_base", "rope.scaling.factor", "rope.scale_linear", "rope.scaling.attn_factor", "rope.scaling.alpha",
      "rope.scaling.yarn_ext_factor", "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow",
      "rope.scaling.yarn_log_multiplier", "rope.freq_base_swa", "attention.compress_rope_freq_base",
    ]
    let lengthKeys = [
      "context_length", "embedding_length", "attention.head_count", "attention.key_length", "rope.dimension_count",
      "rope.dimension_count_swa", "rope.scaling.original_context_length", "attention.sliding_window",
    ]
    var read = 0
    for round in 0..<400 {
      var entries: [Entry] = [("rope.scaling.type", .string(["none", "linear", "yarn", "longrope"][round % 4]))]
      for key in floatKeys where Bool.random(using: &random) {
        entries.append((key, .float32(floats[Int.random(in: 0..<floats.count, using: &random)])))
      }
      for key in lengthKeys where Int.random(in: 0..<4, using: &random) == 0 {
        entries.append((key, .uint32(lengths[Int.random(in: 0..<lengths.count, using: &random)])))
      }
      let readings = try Self.readings(architectures[round % architectures.count], entries)
      for reading in readings {
        #expect((reading.table == nil) == (reading.refused != nil), "seed \(seed), round \(round)")
        #expect(reading.table.map { $0.inverseFrequencies.count <= RoPEParameters.maximumDimension / 2 } ?? true)
        read += reading.refused == nil ? 1 : 0
      }
    }
    #expect(read > 50)
  }

  @Test func `no config makes the reading trap`() throws {
    let seed: UInt64 = 77
    var random = SeededGenerator(seed: seed)
    let values = ["null", "0", "-1", "1e400", "4", "4.0", "\"x\"", "[]", "[1,2]", "{}", "true", "4294967296", "1e-400"]
    let members = [
      "hidden_size", "num_attention_heads", "head_dim", "max_position_embeddings", "rope_theta", "qk_rope_head_dim",
      "qk_nope_head_dim", "kv_lora_rank", "rotary_dim", "partial_rotary_factor", "global_head_dim", "sliding_window",
      "factor", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor", "beta_fast",
      "mscale_all_dim",
      "short_factor", "long_factor", "alpha",
    ]
    let classes = [
      ("LlamaForCausalLM", "llama"), ("Phi3ForCausalLM", "phi3"), ("DeepseekV3ForCausalLM", "deepseek_v3"),
      ("Gemma3ForCausalLM", "gemma3_text"), ("Gemma4ForCausalLM", "gemma4_text"),
      ("MiniMaxM2ForCausalLM", "minimax_m2"),
      ("Glm4ForCausalLM", "glm4"), ("HunYuanDenseV1ForCausalLM", "hunyuan_v1_dense"), ("LagunaForCausalLM", "laguna"),
      ("ChatGLMModel", "chatglm"), ("Ministral3ForCausalLM", "ministral3"),
    ]
    let kinds = ["yarn", "linear", "llama3", "longrope", "dynamic", "proportional"]
    for round in 0..<600 {
      func some(_ share: Int) -> String {
        members.filter { _ in Int.random(in: 0..<share, using: &random) == 0 }
          .map { "\"\($0)\": \(values.randomElement(using: &random) ?? "0")" }.joined(separator: ", ")
      }
      let (name, type) = classes[round % classes.count]
      let dictionary =
        "{\"rope_type\": \"\(kinds[round % kinds.count])\"\([some(2)].map { $0.isEmpty ? "" : ", \($0)" }.joined())}"
      let scaling =
        round % 3 == 0 ? "{\"full_attention\": \(dictionary), \"sliding_attention\": \(dictionary)}" : dictionary
      let outer = ["\"rope_scaling\": \(scaling)", some(2)].filter { !$0.isEmpty }.joined(separator: ", ")
      let text = "{\"architectures\": [\"\(name)\"], \"model_type\": \"\(type)\", \(outer)}"
      for reading in try Self.readings(config: text) {
        #expect((reading.table == nil) == (reading.refused != nil), "seed \(seed): \(text)")
      }
    }
  }
}
