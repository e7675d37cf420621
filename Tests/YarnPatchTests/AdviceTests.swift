import Diagnostics
import FileStore
import ModelConfig
import PatchPlanning
import RoPE
import Runtimes
import TestSupport
import Testing

@testable import YarnPatch

@Suite struct AdviceTests {
  private static let model = "models/tiny-llama-ctx256"
  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  private func advice(_ fixture: String, _ context: Int) throws -> Advice {
    try advise(try folder.copy(fixture), context: context)
  }

  private func advice(config members: String, _ context: Int, base: Double? = nil) throws -> Advice {
    let text = """
      {"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":256,"num_attention_heads":4,
      "num_key_value_heads":2,"num_hidden_layers":2,\(members)}
      """
    return try advise(try folder.write(Array(text.utf8), to: "config.json"), context: context, base: base)
  }

  // MARK: verdicts

  @Test(
    arguments: [
      ("config/llama-plain", 4096, .keep, nil, nil), ("config/llama-plain", 4097, .patch, 4097, 4096),
      ("config/llama-plain", 16384, .patch, 16384, 4096),
      // 40960 tokens are stated, 32768 were trained.
      ("config/qwen3-headroom", 32768, .keep, nil, 32768), ("config/qwen3-headroom", 65536, .patch, 65536, 32768),
      // Scaled by a user: the smallest factor counts from the original length.
      ("config/yarn-old", 131072, .keep, nil, 32768), ("config/yarn-old", 65536, .patch, 65536, 32768),
      ("config/yarn-old", 262144, .patch, 262144, 32768), ("config/yarn-old", 32768, .patch, 32768, 32768),
      // Trained with a scaling: left alone as far as it reaches, and beyond that only YaRN takes another factor.
      ("config/llama3", 131072, .keep, nil, 8192), ("config/llama3", 131073, .unreachable, nil, 8192),
      ("config/longrope", 200000, .unreachable, nil, 4096), ("gguf/llama3-freqs.gguf", 1 << 20, .unreachable, nil, nil),
      ("config/gpt-oss", 8192, .keep, nil, 4096), ("config/gpt-oss", 262144, .patch, 262144, 4096),
      ("gguf/llama-plain.gguf", 8192, .patch, 8192, 4096),
    ] as [(String, Int, Advice.Verdict, Int?, Int?)])
  func `the verdict follows what the weights know`(
    fixture: String, context: Int, verdict: Advice.Verdict, window: Int?, original: Int?
  ) throws {
    let advice = try advice(fixture, context)
    #expect(advice.verdict == verdict, "\(advice.reason)")
    #expect(advice.settings?.window == window)
    #expect(original == nil || advice.originalContext == original)
    #expect(advice.arguments.isEmpty == (verdict != .patch))
    #expect((advice.remedy != nil) == (verdict == .unreachable))
  }

  @Test(
    arguments: [
      ("config/llama3", "the weights were trained with llama3 scaling, which ends at 131072 tokens"),
      ("config/longrope", "the weights were trained with longrope scaling, which ends at 131072 tokens"),
    ])
  func `the way on for trained weights says that the scaling is replaced, not that it adds up`(
    fixture: String, reason: String
  ) throws {
    let advice = try advice(fixture, 200_000)
    #expect(advice.reason == reason)
    let remedy = try #require(advice.remedy)
    #expect(remedy.contains("in the place of") && !remedy.contains("compound"))
  }

  @Test(arguments: ["config/dynamic", "config/linear", "config/yarn-old"])
  func `a scaling that a user declared is replaced without a word of training`(fixture: String) throws {
    let advice = try advice(fixture, 1 << 19)
    #expect(advice.verdict == .patch && advice.remedy == nil && !advice.reason.contains("trained"))
  }

  @Test(arguments: ["config/llama-plain", "config/gpt-oss", "gguf/qwen2-yarn.gguf", Self.model])
  func `the advised command makes files for which the advice is to change nothing`(fixture: String) throws {
    let path = try folder.copy(fixture)
    let context = 300_000
    let advice = try advise(path, context: context)
    var request = PatchRequest(reach: .context(context))
    var options = advice.arguments.dropFirst(3)[...]
    while let name = options.popFirst(), let value = options.popFirst() {
      switch name {
      case "--context": #expect(Int(value) == context)
      case "--attention-factor": request.attentionFactor = Double(value)
      case "--runtime": request.runtimes = (request.runtimes ?? []) + [try Runtime.named(value)]
      default: Issue.record("\(name)")
      }
    }
    _ = try patch(path, request)
    let again = try advise(path, context: context)
    #expect(again.verdict == .keep, "\(again.reason)")
    #expect(again.window == advice.settings?.window)
  }

  @Test func `advice writes nothing`() throws {
    let path = try folder.copy(Self.model)
    let before = folder.contents
    for context in [100, 1024, 1 << 20] { _ = try advise(path, context: context) }
    #expect(folder.contents == before)
  }

  @Test func `a base that the file leaves out is named, or asked for`() throws {
    let unknown = refusal { try advice(config: #""max_position_embeddings":2048"#, 4096) }
    #expect(unknown?.code == "base-missing")
    let named = try advice(config: #""max_position_embeddings":2048"#, 4096, base: 10000)
    #expect(named.arguments.suffix(2) == ["--base", "10000.0"])
    // The widths and depth of Llama 2's smallest, and no base as in its first files.
    let text = """
      {"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":4096,"num_attention_heads":32,
      "num_hidden_layers":32,"max_position_embeddings":4096}
      """
    let known = try advise(try folder.write(Array(text.utf8), to: "config.json"), context: 8192)
    #expect(known.arguments.suffix(2) == ["--base", "10000.0"])
    #expect(known.notes.contains { $0.contains("Llama 2") })
  }

  @Test(arguments: [0, -1, Int(Int32.max) + 1, .max, .min]) func `a length that no position has is refused`(length: Int)
  {
    #expect(refusal { try advice("config/llama-plain", length) }?.code == "bad-request")
  }

  @Test func `a folder without settings is refused`() throws {
    _ = try folder.copy("safetensors/single/model.safetensors", as: "weights/model.safetensors")
    #expect(refusal { try advise(folder["weights"], context: 8192) }?.code == "not-a-model")
  }

  // MARK: lengths

  @Test(
    arguments: [
      (32768, 131072, [32768, 65536, 131072]), (4096, 10000, [4096, 8192, 10000]), (4096, 8192, [4096, 8192]),
      (4096, 4097, [4096, 4097]), (4096, 4096, [4096]), (1, Int(Int32.max), nil),
    ] as [(Int, Int, [Int]?)])
  func `stages double, and end at the window`(original: Int, window: Int, expected: [Int]?) {
    let stages = Advice.stages(from: original, to: window)
    if let expected { #expect(stages == expected) }
    #expect(stages.first == original && stages.last == window)
    #expect(zip(stages, stages.dropFirst()).allSatisfy { $0 < $1 && $1 <= 2 * $0 })
  }

  @Test func `each length has its factor, its magnitude and its memory`() throws {
    let advice = try advice("config/llama-plain", 16384)
    #expect(advice.lengths.map(\.tokens) == [4096, 8192, 16384])
    #expect(advice.lengths.map(\.factor) == [1, 2, 4])
    for length in advice.lengths {
      let factor = try #require(length.factor)
      #expect(abs(try #require(length.attentionFactor) - yarnMagnitude(factor: factor)) < 1e-12)
      // 2 · 24 layers · 4 heads · 128 elements · 2 bytes
      #expect(length.cache16Bit == UInt64(length.tokens) * 49152 && length.cache8Bit == UInt64(length.tokens) * 24576)
    }
    let changes = advice.lengths.compactMap(\.scoreChange)
    #expect(changes.first == 0 && changes == changes.sorted() && changes.count == 3)
  }

  @Test func `weights trained with YaRN go on from the window they were trained to`() throws {
    let advice = try advice("config/mla-yarn", 400_000)
    #expect(advice.lengths.map(\.tokens) == [163840, 327680, 400_000])
    #expect(advice.lengths.first?.factor == 40 && advice.lengths.first?.scoreChange == 0)
    #expect(advice.shortPrompts?.length == 163840 && advice.dynamic == nil)
    #expect(advice.notes.contains { $0.contains("trained with yarn scaling ×40") })
  }

  @Test func `memory that the file does not tell is unknown, and the rest of the advice stands`() throws {
    let text = #"{"model_type":"llama","head_dim":64,"max_position_embeddings":4096,"rope_theta":10000.0}"#
    let advice = try advise(try folder.write(Array(text.utf8), to: "config.json"), context: 8192)
    #expect(advice.verdict == .patch && advice.lengths.allSatisfy { $0.cache16Bit == nil })
    guard case .failure(let error) = advice.cache else { return #expect(Bool(false)) }
    #expect(error.code == "not-stated" && error.location.key == "/num_hidden_layers")
  }

  // MARK: costs

  @Test func `a score change at distance 0 is that of the magnitude, and a factor of 1 changes nothing`() throws {
    let advice = try advice("config/llama-plain", 16384)
    let cost = try #require(advice.shortPrompts)
    let magnitude = yarnMagnitude(factor: 4)
    #expect(abs(cost.logitScale - magnitude * magnitude) < 1e-12)
    #expect(cost.scoreChanges.first?.distance == 0)
    #expect(abs(try #require(cost.scoreChanges.first?.relative) - (cost.logitScale - 1)) < 1e-12)
    #expect(cost.scoreChanges.last?.distance == 4095)
    #expect((cost.kept ?? 0) + (cost.blended ?? 0) + (cost.divided ?? 0) == 64)
    // A magnitude above 1 gathers attention.
    #expect(try #require(cost.entropyAfter) < #require(cost.entropyBefore))
  }

  /// Scores of many random heads under both tables, one by one.
  @Test func `score changes are those of random heads`() throws {
    var random = SeededGenerator(seed: 7)
    let plain = FrequencyTable(RoPEParameters(base: 10000, rotaryDimension: 8))
    var scaled = plain
    scaled.inverseFrequencies = plain.inverseFrequencies.map { $0 / 3 }
    scaled.attentionFactor = 1.1
    for distance in [0, 1, 7, 100] {
      var (difference, size) = (0.0, 0.0)
      for _ in 0..<20_000 {
        let heads = (0..<16).map { _ in Double.random(in: -1...1, using: &random) }
        func score(_ table: FrequencyTable) -> Double {
          table.inverseFrequencies.indices.reduce(0) { sum, pair in
            let angle = Double(distance) * table.inverseFrequencies[pair]
            let (a, b, c, d) = (heads[2 * pair], heads[2 * pair + 1], heads[8 + 2 * pair], heads[9 + 2 * pair])
            return sum + (a * c + b * d) * cosine(angle) + (b * c - a * d) * sine(angle)
          } * table.attentionFactor * table.attentionFactor
        }
        let before = score(plain)
        difference += (score(scaled) - before) * (score(scaled) - before)
        size += before * before
      }
      let change = scaled.scoreChange(from: plain, ratio: scaled.logitScale, turn: distance)
      #expect(abs(try #require(change) - (difference / size).squareRoot()) < 0.03, "distance \(distance), seed 7")
    }
  }

  @Test func `dynamic scaling is for those who compute it as published, and its cached keys are measured`() throws {
    let dynamic = try #require(try advice("config/llama-plain", 16384).dynamic)
    #expect(dynamic.runtimes == ["transformers4", "transformers5", "mlx-lm"] && dynamic.refusal == nil)
    #expect(dynamic.cachedKeys?.firstChangedLength == 4097 && dynamic.cachedKeys?.length == 16384)
    let gguf = try #require(try advice("gguf/llama-plain.gguf", 16384).dynamic)
    #expect(gguf.runtimes.isEmpty && gguf.refusal?.code == "not-expressible")
  }

  // MARK: runtimes

  @Test func `each runtime is told what it needs`() throws {
    let advice = try advice(Self.model, 1024)
    #expect(advice.runtimes.map(\.runtime) == Runtime.engines.map(\.name))
    #expect(advice.runtimes.allSatisfy { $0.obstacles.isEmpty && $0.file != nil })
    func runtime(_ name: String) throws -> RuntimeAdvice { try #require(advice.runtimes.first { $0.runtime == name }) }
    #expect(try runtime("vllm").window == 256 && runtime("vllm").plannedWindow == 1024)
    #expect(try runtime("vllm").startOption?.arguments.first == "--hf-overrides")
    #expect(try runtime("mlx-lm").plannedWindow == nil)
    #expect(try runtime("llama.cpp").file?.hasSuffix(".gguf") == true)
    #expect(try runtime("llama.cpp").startOption?.arguments.contains("--yarn-orig-ctx") == true)
  }

  @Test func `a runtime that departs is left out of the command, with what it would compute`() throws {
    let advice = try advice("config/gpt-oss", 262144)
    let departing = advice.runtimes.filter { !$0.obstacles.isEmpty }.map(\.runtime)
    #expect(departing.contains("mlx-lm") && !departing.contains("vllm"))
    #expect(advice.arguments.contains("vllm") && !advice.arguments.contains("mlx-lm"))
  }

  @Test(arguments: ["model.gguf", "blobs/sha256-0123"])
  func `a GGUF needs no conversion, whatever its name`(name: String) throws {
    let advice = try advise(try folder.copy("gguf/llama-plain.gguf", as: name), context: 8192)
    #expect(!advice.runtimes.contains { $0.isConverted })
    let config = try self.advice("config/llama-plain", 8192)
    #expect(config.runtimes.filter(\.isConverted).map(\.runtime) == ["llama.cpp"])
  }

  @Test func `a window that falls short is an obstacle`() throws {
    let advice = try advice("config/llama3", 200_000)
    #expect(advice.runtimes.first { $0.runtime == "vllm" }?.obstacles == ["it derives a window of 131072 tokens"])
    #expect(advice.runtimes.first { $0.runtime == "transformers5" }?.obstacles == [])
  }
}
