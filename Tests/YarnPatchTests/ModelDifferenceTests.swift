import Agreement
import Runtimes
import TestSupport
import Testing
import YarnPatch

/// Two descriptions of one model, one of which went its own way.
@Suite struct `Comparing two models` {
  private let scratch: ScratchFolder

  init() throws { scratch = try ScratchFolder() }

  private static func text(_ changes: [String: String] = [:], scaling: String? = nil) -> String {
    let values = [
      "architectures": "[\"Qwen2ForCausalLM\"]", "model_type": "\"qwen2\"", "hidden_size": "256",
      "num_attention_heads": "4", "max_position_embeddings": "131072", "rope_theta": "1000000.0",
      "rope_scaling": scaling
        ?? "{\"rope_type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 32768}",
    ].merging(changes) { $1 }
    return "{" + values.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
  }

  private func write(_ text: String, _ name: String) throws -> String {
    try scratch.write(Array(text.utf8), to: name)
  }

  private static let gguf: [(key: String, value: GGUFBuilder.Value)] = [
    ("general.architecture", .string("qwen2")), ("qwen2.context_length", .uint32(131072)),
    ("qwen2.embedding_length", .uint32(256)), ("qwen2.attention.head_count", .uint32(4)),
    ("qwen2.rope.freq_base", .float32(1_000_000)), ("qwen2.rope.scaling.type", .string("yarn")),
    ("qwen2.rope.scaling.factor", .float32(4)), ("qwen2.rope.scaling.original_context_length", .uint32(32768)),
  ]

  private func writeGGUF(without removed: String? = nil) throws -> String {
    try scratch.write(GGUFBuilder(metadata: Self.gguf.filter { $0.key != removed }).bytes(), to: "model.gguf")
  }

  @Test func `a config and the GGUF made from it are the same for every engine`() throws {
    let difference = try diff(write(Self.text(), "config.json"), writeGGUF())
    #expect(difference.isSame && difference.settings.isEmpty, "\(difference)")
    let against = difference.compared.map { "\($0.runtime) \($0.against ?? "itself")" }
    let engines = ["transformers4", "transformers5", "vllm", "sglang", "mlx-lm"]
    #expect(against == engines.map { "\($0) llama.cpp" } + ["llama.cpp itself", "formula itself"])
  }

  @Test func `a GGUF that lost its original length is told with key, size and cure`() throws {
    let difference = try diff(
      write(Self.text(), "config.json"), writeGGUF(without: "qwen2.rope.scaling.original_context_length"),
      runtimes: .named([.vllm]))
    #expect(!difference.isSame)
    #expect(difference.settings.map(\.member) == ["originalContext"])
    let result = try #require(difference.results.first)
    #expect(difference.results.count == 1 && result.runtimes == ["vllm"] && result.against == "llama.cpp")
    #expect(result.effect.aspect == .frequencies && result.effect.size > 0.5)
    #expect(result.keys.map { $0.split(separator: "#").last } == ["/rope_scaling/original_max_position_embeddings"])
    #expect(result.cure?.hasSuffix("model.gguf --factor 4 --original-context 32768") == true)
  }

  /// One value of the second file changed, and what must be found.
  static let slips: [(change: [String: String], scaling: String?, aspects: [Effect.Aspect], member: String)] = [
    (["rope_theta": "10000.0"], nil, [.frequencies], "base"),
    (["max_position_embeddings": "32768"], nil, [.window], "contextLength"),
    (
      [:], "{\"rope_type\": \"yarn\", \"factor\": 2.0, \"original_max_position_embeddings\": 32768}",
      [.frequencies, .magnitude], "factor"
    ),
    (
      [:],
      "{\"rope_type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 32768, \"attention_factor\": 1.0}",
      [.magnitude], "attentionFactor"
    ),
    ([:], "null", [.frequencies, .magnitude], "kind"),
    (["head_dim": "32"], nil, [.frequencies], "rotaryDimension"),
  ]

  @Test(arguments: slips.indices) func `a copy that differs in one value is told apart by it`(_ index: Int) throws {
    let slip = Self.slips[index]
    let difference = try diff(
      write(Self.text(), "config.json"), write(Self.text(slip.change, scaling: slip.scaling), "copy.json"),
      runtimes: .named([.transformers5, .vllm]))
    #expect(difference.settings.contains { $0.member == slip.member })
    for aspect in slip.aspects {
      let result = try #require(difference.results.first { $0.effect.aspect == aspect }, "\(difference)")
      #expect(result.runtimes.contains("vllm") && !result.keys.isEmpty)
      #expect(slip.member == "rotaryDimension" ? result.cure == nil : result.cure != nil)
    }
    #expect(Set(difference.results.map(\.effect.aspect)) == Set(slip.aspects))
  }

  /// Settings of a second file, and the options by which it comes to say what the first one says.
  static let ramps: [(first: String, second: String, options: String)] = [
    ("\"beta_fast\": 16.0", "", "--beta-fast 16"), ("", "\"beta_slow\": 2.0", "--beta-slow 1"),
    ("\"truncate\": false", "", "--no-truncate"), ("", "\"truncate\": false", "--truncate"),
    ("\"beta_fast\": 16.0, \"beta_slow\": 2.0", "\"truncate\": false", "--beta-fast 16 --beta-slow 2 --truncate"),
  ]

  @Test(arguments: ramps.indices) func `a cure names bounds of the ramp that differ`(_ index: Int) throws {
    func scaling(_ members: String) -> String {
      "{\"rope_type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 32768"
        + (members.isEmpty ? "" : ", \(members)") + "}"
    }
    let ramp = Self.ramps[index]
    let first = try write(Self.text(scaling: scaling(ramp.first)), "config.json")
    let second = try write(Self.text(scaling: scaling(ramp.second)), "copy.json")
    let result = try #require(try diff(first, second, runtimes: .named([.vllm])).results.first)
    // Some runtimes do not read custom bounds.
    let runtime = ramp.first.isEmpty ? "" : " --runtime vllm"
    #expect(
      result.cure == "yarn-patch patch \(second) --factor 4 --original-context 32768 \(ramp.options)\(runtime)")
  }

  @Test func `a cure of a GGUF whose keys cannot say it takes factors`() throws {
    let yarn =
      "{\"rope_type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 32768, \"truncate\": false}"
    let difference = try diff(
      write(Self.text(scaling: yarn), "config.json"), writeGGUF(), runtimes: .named([.vllm]))
    let cure = difference.results.first?.cure
    #expect(
      cure?.hasSuffix(" --factor 4 --original-context 32768 --no-truncate --encoding factors") == true, "\(difference)")
  }

  @Test func `what is spelled otherwise and computed alike is the same`() throws {
    let v5 = """
      {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 256, "num_attention_heads": 4,
       "max_position_embeddings": 131072, "rope_parameters": {"rope_type": "yarn", "factor": 4,
       "original_max_position_embeddings": 32768, "rope_theta": 1000000}}
      """
    let (old, new) = (try write(Self.text(), "config.json"), try write(v5, "new.json"))
    let engines = try diff(old, new, runtimes: .named([.transformers5, .vllm, .sglang, .formula]))
    #expect(engines.isSame && engines.settings.isEmpty)
    // Readers of the old layout alone see no scaling in the new one, and the key says why.
    let old4 = try diff(old, new, runtimes: .named([.transformers4]))
    #expect(!old4.isSame && old4.results.allSatisfy { $0.keys.contains("/rope_parameters") }, "\(old4.results)")
  }
}
