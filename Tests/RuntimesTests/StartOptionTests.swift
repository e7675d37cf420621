import LosslessJSON
import ModelConfig
import RoPE
import TestSupport
import Testing

@testable import Runtimes

/// Options for the unscaled file, applied to it as the servers apply them, and read again.
@Suite struct StartOptionTests {
  private static let servers = [(Runtime.vllm, "--hf-overrides"), (.sglang, "--json-model-override-args")]

  private static func config(_ text: String) throws -> HuggingFaceConfig {
    try HuggingFaceConfig(JSONDocument(Array(text.utf8), path: "config.json"))
  }

  private static func readings(_ runtime: Runtime, _ config: HuggingFaceConfig) -> [RuntimeReading] {
    runtime.read(.config(config, .init()))
  }

  /// Members of an object with their own text.
  private static func members(_ document: JSONDocument, at pointer: String) -> [(key: String, value: JSONText)] {
    (document[pointer]?.value.members ?? []).map { member in
      (member.key, .raw(String(decoding: document.bytes[member.node.range], as: UTF8.self)))
    }
  }

  /// The config with all that it says about RoPE's base, scaling and lengths taken out and the override put in.
  ///
  /// Stricter than a server, which would still have the unscaled file's base.
  private static func started(_ config: HuggingFaceConfig, with override: String) throws -> HuggingFaceConfig {
    let stated: Set = [
      "rope_scaling", "rope_parameters", "rope_theta", "rotary_emb_base", "rope_local_base_freq",
      "partial_rotary_factor", "original_max_position_embeddings",
    ]
    return try replacing(stated, in: config, by: override)
  }

  /// The config with members of its section taken out, and those of an override put in.
  private static func replacing(
    _ stated: Set<String>, in config: HuggingFaceConfig, by override: String
  ) throws -> HuggingFaceConfig {
    let document = try JSONDocument(Array(override.utf8), path: "override")
    var section = members(config.document, at: config.section).filter { !stated.contains($0.key) }
    for (key, value) in members(document, at: config.section) {
      section.removeAll { $0.key == key }
      section.append((key, value))
    }
    var owners = config.section.split(separator: "/").map(String.init)
    var object = JSONText.object(section)
    while let owner = owners.popLast() {
      let place = owners.map { "/\($0)" }.joined()
      #expect(members(document, at: place).map(\.key) == [owner], "only the section is overridden")
      object = .object(members(config.document, at: place).map { ($0.key, $0.key == owner ? object : $0.value) })
    }
    return try Self.config(object.compact)
  }

  private func expectSameTables(_ a: [RuntimeReading], _ b: [RuntimeReading], _ name: String) {
    #expect(a.map(\.layerType) == b.map(\.layerType), "\(name)")
    for (a, b) in zip(a, b) {
      let (old, new) = (a.table?.inverseFrequencies ?? [], b.table?.inverseFrequencies ?? [])
      #expect(old.count == new.count, "\(name) \(b.refused?.reason ?? "")")
      #expect(zip(old, new).allSatisfy { abs($0 - $1) <= 0x1p-23 * abs($0) }, "\(name)")
      #expect(a.table?.attentionFactor == b.table?.attentionFactor, "\(name)")
      #expect(a.table?.softmaxScaleMultiplier == b.table?.softmaxScaleMultiplier, "\(name)")
      #expect(a.contextLength == b.contextLength, "\(name)")
    }
  }

  /// - Returns: How many options were tried.
  private func check(_ config: HuggingFaceConfig, _ name: String) throws -> Int {
    var count = 0
    for (runtime, flag) in Self.servers {
      let readings = Self.readings(runtime, config)
      guard let option = readings.first?.startOptions.first, !option.arguments.isEmpty else { continue }
      #expect(option.arguments.count == 2 && option.arguments[0] == flag && option.runtime == runtime.name)
      let started = try Self.started(config, with: option.arguments[1])
      expectSameTables(readings, Self.readings(runtime, started), "\(name), \(runtime.name)")
      count += 1
    }
    return count
  }

  @Test func `an override on the unscaled config gives the table of every scaled fixture`() throws {
    var names: [String] = []
    for name in try Fixture.names(in: "config") where !name.hasPrefix("bad-") {
      let document = try JSONDocument(Array(Fixture.config(name).utf8), path: name)
      if try check(HuggingFaceConfig(document), name) > 0 { names.append(name) }
    }
    let gemma = """
      {"model_type": "gemma3_text", "head_dim": 64, "max_position_embeddings": 131072, "rope_theta": 1000000.0,
       "rope_local_base_freq": 10000.0, "rope_scaling": {"rope_type": "linear", "factor": 8.0}}
      """
    #expect(try check(Self.config(gemma), "two bases in one old file") == 2)
    let expected: Set = [
      "yarn-old", "v5-yarn", "v5-per-layer", "gpt-oss", "mla-yarn", "linear", "dynamic", "nested-text-config",
    ]
    #expect(expected.isSubset(of: names), "\(names)")
    #expect(Set(names).isDisjoint(with: ["llama-plain", "llama3", "longrope", "v5-flat", "partial-rotary"]))
  }

  @Test func `an override on the unscaled config gives the table of every scaled real config`() throws {
    guard let bytes = Corpus.bytes("facts.json") else { return print(Corpus.absence) }
    let files = try #require(try JSONDocument(bytes, path: "facts.json")["/files"]?.value.members)
    var count = 0
    for path in files.map(\.key) where path.hasSuffix(".json") {
      guard let bytes = Corpus.bytes(path), let document = try? JSONDocument(bytes, path: path),
        let config = try? HuggingFaceConfig(document)
      else { continue }
      count += try check(config, path)
      // Most of the files are not scaled: they are when this stands in them.
      guard let window = config.document["\(config.section)/max_position_embeddings"]?.value.number?.integer,
        !config.ropeDeclarations().areExtended
      else { continue }
      let scaling = """
        {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": \(window)},
         "max_position_embeddings": \(window)}
        """
      let owners = config.section.split(separator: "/").reversed()
      let override = owners.reduce(scaling) { "{\"\($1)\": \($0)}" }
      count += try check(
        Self.replacing(["rope_scaling", "rope_parameters"], in: config, by: override), "scaled \(path)")
    }
    print("\(count) overrides tried on real configs")
    #expect(count > 0)
  }

  private static func scaled(_ rope: String = "", section: String? = nil) -> String {
    let settings = """
      {"model_type": "qwen2_vl", "head_dim": 64, "max_position_embeddings": 8192, "rope_theta": 1000000,
       "rope_scaling": {"type": "yarn", "factor": 2, "original_max_position_embeddings": 4096\(rope)}}
      """
    return section.map { "{\"model_type\": \"outer\", \"\($0)\": \(settings)}" } ?? settings
  }

  @Test func `the dictionary is complete and stands in the language section`() throws {
    let config = try Self.config(Self.scaled(", \"mrope_section\": [8, 12, 12]", section: "text_config"))
    let option = try #require(Self.readings(.vllm, config).first?.startOptions.first)
    #expect(
      option.commandLine == """
        --hf-overrides '{"text_config":{"rope_parameters":{"factor":2,"original_max_position_embeddings":4096,\
        "mrope_section":[8,12,12],"rope_theta":1000000,"rope_type":"yarn"},"max_position_embeddings":8192}}'
        """)
  }

  @Test func `SGLang has no option for a section within a section`() throws {
    let text = "{\"thinker_config\": \(Self.scaled(section: "text_config"))}"
    let config = try Self.config(text)
    #expect(config.section == "/thinker_config/text_config")
    let option = try #require(Self.readings(.sglang, config).first?.startOptions.first)
    #expect(option.arguments.isEmpty && option.remark?.contains("/thinker_config/text_config") == true)
    #expect(Self.readings(.vllm, config).first?.startOptions.first?.remark == nil)
  }

  @Test func `text of the file cannot leave its quotes, and is plain ASCII`() throws {
    let config = try Self.config(Self.scaled(", \"note'; rm -rf ~ #\": \"'\\u001b[2J\u{202E}😀`id`\""))
    let line = try #require(Self.readings(.vllm, config).first?.startOptions.first?.commandLine)
    #expect(line.utf8.allSatisfy { 0x20..<0x7f ~= $0 })
    #expect(line.contains("\"note'\\''; rm -rf ~ #\":\"'\\''\\u001b[2J\\u202e\\ud83d\\ude00`id`\""))
  }

  @Test(arguments: [
    "{\"model_type\": \"llama\", \"head_dim\": 64, \"max_position_embeddings\": 8192, \"rope_theta\": 10000.0}",
    """
    {"model_type": "llama", "head_dim": 64, "max_position_embeddings": 8192, "rope_theta": 10000.0, "rope_scaling":
     {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
      "original_max_position_embeddings": 1024}}
    """,
  ])
  func `nothing is offered for a file that is not scaled, or was trained as it is`(text: String) throws {
    let config = try Self.config(text)
    for runtime in Runtime.all { #expect(Self.readings(runtime, config).allSatisfy { $0.startOptions.isEmpty }) }
  }

  @Test func `the published equations offer an option for every runtime that has one`() throws {
    let text = Fixture.replacing(
      Self.scaled(),
      [
        (
          "qwen2_vl\"",
          "qwen2\", \"hidden_size\": 128, \"num_attention_heads\": 2, \"architectures\": [\"Qwen2ForCausalLM\"]"
        )
      ])
    let options = Self.readings(.formula, try Self.config(text)).first?.startOptions ?? []
    #expect(options.map(\.runtime) == ["vllm", "sglang", "llama.cpp"])
    #expect(
      options.last?.commandLine
        == "--rope-scaling yarn --rope-scale 2 --yarn-orig-ctx 4096 -c 8192 --rope-freq-base 1000000")
  }

  // MARK: llama.cpp

  private static let yarn: [LlamaCppReadingTests.Entry] = [
    ("context_length", .uint32(8192)), ("rope.scaling.type", .string("yarn")), ("rope.scaling.factor", .float32(2)),
    ("rope.scaling.original_context_length", .uint32(4096)),
  ]

  @Test func `betas are options where the architecture reads their keys`() throws {
    let betas: [LlamaCppReadingTests.Entry] = [
      ("rope.scaling.yarn_beta_fast", .float32(16.5)), ("rope.scaling.yarn_beta_slow", .float32(2)),
    ]
    func line(_ architecture: String) throws -> String? {
      try LlamaCppReadingTests.readings(architecture, Self.yarn + betas).first?.startOptions.first?.commandLine
    }
    let common = "--rope-scaling yarn --rope-scale 2 --yarn-orig-ctx 4096 -c 8192 --rope-freq-base 10000"
    #expect(try line("llama") == common)
    #expect(try line("mistral3") == common + " --yarn-beta-fast 16.5 --yarn-beta-slow 2")
  }

  @Test(arguments: [
    ("llama", "rope.scaling.attn_factor", 1.5 as Float), ("deepseek2", "rope.scaling.yarn_log_multiplier", 0.1),
  ])
  func `what no option says is said in its place`(architecture: String, key: String, value: Float) throws {
    let entries = Self.yarn + [(key, .float32(value))]
    let option = try LlamaCppReadingTests.readings(architecture, entries).first?.startOptions.first
    #expect(option?.arguments == [] && option?.remark?.hasPrefix("\(architecture).\(key) has no option") == true)
  }

  @Test func `factors have options where betas say the same, and none otherwise`() throws {
    func option(truncate: Bool) throws -> StartOption? {
      let yarn = YaRN(factor: 2, originalContextLength: 4096, betaFast: 16, truncate: truncate)
      let table = FrequencyTable(RoPEParameters(base: 10_000, rotaryDimension: 64, scaling: .yarn(yarn)))
      let entries: [LlamaCppReadingTests.Entry] = [
        ("context_length", .uint32(8192)), ("rope.freq_base", .float32(10_000)), ("rope.scaling.type", .string("none")),
        ("rope.scaling.original_context_length", .uint32(4096)), ("rope.scaling.yarn_beta_fast", .float32(16)),
        ("rope.scaling.attn_factor", .float32(Float(yarnMagnitude(factor: 2)))),
      ]
      let tensors = [GGUFKeys.divisorsTensor: DivisorEncoding.divisors(of: table.inverseFrequencies, base: 10_000)]
      return try LlamaCppReadingTests.readings("llama", entries, tensors: tensors).first?.startOptions.first
    }
    #expect(
      try option(truncate: true)?.commandLine
        == "--rope-scaling yarn --rope-scale 2 --yarn-orig-ctx 4096 -c 8192 --rope-freq-base 10000 --yarn-beta-fast 16")
    let none = try option(truncate: false)
    #expect(none?.arguments == [] && none?.remark?.hasPrefix("rope_freqs.weight has no option") == true)
  }

  @Test func `a window that the server does not grant is told`() throws {
    let entries: [LlamaCppReadingTests.Entry] = [
      ("context_length", .uint32(8192)), ("rope.scaling.type", .string("linear")), ("rope.scaling.factor", .float32(2)),
    ]
    let option = try #require(try LlamaCppReadingTests.readings("llama", entries).first?.startOptions.first)
    #expect(option.commandLine == "--rope-scaling linear --rope-scale 2 -c 8192 --rope-freq-base 10000")
    #expect(option.remark?.contains("at most the 4096 tokens") == true)
  }
}
