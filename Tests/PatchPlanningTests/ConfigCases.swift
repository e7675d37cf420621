import PatchPlanning
import TestSupport
import Testing

/// A fixture, what is asked, and the lines that change.
struct ConfigCase: CustomTestStringConvertible {
  var fixture: String
  var request: PatchRequest
  var difference: String
  var testDescription: String { "\(fixture), \(request.method.rawValue)" }

  init(_ fixture: String, _ request: PatchRequest, _ difference: String) {
    (self.fixture, self.request, self.difference) = (fixture, request, difference)
  }
}

extension ConfigEditTests {
  static let cases = oldLayout + replaced + newLayout + nested + styles + options

  static let plainYaRN = """
    -  "max_position_embeddings": 4096,
    +  "max_position_embeddings": 16384,
    -  "rope_scaling": null,
    +  "rope_scaling": {
    +    "rope_type": "yarn",
    +    "factor": 4.0,
    +    "original_max_position_embeddings": 4096
    +  },
    """

  static let oldLayout = [
    ConfigCase("llama-plain", request(.yarn, 4), plainYaRN),
    ConfigCase("infinity-elsewhere", request(.yarn, 4), plainYaRN),
    ConfigCase("partial-rotary", request(.yarn, 4), plainYaRN),
    ConfigCase(
      "llama-no-scaling-key", request(.yarn, 4),
      """
      -  "max_position_embeddings": 4096,
      +  "max_position_embeddings": 16384,
      +  "rope_scaling": {
      +    "rope_type": "yarn",
      +    "factor": 4.0,
      +    "original_max_position_embeddings": 4096
      +  },
      """),
    ConfigCase(
      "llama-plain", request(.linear, 2.5),
      """
      -  "rope_scaling": null,
      +  "rope_scaling": {
      +    "rope_type": "linear",
      +    "factor": 2.5
      +  },
      """),
    ConfigCase(
      "llama-plain", request(.dynamic, 2),
      """
      -  "rope_scaling": null,
      +  "rope_scaling": {
      +    "rope_type": "dynamic",
      +    "factor": 2.0
      +  },
      """),
    ConfigCase(
      "llama-plain", request(.ntk, 4),
      """
      -  "max_position_embeddings": 4096,
      +  "max_position_embeddings": 16384,
      +  "original_max_position_embeddings": 4096,
      -  "rope_theta": 10000.0,
      +  "rope_theta": 40889.94243248622,
      """),
    ConfigCase(
      "llama-plain", request(.ntkByParts, 4),
      """
      -  "max_position_embeddings": 4096,
      +  "max_position_embeddings": 16384,
      -  "rope_scaling": null,
      +  "rope_scaling": {
      +    "rope_type": "yarn",
      +    "factor": 4.0,
      +    "original_max_position_embeddings": 4096,
      +    "attention_factor": 1.0
      +  },
      """),
    ConfigCase("llama-plain", request(.none), ""),
    ConfigCase("llama-no-scaling-key", request(.none), ""),
    ConfigCase("mrope", request(.none), ""),
    ConfigCase("qwen3-headroom", request(.none), ""),
    ConfigCase("v5-flat", request(.none), ""),
    ConfigCase("gemma3", request(.none), ""),
    // The card's length, not the stated window with its headroom.
    ConfigCase(
      "qwen3-headroom", request(.yarn, 4),
      """
      -  "max_position_embeddings": 40960,
      +  "max_position_embeddings": 131072,
      -  "rope_scaling": null,
      +  "rope_scaling": {
      +    "rope_type": "yarn",
      +    "factor": 4.0,
      +    "original_max_position_embeddings": 32768
      +  },
      """),
    ConfigCase(
      "gemma3", request(.yarn, 4),
      """
      -  "max_position_embeddings": 32768,
      +  "max_position_embeddings": 131072,
      -  "rope_scaling": null,
      +  "rope_scaling": {
      +    "rope_type": "yarn",
      +    "factor": 4.0,
      +    "original_max_position_embeddings": 32768
      +  },
      """),
    ConfigCase(
      "gpt-neox", request(.yarn, 4),
      """
      -  "max_position_embeddings": 2048,
      +  "max_position_embeddings": 8192,
      +  "rope_scaling": {
      +    "rope_type": "yarn",
      +    "factor": 4.0,
      +    "original_max_position_embeddings": 2048
      +  },
      """),
    ConfigCase(
      "gpt-neox", request(.ntk, 4) { $0.base = 500_000 },
      """
      -  "max_position_embeddings": 2048,
      +  "max_position_embeddings": 8192,
      -  "rotary_emb_base": 10000,
      +  "original_max_position_embeddings": 2048,
      +  "rotary_emb_base": 2193649.9593892517,
      """),
    ConfigCase(
      "rotary-dim", request(.yarn, 4) { $0.base = 10000 },
      """
      -  "n_positions": 2048,
      +  "n_positions": 8192,
      +  "rope_scaling": {
      +    "rope_type": "yarn",
      +    "factor": 4.0,
      +    "original_max_position_embeddings": 2048
      +  },
      +  "rope_theta": 10000.0,
      """),
    ConfigCase(
      "mrope", request(.yarn, 4),
      """
      -  "max_position_embeddings": 32768,
      +  "max_position_embeddings": 131072,
      +    "factor": 4.0,
      -    "type": "mrope"
      +    "original_max_position_embeddings": 32768,
      +    "rope_type": "yarn",
      +    "type": "yarn"
      """),
  ]

  static let replaced = [
    ConfigCase(
      "yarn-old", request(.yarn, 8),
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 262144,
      -    "factor": 4.0,
      +    "factor": 8.0,
      +    "rope_type": "yarn",
      """),
    ConfigCase(
      "yarn-old", request(.linear, 4),
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 32768,
      -    "original_max_position_embeddings": 32768,
      -    "type": "yarn"
      +    "rope_type": "linear",
      +    "type": "linear"
      """),
    ConfigCase(
      "yarn-old", request(.none),
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 32768,
      -  "rope_scaling": {
      -    "factor": 4.0,
      -    "original_max_position_embeddings": 32768,
      -    "type": "yarn"
      -  },
      +  "rope_scaling": null,
      """),
    ConfigCase("yarn-both-types", request(.yarn, 4), ""),
    ConfigCase(
      "yarn-both-types", request(.yarn, 2),
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 65536,
      -    "factor": 4.0,
      +    "factor": 2.0,
      """),
    ConfigCase(
      "linear", request(.yarn, 4),
      """
      -  "max_position_embeddings": 4096,
      +  "max_position_embeddings": 16384,
      -    "type": "linear"
      +    "original_max_position_embeddings": 4096,
      +    "rope_type": "yarn",
      +    "type": "yarn"
      """),
    ConfigCase(
      "dynamic", request(.none),
      """
      -  "rope_scaling": {
      -    "factor": 2.0,
      -    "type": "dynamic"
      -  },
      +  "rope_scaling": null,
      """),
    // The pair that steers the softmax correction stays; numbers that need not change keep their spelling.
    ConfigCase(
      "mla-yarn", request(.yarn, 8),
      """
      -  "max_position_embeddings": 163840,
      +  "max_position_embeddings": 32768,
      -    "factor": 40,
      +    "factor": 8.0,
      +    "rope_type": "yarn",
      """),
    ConfigCase(
      "gpt-oss", request(.yarn, 16),
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 65536,
      -    "factor": 32.0,
      +    "factor": 16.0,
      """),
    // Readers of this family put their own YaRN in where they find null.
    ConfigCase(
      "gpt-oss", request(.none),
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 4096,
      -    "beta_fast": 32.0,
      -    "beta_slow": 1.0,
      -    "factor": 32.0,
      -    "original_max_position_embeddings": 4096,
      -    "rope_type": "yarn",
      -    "truncate": false
      +    "rope_type": "default"
      """),
    ConfigCase(
      "llama3", request(.yarn, 4) { $0.allowed = ["YP504"] },
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 32768,
      -    "factor": 8.0,
      -    "high_freq_factor": 4.0,
      -    "low_freq_factor": 1.0,
      +    "factor": 4.0,
      -    "rope_type": "llama3"
      +    "rope_type": "yarn"
      """),
    ConfigCase(
      "longrope", request(.yarn, 4) { $0.allowed = ["YP504"] },
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 16384,
      -    "long_factor": [
      -      1.0,
      -      5.0,
      -      9.0,
      -      13.0,
      -      17.0,
      -      21.0,
      -      25.0,
      -      29.0
      -    ],
      -    "short_factor": [
      -      1.0,
      -      1.125,
      -      1.25,
      -      1.375,
      -      1.5,
      -      1.625,
      -      1.75,
      -      1.875
      -    ],
      -    "type": "longrope"
      +    "factor": 4.0,
      +    "original_max_position_embeddings": 4096,
      +    "rope_type": "yarn",
      +    "type": "yarn"
      """),
  ]
}
