import Agreement
import LosslessJSON
import ModelConfig
import RoPE
import Runtimes
import TestSupport
import Testing

/// Files that runtimes are known to read differently, each as a finding with its numbers.
///
/// Rows and numbers: section 9 of the runtimes' documentation, which took them from the recorded tables.
@Suite struct `Files with several results` {
  /// What is compared in a row.
  enum Measure: Sendable {
    /// Inverse frequency of a pair.
    case pair(Int)
    /// Unscaled over scaled inverse frequency of a pair.
    case divisor(Int)
    case pairCount
    case attentionFactor, softmaxScale, window
    /// Who refuses; the number is 1 for a runtime that has a table.
    case reads
  }

  struct Row: Sendable, CustomTestStringConvertible {
    var title: String
    /// A recorded case of transformers 5, or the config's own text.
    var config: String
    var family = "llama"
    var layer: String?
    var length: Int?
    var measure: Measure
    var expected: [(runtimes: [String], value: Double)]
    /// Part of the key that is named as the cause.
    var key: String
    var testDescription: String { title }
  }

  private static let torch = ["transformers4", "transformers5", "vllm", "sglang"]
  private static let all = torch + ["mlx-lm", "llama.cpp"]
  private static func without(_ names: String...) -> [String] { all.filter { !names.contains($0) } }

  private static let gptOSS = """
    {"hidden_size": 2880, "num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64,
     "max_position_embeddings": 131072, "rope_theta": 150000.0
    """
  private static let deepSeek = """
    {"hidden_size": 7168, "num_attention_heads": 128, "num_key_value_heads": 128, "qk_rope_head_dim": 64,
     "qk_nope_head_dim": 128, "v_head_dim": 128, "kv_lora_rank": 512, "max_position_embeddings": 163840,
     "rope_theta": 10000.0, "rope_scaling": {"rope_type": "yarn", "factor": 40.0,
     "original_max_position_embeddings": 4096, "beta_fast": 32.0, "beta_slow": 1.0
    """

  static let rows: [Row] = [
    Row(
      title: "gpt-oss without rounding", family: "gpt_oss",
      measure: .pair(9), expected: [(torch, 0.0317057), (["mlx-lm", "llama.cpp"], 0.0316208)], key: "truncate",
      config: gptOSS + """
        , "rope_scaling": {"rope_type": "yarn", "factor": 32.0, "original_max_position_embeddings": 4096,
         "beta_fast": 32.0, "beta_slow": 1.0, "truncate": false}}
        """),
    Row(
      title: "the same in a dictionary per kind of layer", family: "gemma3_text", layer: "full_attention",
      measure: .pair(9), expected: [(["transformers5"], 0.0316208), (["vllm"], 0.0317057)],
      key: "/rope_parameters/truncate", config: "nested-yarn-truncate-inner"),
    Row(
      title: "attention_factor 2", measure: .attentionFactor,
      expected: [
        (["transformers4", "transformers5", "vllm"], 2), (["sglang", "mlx-lm", "llama.cpp"], 1.27726),
      ], key: "attention_factor", config: "yarn-attnfactor-002"),
    Row(
      title: "attn_factor 2", measure: .attentionFactor,
      expected: [(["sglang"], 2.27726), (without("sglang"), 1.13863)], key: "attn_factor",
      config: "keys-attn_factor-2"),
    Row(
      title: "mscale alone, Llama", measure: .attentionFactor,
      expected: [(without("mlx-lm"), 1.13863), (["mlx-lm"], 1.06931)], key: "mscale",
      config: """
        {"hidden_size": 512, "num_attention_heads": 4, "head_dim": 128, "max_position_embeddings": 16384,
         "rope_theta": 10000.0, "rope_scaling": {"rope_type": "yarn", "factor": 4.0,
         "original_max_position_embeddings": 4096, "mscale": 0.5}}
        """),
    Row(
      title: "mscale alone, DeepSeek", family: "deepseek_v3", measure: .attentionFactor,
      expected: [
        (["transformers4", "transformers5"], 1.13863), (["vllm", "sglang", "mlx-lm"], 1.06931),
      ], key: "mscale", config: "deepseek-mscale-007"),
    Row(
      title: "mscale_all_dim alone", measure: .attentionFactor,
      expected: [(without("mlx-lm"), 1.20794), (["mlx-lm"], 1)], key: "mscale_all_dim", config: "yarn-mscale-010"),
    Row(
      title: "an mscale pair of zeros", measure: .attentionFactor,
      expected: [(["sglang", "mlx-lm"], 1), (["transformers4", "transformers5", "vllm"], 1.04055)], key: "mscale",
      config: "yarn-mscale-013"),
    Row(
      title: "no original length", measure: .pair(20),
      expected: [(torch, 0.0452823), (["mlx-lm"], 0.0438057)], key: "original_max_position_embeddings",
      config: "keys-missing-orig"),
    Row(
      title: "an original length at the top only, Llama", measure: .pair(20),
      expected: [(["transformers4"], 0.0398933), (["transformers5", "vllm", "sglang", "mlx-lm"], 0.0372915)],
      key: "/rope_scaling/original_max_position_embeddings", config: "keys-top-orig-only"),
    Row(
      title: "an original length at the top only, Qwen2", family: "qwen2", measure: .pair(20),
      expected: [(["transformers4", "sglang"], 0.0398933), (["transformers5", "vllm", "mlx-lm"], 0.0372915)],
      key: "/rope_scaling/original_max_position_embeddings", config: "keys-top-orig-only"),
    Row(
      title: "two original lengths, Llama", measure: .pair(20),
      expected: [(["transformers4", "mlx-lm"], 0.0364633), (["transformers5", "vllm", "sglang"], 0.0286498)],
      key: "/original_max_position_embeddings", config: "keys-top-orig-conflict"),
    Row(
      title: "two original lengths, Qwen2", family: "qwen2", measure: .pair(20),
      expected: [(["transformers4", "mlx-lm", "sglang"], 0.0364633), (["transformers5", "vllm"], 0.0286498)],
      key: "/original_max_position_embeddings", config: "keys-top-orig-conflict"),
    Row(
      title: "a base inside the dictionary and another beside it", measure: .pair(63),
      expected: [(["transformers4", "mlx-lm"], 2.887e-5), (["transformers5", "vllm", "sglang"], 1.214e-6)],
      key: "rope_theta", config: "keys-rope-theta-inside"),
    Row(
      title: "a rotary share inside the dictionary", measure: .pairCount,
      expected: [(["transformers4", "mlx-lm"], 64), (["transformers5", "vllm", "sglang"], 32)],
      key: "partial_rotary_factor", config: "keys-partial-inside"),
    Row(
      title: "a rotary share without scaling", measure: .pairCount,
      expected: [(["transformers5"], 64), (["transformers4", "vllm", "sglang"], 16)], key: "partial_rotary_factor",
      config: "default-003"),
    Row(
      title: "betas that are null", measure: .reads,
      expected: [(["transformers4", "transformers5"], 1), (["vllm", "sglang", "mlx-lm"], 0)], key: "beta_",
      config: "keys-beta-null"),
    Row(
      title: "betas that are 0", measure: .reads,
      expected: [(["transformers4", "transformers5"], 1), (["vllm", "sglang", "mlx-lm"], 0)], key: "beta_",
      config: "keys-beta-zero"),
    Row(
      title: "linear with an integer factor", measure: .reads,
      expected: [(["transformers4", "transformers5", "mlx-lm", "llama.cpp"], 1), (["vllm", "sglang"], 0)],
      key: "/rope_scaling/factor", config: "keys-linear-factor-int"),
    Row(
      title: "dynamic at twice the window", length: 65536, measure: .pair(20),
      expected: [(["transformers4", "transformers5", "sglang"], 0.00940877), (["vllm"], 0.0133352)],
      key: "rope_type", config: "real-internlm2-dynamic2-65536"),
    Row(
      title: "dynamic at the window", length: 32768, measure: .pair(20),
      expected: [(["transformers4", "transformers5", "vllm"], 0.0133352), (["sglang"], 0.00940877)],
      key: "rope_type", config: "real-internlm2-dynamic2-65536"),
    Row(
      title: "dynamic with alpha", measure: .pair(20),
      expected: [(["transformers4", "transformers5"], 0.0562341), (["vllm", "sglang"], 0.00627508)], key: "alpha",
      config: "real-hunyuan-dynamic-alpha1000"),
    Row(
      title: "LongRoPE with an attention factor", measure: .attentionFactor,
      expected: [(["transformers4", "transformers5"], 1.1), (["vllm", "sglang", "mlx-lm"], 1.22474)],
      key: "attention_factor", config: "longrope-003-short"),
    Row(
      title: "LongRoPE with a factor and an inner original length", measure: .attentionFactor,
      expected: [
        (["transformers4"], 1.10378), (["transformers5"], 1.13427), (["vllm", "sglang", "mlx-lm"], 1.14564),
      ], key: "max_position_embeddings", config: "longrope-002-short"),
    Row(
      title: "Phi-3.5 on short text", family: "phi3", length: 4096, measure: .pair(47),
      expected: [(["transformers4", "transformers5", "vllm", "sglang"], 4.26594e-5), (["mlx-lm"], 1.86849e-6)],
      key: "short_factor", config: "real-phi3.5-mini-short"),
    Row(
      title: "LongRoPE one token beyond the original length", length: 65537, measure: .pair(20),
      expected: [(["transformers5", "vllm", "mlx-lm"], 0.0267384), (["transformers4", "sglang"], 0.165442)],
      key: "factor", config: "longrope-002-long"),
    Row(
      title: "proportional with a factor", measure: .pair(1),
      expected: [(["transformers5", "mlx-lm"], 0.0109036), (["vllm", "sglang"], 0.697831)],
      key: "/rope_scaling/factor", config: "proportional-003"),
    Row(
      title: "Kimi K2, both betas 1", family: "deepseek_v3", measure: .pair(12),
      expected: [(torch + ["mlx-lm"], 0.0172936), (["llama.cpp"], 0.0117092)], key: "beta_",
      config: deepSeek.replacing("40.0", "32.0").replacing("10000.0", "50000.0").replacing(
        "beta_fast\": 32.0", "beta_fast\": 1.0")
        + ", \"mscale\": 1.0, \"mscale_all_dim\": 1.0}}"),
    Row(
      title: "DeepSeek without mscale_all_dim", family: "deepseek_v3", measure: .softmaxScale,
      expected: [(torch + ["mlx-lm"], 1), (["llama.cpp"], 1.8739)], key: "mscale_all_dim", config: deepSeek + "}}"),
    Row(
      title: "betas the wrong way round", measure: .divisor(0),
      expected: [(torch + ["mlx-lm"], 16), (["llama.cpp"], 1)], key: "beta_", config: "yarn-degen-beta-003"),
    Row(
      title: "an original length so short that the ramp ends before the first pair", measure: .divisor(1),
      expected: [(torch + ["mlx-lm"], 1), (["llama.cpp"], 4)], key: "original_max_position_embeddings",
      config: "yarn-degen-orig-001"),
    Row(
      title: "gpt-oss without a dictionary", family: "gpt_oss", measure: .divisor(31),
      expected: [(torch, 32), (["mlx-lm"], 1)], key: "/rope_scaling", config: gptOSS + "}"),
    Row(
      title: "linear windows", measure: .window,
      expected: [(["vllm", "sglang"], 16384), (["llama.cpp"], 4096)], key: "rope_type",
      config: "real-vicuna-16k-linear4"),
    Row(
      title: "Phi-3.5 windows", family: "phi3", measure: .window,
      expected: [(["vllm"], 4096), (["sglang", "llama.cpp"], 131072)], key: "/original_max_position_embeddings",
      config: "real-phi3.5-mini-short"),
  ]

  private static let recorded = try? JSONDocument(
    Fixture.bytes("frequency-tables/transformers5.json"), path: "transformers5.json")

  /// The row's config with a model type and the class that llama.cpp's converter goes by.
  private static func config(_ row: Row) throws -> HuggingFaceConfig {
    var text = row.config
    if !text.hasPrefix("{") {
      let document = try #require(recorded)
      let found = document["/cases"]?.value.elements?.first {
        $0.value.members?.first { $0.key == "id" }?.node.value.string == row.config
      }
      let range = try #require(found?.value.members?.first { $0.key == "input" }?.node.range)
      text = String(decoding: document.bytes[range], as: UTF8.self)
    }
    let classes = [
      "llama": "LlamaForCausalLM", "qwen2": "Qwen2ForCausalLM", "gpt_oss": "GptOssForCausalLM",
      "gemma3_text": "Gemma3ForCausalLM", "deepseek_v3": "DeepseekV3ForCausalLM", "phi3": "Phi3ForCausalLM",
    ]
    var document = try JSONDocument(Array(text.utf8), path: "config.json")
    var editor = try JSONEditor(document)
    let members: [(String, JSONText)] = [
      ("model_type", .string(row.family)), ("architectures", .array([.string(classes[row.family] ?? "")])),
    ]
    for (key, value) in members where document["/\(key)"] == nil { try editor.insert(key, value, into: "") }
    if document["/model_type"] != nil { try editor.replace("/model_type", with: .string(row.family)) }
    document = try JSONDocument(
      try #require(try editor.edits().apply(to: document.bytes)), path: "config.json")
    return try HuggingFaceConfig(document)
  }

  private static func value(_ measure: Measure, of reading: RuntimeReading) -> Double? {
    switch measure {
    case .pair(let pair): return reading.table?.inverseFrequencies[pair]
    case .divisor(let pair):
      guard let base = reading.base, let rotary = reading.rotaryDimension else { return nil }
      let plain = FrequencyTable(RoPEParameters(base: base, rotaryDimension: rotary)).inverseFrequencies[pair]
      return (reading.table?.inverseFrequencies[pair]).map { plain / $0 }
    case .pairCount: return (reading.table?.inverseFrequencies.count).map(Double.init)
    case .attentionFactor: return reading.table?.attentionFactor
    case .softmaxScale: return reading.table?.softmaxScaleMultiplier
    case .window: return reading.contextLength.map(Double.init)
    case .reads: return reading.table == nil ? 0 : 1
    }
  }

  private static func aspect(_ measure: Measure) -> Effect.Aspect {
    switch measure {
    case .pair, .divisor, .pairCount: .frequencies
    case .attentionFactor, .softmaxScale: .magnitude
    case .window: .window
    case .reads: .refusal
    }
  }

  @Test(arguments: rows) func `is a finding with numbers, key and cure`(row: Row) throws {
    let config = try Self.config(row)
    let names = row.expected.flatMap(\.runtimes)
    let subjects = try names.map { RuntimeSubject(try Runtime.named($0), .config(config, .init())) }
    let agreement = RuntimeAgreement(subjects, lengths: [row.length].compactMap(\.self))

    for (runtimes, value) in row.expected {
      for name in runtimes {
        let options = RuntimeOptions(sequenceLength: row.length)
        let readings = try Runtime.named(name).read(.config(config, .init()), options)
        let reading = try #require(readings.first { row.layer == nil || $0.layerType == row.layer })
        let measured = try #require(Self.value(row.measure, of: reading), "\(name): \(reading.refused as Any)")
        #expect(abs(measured - value) <= 5e-4 * value, "\(name) has \(measured)")
      }
    }
    // Runtimes with different values are told apart, and those of one value are not.
    let findings = agreement.disagreements.filter {
      $0.effect.aspect == Self.aspect(row.measure) && $0.layerType == row.layer
    }
    for (index, one) in row.expected.enumerated() {
      for other in row.expected.dropFirst(index + 1) {
        for name in one.runtimes {
          for its in other.runtimes {
            let found = findings.filter { $0.runtimes.contains(name) != $0.runtimes.contains(its) }
            #expect(!found.isEmpty, "\(name) and \(its) are not told apart: \(agreement.disagreements)")
          }
        }
      }
    }
    let decisive = findings.filter { $0.cause?.keys.first?.contains(row.key) == true }
    let said = findings.map {
      "\($0.runtimes): \($0.effect.phrase); \($0.cause.map { "\($0.keys) \($0.cure)" } ?? "no cause")"
    }
    #expect(!decisive.isEmpty, "\(said.joined(separator: "\n"))")
  }
}

extension `Files with several results`.Row {
  /// In the order in which a row is read: who, what, numbers, then the file.
  init(
    title: String, family: String = "llama", layer: String? = nil, length: Int? = nil,
    measure: `Files with several results`.Measure, expected: [(runtimes: [String], value: Double)], key: String,
    config: String
  ) {
    self.title = title
    self.config = config
    self.family = family
    self.layer = layer
    self.length = length
    self.measure = measure
    self.expected = expected
    self.key = key
  }
}

extension String {
  fileprivate func replacing(_ old: String, _ new: String) -> String {
    split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
  }
}
