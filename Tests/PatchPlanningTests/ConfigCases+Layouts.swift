import PatchPlanning

extension ConfigEditTests {
  static let newLayout = [
    ConfigCase(
      "v5-flat", request(.yarn, 4),
      """
      -  "max_position_embeddings": 40960,
      +  "max_position_embeddings": 131072,
      +    "factor": 4.0,
      +    "original_max_position_embeddings": 32768,
      -    "rope_type": "default"
      +    "rope_type": "yarn"
      """),
    ConfigCase(
      "v5-flat", request(.ntk, 2) { $0.originalContext = 40960 },
      """
      -  "max_position_embeddings": 40960,
      +  "max_position_embeddings": 81920,
      +  "original_max_position_embeddings": 40960,
      -    "rope_theta": 1000000.0,
      +    "rope_theta": 2022126.168973791,
      """),
    ConfigCase(
      "v5-yarn", request(.yarn, 2),
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 65536,
      -    "factor": 4.0,
      +    "factor": 2.0,
      """),
    ConfigCase(
      "v5-yarn", request(.none),
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 32768,
      -    "factor": 4.0,
      -    "original_max_position_embeddings": 32768,
      -    "rope_type": "yarn"
      +    "rope_type": "default"
      """),
    ConfigCase(
      "v5-per-layer", request(.yarn, 2),
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 65536,
      -      "factor": 4.0,
      +      "factor": 2.0,
      """),
    ConfigCase(
      "v5-per-layer", request(.none),
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 32768,
      -      "factor": 4.0,
      -      "original_max_position_embeddings": 32768,
      -      "rope_type": "yarn"
      +      "rope_type": "default"
      """),
    // What disagreed agrees afterwards.
    ConfigCase(
      "both-layouts", request(.yarn, 8),
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 262144,
      -    "factor": 2.0,
      +    "factor": 8.0,
      -    "factor": 4.0,
      +    "factor": 8.0,
      """),
    ConfigCase(
      "both-layouts", request(.none),
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 32768,
      -    "factor": 2.0,
      -    "original_max_position_embeddings": 32768,
      -    "rope_type": "yarn"
      -  },
      -  "rope_scaling": {
      -    "factor": 4.0,
      -    "original_max_position_embeddings": 32768,
      -    "rope_type": "yarn"
      +    "rope_type": "default"
      +  "rope_scaling": null,
      """),
    ConfigCase(
      "both-layouts", request(.yarn, 4) { $0.base = 5_000_000 },
      """
      -    "factor": 2.0,
      +    "factor": 4.0,
      -    "rope_theta": 1000000.0,
      +    "rope_theta": 5000000.0,
      -  "rope_theta": 1000000.0,
      +  "rope_theta": 5000000.0,
      """),
  ]

  static let nested = [
    ConfigCase(
      "nested-text-config", request(.yarn, 2),
      """
      -    "max_position_embeddings": 131072,
      +    "max_position_embeddings": 65536,
      -      "factor": 4.0,
      +      "factor": 2.0,
      """),
    ConfigCase(
      "nested-llm-config", request(.none),
      """
      -    "rope_scaling": {
      -      "factor": 2.0,
      -      "type": "dynamic"
      -    },
      +    "rope_scaling": null,
      """),
    ConfigCase(
      "nested-language-config", request(.yarn, 4),
      """
      -    "max_position_embeddings": 4096,
      +    "max_position_embeddings": 16384,
      -    "rope_scaling": null,
      +    "rope_scaling": {
      +      "rope_type": "yarn",
      +      "factor": 4.0,
      +      "original_max_position_embeddings": 4096
      +    },
      """),
    ConfigCase(
      "nested-thinker", request(.yarn, 4),
      """
      -      "max_position_embeddings": 4096,
      +      "max_position_embeddings": 16384,
      +        "factor": 4.0,
      -        "type": "mrope"
      +        "original_max_position_embeddings": 4096,
      +        "rope_type": "yarn",
      +        "type": "yarn"
      """),
    ConfigCase(
      "nested-text-config", request(.yarn, 2) { $0.section = "/text_config" },
      """
      -    "max_position_embeddings": 131072,
      +    "max_position_embeddings": 65536,
      -      "factor": 4.0,
      +      "factor": 2.0,
      """),
  ]

  static let styles = [
    ConfigCase(
      "crlf", request(.yarn, 4),
      plainYaRN.split(separator: "\n").map { "\($0)\\r" }.joined(separator: "\n")),
    ConfigCase("tabs", request(.yarn, 4), indented(plainYaRN) { String(repeating: "\t", count: $0 / 2) }),
    ConfigCase("four-spaces", request(.yarn, 4), indented(plainYaRN) { String(repeating: " ", count: 2 * $0) }),
    ConfigCase("no-trailing-newline", request(.yarn, 4), plainYaRN),
    ConfigCase(
      "unsorted", request(.yarn, 4),
      """
      -  "rope_scaling": null,
      +  "rope_scaling": {
      +    "rope_type": "yarn",
      +    "factor": 4.0,
      +    "original_max_position_embeddings": 4096
      +  },
      -  "max_position_embeddings": 4096,
      +  "max_position_embeddings": 16384,
      """),
    ConfigCase(
      "unsorted", request(.ntk, 4),
      """
      -  "rope_theta": 10000.0,
      +  "rope_theta": 40889.94243248622,
      -  "max_position_embeddings": 4096,
      +  "max_position_embeddings": 16384,
      +  "original_max_position_embeddings": 4096,
      """),
  ]

  static let options = [
    ConfigCase(
      "yarn-both-types",
      request(.yarn, 4) {
        $0.betaFast = 16
        $0.betaSlow = 0.5
        $0.truncate = false
        $0.attentionFactor = 1.25
      },
      """
      +    "attention_factor": 1.25,
      +    "beta_fast": 16.0,
      +    "beta_slow": 0.5,
      +    "truncate": false,
      """),
    ConfigCase(
      "yarn-both-types",
      request(.yarn, 4) {
        $0.mscale = 0.707
        $0.mscaleAllDim = 1
      },
      """
      +    "mscale": 0.707,
      +    "mscale_all_dim": 1.0,
      """),
    // One without its partner is ignored by most readers, so its magnitude is written.
    ConfigCase(
      "yarn-both-types", request(.yarn, 4) { $0.mscale = 2 },
      """
      +    "attention_factor": 1.2772588722239782,
      """),
    ConfigCase(
      "yarn-both-types", request(.yarn, 4) { $0.originalContext = 16384 },
      """
      -  "max_position_embeddings": 131072,
      +  "max_position_embeddings": 65536,
      -    "original_max_position_embeddings": 32768,
      +    "original_max_position_embeddings": 16384,
      """),
    ConfigCase(
      "mla-yarn",
      request(.yarn, 40) { $0.truncate = true },
      """
      +    "rope_type": "yarn",
      +    "truncate": true,
      """),
    // A base is spelled as the one it takes the place of.
    ConfigCase(
      "gpt-oss", request(.none) { $0.base = 500_000 },
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
      -  "rope_theta": 150000,
      +  "rope_theta": 500000,
      """),
  ]

  /// The lines with other indentation, which a width in spaces leads to.
  private static func indented(_ lines: String, with indentation: (Int) -> String) -> String {
    lines.split(separator: "\n").map { line in
      let width = line.dropFirst().prefix { $0 == " " }.count
      return line.prefix(1) + indentation(width) + line.dropFirst(1 + width)
    }.joined(separator: "\n")
  }
}
