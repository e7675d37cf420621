import Diagnostics
import RoPE
import Runtimes
import TestSupport
import Testing
import YarnPatch

/// Tables of every runtime, from paths to readings.
@Suite struct ForecastTests {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  /// A published kind of config with YaRN that every runtime loads.
  private static let scaled = """
    {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 256, "num_attention_heads": 4,
     "max_position_embeddings": 131072, "rope_theta": 1000000.0,
     "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768, "truncate": false}}
    """

  private func write(_ text: String, to name: String = "config.json") throws -> String {
    try scratch.write(Array(text.utf8), to: name)
  }

  // MARK: every runtime

  /// What differs between runtimes in one file: magnitude, window and what is passed over.
  ///
  /// Three of them round the correction range whatever `truncate` says, and the authors' code takes a base of 10000.
  private static let expected: [(name: String, window: Int?, last: Double, ignored: [String])] = [
    ("transformers4", nil, 3.8495e-07, []), ("transformers5", nil, 3.8495e-07, []), ("vllm", 131072, 3.8495e-07, []),
    ("sglang", 131072, 3.8495e-07, []),
    ("mlx-lm", nil, 3.8495e-07, ["/rope_scaling/truncate"]),
    ("llama.cpp", 131072, 3.8495e-07, ["/rope_scaling/truncate"]),
    ("yarn-repo", nil, 3.3338e-05, ["/rope_theta", "/rope_scaling/truncate"]), ("formula", 131072, 3.8495e-07, []),
  ]

  @Test(arguments: expected.indices) func `each runtime reads a config in its way`(_ index: Int) throws {
    let expected = Self.expected[index]
    let runtime = try Runtime.named(expected.name)
    let readings = try tables(try write(Self.scaled), runtimes: .named([runtime]))
    try #require(readings.count == 1)
    let reading = readings[0]
    #expect(reading.runtime == expected.name && reading.version == runtime.version && reading.layerType == nil)
    #expect(reading.refused == nil && reading.kind == "yarn" && reading.factor == 4)
    #expect(reading.originalContext == 32768 && reading.rotaryDimension == 64)
    #expect(reading.contextLength == expected.window)
    #expect(reading.notes.filter { $0.code == "ignored-key" }.compactMap(\.key) == expected.ignored)
    let table = try #require(reading.table)
    #expect(table.inverseFrequencies.count == 32 && table.inverseFrequencies[0] == 1)
    #expect(abs(table.inverseFrequencies[31] / expected.last - 1) < 1e-3, "\(table.inverseFrequencies[31])")
    #expect(abs(table.attentionFactor - 1.1386294361) < 1e-6)
  }

  @Test func `all runtimes are asked in the listed order, and the equations alone by default`() throws {
    let path = try write(Self.scaled)
    #expect(try tables(path, runtimes: .all).map(\.runtime) == Runtime.all.map(\.name))
    #expect(try tables(path).map(\.runtime) == ["formula"])
    #expect(try tables(path, runtimes: .named([.vllm, .formula])).map(\.runtime) == ["vllm", "formula"])
  }

  @Test func `a GGUF is read by those that can, and refused by a runtime that was named`() throws {
    let path = Fixture.path("gguf/qwen2-yarn.gguf")
    #expect(try tables(path, runtimes: .all).map(\.runtime) == ["llama.cpp", "formula"])
    let named = try tables(path, runtimes: .named([.vllm]))
    #expect(named.map(\.table) == [nil])
    #expect(named[0].refused?.reason == "vllm is read for config.json only, not for GGUF files")
  }

  @Test func `rotary tensors of a GGUF reach the runtimes`() throws {
    let readings = try tables(Fixture.path("gguf/llama3-freqs.gguf"), runtimes: .all)
    #expect(readings.map(\.kind) == ["rope_freqs", "default"])
    let plain = FrequencyTable(
      RoPEParameters(base: try #require(readings[1].base), rotaryDimension: try #require(readings[1].rotaryDimension)))
    for reading in readings {
      let last = try #require(reading.table?.inverseFrequencies.last)
      #expect(last < plain.inverseFrequencies[plain.inverseFrequencies.count - 1] * 0.9, "\(reading.runtime)")
    }
  }

  @Test func `in a folder with both, llama.cpp runs from the GGUF and the others from the config`() throws {
    _ = try write(Self.scaled, to: "model/config.json")
    _ = try scratch.copy("gguf/llama-plain.gguf", as: "model/model.gguf")
    let readings = try tables(scratch["model"], runtimes: .all)
    #expect(readings.map(\.runtime) == Runtime.all.map(\.name))
    #expect(readings.filter { $0.kind != "yarn" }.map(\.runtime) == ["llama.cpp"])
  }

  @Test func `a file that one runtime refuses still has the others' tables`() throws {
    let text = Self.scaled.replacing("\"type\"", with: "\"rope_type\"")
    let readings = try tables(try write(text), runtimes: .all)
    #expect(readings.filter { $0.refused != nil }.map(\.runtime) == ["yarn-repo"])
    #expect(readings.filter { $0.table == nil }.map(\.runtime) == ["yarn-repo"])
  }

  // MARK: what the folder adds and the user chooses

  @Test func `the tokenizer's limit bounds vLLM's window`() throws {
    let path = try write(Self.scaled)
    _ = try write("{\"model_max_length\": 4096}", to: "tokenizer_config.json")
    let window = { try tables($0, runtimes: .named([.vllm])).first?.contextLength }
    #expect(try window(path) == 4096)
    _ = try write("{\"model_max_length\": 1000000000000000019884624838656}", to: "tokenizer_config.json")
    #expect(try window(path) == 131072)
    _ = try write("not JSON", to: "tokenizer_config.json")
    #expect(try window(path) == 131072)
  }

  @Test func `a sequence length moves dynamic tables and no other`() throws {
    let dynamic = Self.scaled.replacing("\"yarn\"", with: "\"dynamic\"")
    let path = try write(dynamic)
    for runtime in [Runtime.transformers4, .transformers5, .mlxLM, .yarnRepository, .formula] {
      let short = try tables(path, runtimes: .named([runtime])).first?.table
      let long = try tables(path, runtimes: .named([runtime]), sequenceLength: 262144).first?.table
      #expect(short != nil && short != long, "\(runtime.name)")
    }
    let fixed = try write(Self.scaled, to: "fixed/config.json")
    #expect(
      try tables(fixed, runtimes: .all, sequenceLength: 262144).map(\.table)
        == tables(fixed, runtimes: .all).map(\.table))
  }

  @Test func `a layer type restricts every runtime that tells layers apart`() throws {
    let path = Fixture.path("config/v5-per-layer")
    let readings = try tables(
      path, runtimes: .named([.transformers5, .vllm, .yarnRepository]), layerType: "sliding_attention")
    #expect(readings.map(\.layerType) == ["sliding_attention", "sliding_attention", nil])
    #expect(readings.map(\.kind) == ["default", "default", "default"])
    let full = try tables(path, runtimes: .named([.vllm]), layerType: "full_attention")
    #expect(full.map(\.kind) == ["yarn"])
    let error = refusal { try tables(path, runtimes: .all, layerType: "main") }
    #expect(error?.expected == "one of full_attention, sliding_attention")
    let flat = try write(Self.scaled)
    #expect(refusal { try tables(flat, layerType: "full_attention") }?.expected == "one table for all layers")
  }
}
