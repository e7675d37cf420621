import LosslessJSON
import ModelConfig
import RoPE
import TestSupport
import Testing

@testable import Runtimes

/// The runtimes whose input is a config.json read through transformers.
private let runtimes: [Runtime] = [.transformers4, .transformers5, .vllm, .sglang]

private func readings(_ text: String, _ runtime: Runtime) throws -> [RuntimeReading] {
  let config = try HuggingFaceConfig(JSONDocument(Array(text.utf8), path: "config.json"))
  return runtime.read(.config(config, .init()), RuntimeOptions())
}

private func reading(_ text: String, _ runtime: Runtime) throws -> RuntimeReading {
  try #require(try readings(text, runtime).first)
}

@Suite struct `Runtimes that read config.json` {
  /// A table of finite numbers, a refusal, or a note that says why there is neither.
  private func answers(_ reading: RuntimeReading) -> Bool {
    if let table = reading.table {
      return reading.refused == nil && !table.inverseFrequencies.isEmpty
        && table.inverseFrequencies.allSatisfy(\.isFinite) && table.attentionFactor.isFinite
    }
    return reading.refused != nil || reading.notes.contains { ["not-computed", "no-rotation"].contains($0.code) }
  }

  private static let usual = [
    "factor": "4.0", "original_max_position_embeddings": "2048", "beta_fast": "32", "beta_slow": "1.0",
    "mscale": "1.0", "mscale_all_dim": "1.0", "attention_factor": "1.1", "attn_factor": "1.0", "alpha": "2.0",
    "extrapolation_factor": "1.0", "low_freq_factor": "1.0", "high_freq_factor": "4.0", "truncate": "true",
    "short_factor": "[1.0, 1.5]", "long_factor": "[2.0, 3.0]", "short_mscale": "1.0", "mixed_b": "0.6",
    "max_trained_positions": "1024", "rope_theta": "10000.0", "partial_rotary_factor": "0.5", "rope_dim": "4",
  ]
  private static let odd = [
    "null", "0", "-1", "1", "0.0", "1e308", "-1e308", "1e15", "1e-12", "true", "\"4\"", "[]", "[null]", "{}", "NaN",
  ]

  @Test(arguments: ["linear", "dynamic", "yarn", "longrope", "llama3", "proportional", "ntk", "deepseek_yarn"])
  func `answer to odd values of any key`(kind: String) throws {
    let seed = 0x5eed + UInt64(kind.utf8.count)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<60 {
      var members = Self.usual.filter { _ in Int.random(in: 0..<8, using: &generator) > 0 }
      for key in Self.usual.keys.sorted().shuffled(using: &generator).prefix(2) {
        members[key] = Self.odd.randomElement(using: &generator)
      }
      members["rope_type"] = "\"\(kind)\""
      let families = ["llama", "deepseek_v3", "gpt_oss", "phi3", "glm4_moe"]
      var top = [
        "head_dim": "8", "max_position_embeddings": "8192", "num_attention_heads": "4",
        "model_type": "\"\(families.randomElement(using: &generator) ?? "")\"", "rope_scaling": Self.object(members),
      ]
      let key = ["max_position_embeddings", "head_dim", "qk_rope_head_dim", "original_max_position_embeddings", "x"]
      top[key.randomElement(using: &generator) ?? ""] = Self.odd.randomElement(using: &generator)
      let text = Self.object(top)
      let config = try HuggingFaceConfig(JSONDocument(Array(text.utf8), path: "config.json"))
      for runtime in runtimes {
        for reading in runtime.read(.config(config, .init()), RuntimeOptions(sequenceLength: 10_000)) {
          #expect(answers(reading), "seed \(seed), \(runtime.name): \(text)")
        }
      }
    }
  }

  private static func object(_ members: [String: String]) -> String {
    "{" + members.sorted { $0.key < $1.key }.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}"
  }

  @Test(arguments: runtimes)
  func `a missing factor is a KeyError with its name`(runtime: Runtime) throws {
    let text = """
      {"model_type": "llama", "head_dim": 64, "max_position_embeddings": 4096, "rope_scaling": {"rope_type": "yarn"}}
      """
    let refusal = try #require(try reading(text, runtime).refused)
    #expect(refusal.kind == "KeyError")
    #expect(refusal.missingKey == "factor")
  }

  @Test(arguments: runtimes)
  func `keys without effect are named by their pointers`(runtime: Runtime) throws {
    let text = """
      {"model_type": "qwen2", "head_dim": 64, "max_position_embeddings": 8192, "rope_theta": 10000.0,
       "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048, "finetuned": true}}
      """
    let ignored = try reading(text, runtime).notes.filter { $0.code == "ignored-key" }.map(\.key)
    #expect(ignored == ["/rope_scaling/finetuned"])
  }

  /// The square root of a negative number, which Python does not take.
  @Test(arguments: [Runtime.transformers4, .transformers5, .vllm, .sglang, .mlxLM])
  func `an original length below 1 leaves LongRoPE without a magnitude`(runtime: Runtime) throws {
    let text = """
      {"model_type": "llama", "head_dim": 4, "max_position_embeddings": 8192, "rope_theta": 10000.0,
       "original_max_position_embeddings": 0.5,
       "rope_scaling": {"rope_type": "longrope", "factor": 16384.0, "original_max_position_embeddings": 0.5,
       "short_factor": [1.0, 1.5], "long_factor": [2.0, 3.0]}}
      """
    let reading = try reading(text, runtime)
    #expect(reading.table == nil && reading.refused?.reason.contains("math domain error") == true, "\(reading)")
  }

  /// Recorded from every configuration class of both versions.
  @Test(
    arguments: [
      ("qwen2", "yarn", "transformers4 transformers5"), ("qwen2", "dynamic", "transformers4 transformers5"),
      ("qwen2", "longrope", "transformers4 transformers5 vllm sglang"), ("qwen2", "linear", ""), ("qwen2", nil, ""),
      ("llama", "yarn", ""), ("llama", "longrope", ""), ("mistral", "yarn", "transformers4"),
      ("gpt_oss", "yarn", "transformers5 vllm sglang"), ("qwen3", "yarn", "transformers4 transformers5 vllm sglang"),
      ("qwen3", nil, "transformers5 vllm sglang"),
    ] as [(String, String?, String)])
  func `a head size of null is refused where a class keeps it and a function needs it`(
    family: String, kind: String?, refusing: String
  ) throws {
    let lists = kind == "longrope" ? #","short_factor":[1,1,1,1],"long_factor":[2,2,2,2]"# : ""
    let length = kind == "yarn" ? #","original_max_position_embeddings":1024"# : ""
    let scaling = kind.map { #","rope_scaling":{"rope_type":"\#($0)","factor":4.0\#(length)\#(lists)}"# } ?? ""
    let text = """
      {"model_type":"\(family)","hidden_size":64,"num_attention_heads":8,"head_dim":null,"rope_theta":10000.0,
       "max_position_embeddings":4096\(scaling)}
      """
    for runtime in runtimes {
      let reading = try reading(text, runtime)
      let isRefused = refusing.split(separator: " ").contains { $0 == runtime.name }
      #expect((reading.refused == .nullHead) == isRefused, "\(runtime.name): \(reading.refused?.reason ?? "read")")
      #expect(isRefused || reading.rotaryDimension == 8)
    }
  }

  @Test func `two names of the kind that differ are settled by each runtime in its way`() throws {
    let text = """
      {"model_type": "llama", "head_dim": 64, "max_position_embeddings": 8192, "rope_theta": 10000.0,
       "rope_scaling": {"rope_type": "yarn", "type": "linear", "factor": 4.0}}
      """
    #expect(try reading(text, .transformers4).kind == "linear")
    #expect(try reading(text, .transformers5).kind == "yarn")
    #expect(try reading(text, .vllm).refused?.kind == "ValueError")
    #expect(try reading(text, .sglang).kind == "yarn")
  }

  @Test func `vLLM takes the smallest of the stated windows and the tokenizer's`() throws {
    let text = """
      {"model_type": "qwen2", "head_dim": 64, "max_position_embeddings": 8192, "seq_length": 4096,
       "rope_scaling": {"rope_type": "linear", "factor": 2.0}}
      """
    let config = try HuggingFaceConfig(JSONDocument(Array(text.utf8), path: "config.json"))
    var surroundings = RuntimeInput.Surroundings()
    #expect(Runtime.vllm.read(.config(config, surroundings), .init()).first?.contextLength == 8192)
    surroundings.tokenizerLimit = 1000
    #expect(Runtime.vllm.read(.config(config, surroundings), .init()).first?.contextLength == 2000)
  }

  @Test func `old Gemma 3 files have two tables, the sliding one unscaled`() throws {
    let text = """
      {"model_type": "gemma3_text", "head_dim": 64, "max_position_embeddings": 131072, "rope_theta": 1000000.0,
       "rope_local_base_freq": 10000.0, "rope_scaling": {"rope_type": "linear", "factor": 8.0}}
      """
    for runtime in runtimes {
      let readings = try readings(text, runtime)
      let first = Dictionary(uniqueKeysWithValues: readings.map { ($0.layerType, $0.table?.inverseFrequencies.first) })
      #expect(first == ["full_attention": 0.125, "sliding_attention": 1], "\(runtime.name)")
    }
  }
}

@Suite struct `Versions of one runtime` {
  /// Not a version that exists: it shows that what differs is a value beside the first.
  private static let multiplying = VLLMVersion(number: "0.0.1", unmultipliedKinds: ["longrope"])

  @Test(arguments: [(VLLMVersion.v033, 8192), (multiplying, 32768)])
  func `differ by a small value`(version: VLLMVersion, window: Int) throws {
    let scaling = #"{"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8192}"#
    let reading = try reading(
      #"{"model_type": "llama", "head_dim": 8, "max_position_embeddings": 8192, "rope_scaling": \#(scaling)}"#,
      Runtime(vllm: version))
    #expect(reading.version == version.number)
    #expect(reading.contextLength == window)
  }
}
