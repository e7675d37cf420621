import Bytes
import Diagnostics
import GGUF
import RoPE
import TestSupport
import Testing

@testable import ModelConfig

@Suite struct GGUFDeclarationTests {
  typealias Metadata = [(key: String, value: GGUFBuilder.Value)]

  /// What a GGUF with these keys below its architecture declares.
  private func read(
    _ architecture: String = "llama", _ keys: Metadata, order: ByteOrder = .little, tensors: RotaryTensors = [:]
  ) throws -> FileDeclarations {
    var builder = GGUFBuilder(metadata: [("general.architecture", .string(architecture))])
    builder.metadata += keys.map { ("\(architecture).\($0.key)", $0.value) }
    builder.byteOrder = order
    return try GGUFFile(builder.bytes(), named: "t.gguf").ropeDeclarations(tensors: tensors)
  }

  private func first(
    _ architecture: String = "llama", _ keys: Metadata, tensors: RotaryTensors = [:]
  ) throws -> RoPEDeclaration {
    let read = try read(architecture, keys, tensors: tensors)
    #expect(read.complaints == [])
    return try #require(read.declarations.first)
  }

  private static let shape: Metadata = [
    ("context_length", .uint32(4096)), ("embedding_length", .uint32(64)), ("attention.head_count", .uint32(2)),
  ]

  // MARK: fixtures

  private static let plain = [
    "base=10000@llama.rope.freq_base", "context=4096@llama.context_length", "head=32@llama.embedding_length",
    "rotary=32@llama.rope.dimension_count",
  ]
  static let expected: [String: [[String]]] = [
    "llama-plain": [plain], "llama-plain.big-endian": [plain], "llama-v2": [plain], "vocabulary-only": [plain],
    "alignment-64": [plain],
    "all-types": [
      ["context=4096@llama.context_length", "head=32@llama.embedding_length", "rotary=32@llama.rope.dimension_count"]
    ],
    "quantised": [
      [
        "context=4096@llama.context_length", "head=128@llama.embedding_length",
        "rotary=128@llama.rope.dimension_count",
      ]
    ],
    "qwen2-yarn": [
      [
        "kind=yarn@qwen2.rope.scaling.type", "base=1000000@qwen2.rope.freq_base",
        "factor=4@qwen2.rope.scaling.factor", "original=32768@qwen2.rope.scaling.original_context_length",
        "context=131072@qwen2.context_length", "head=32@qwen2.embedding_length",
        "rotary=32@qwen2.rope.dimension_count", "attention=1.7079441541679836@qwen2.rope.scaling.attn_factor",
      ]
    ],
    "llama3-freqs": [
      [
        "base=500000@llama.rope.freq_base", "context=131072@llama.context_length", "head=32@llama.embedding_length",
        "rotary=32@llama.rope.dimension_count", "divisors=16@rope_freqs.weight",
      ]
    ],
    "phi3-longrope": [
      [
        "base=10000@phi3.rope.freq_base", "original=4096@phi3.rope.scaling.original_context_length",
        "context=131072@phi3.context_length", "head=32@phi3.embedding_length", "rotary=32@phi3.rope.dimension_count",
        "attention=1.190238118171692@phi3.rope.scaling.attn_factor", "short=16@rope_factors_short.weight",
        "long=16@rope_factors_long.weight",
      ]
    ],
    "deepseek2-yarn": [
      [
        "kind=yarn@deepseek2.rope.scaling.type", "base=10000@deepseek2.rope.freq_base",
        "factor=40@deepseek2.rope.scaling.factor", "original=4096@deepseek2.rope.scaling.original_context_length",
        "context=163840@deepseek2.context_length", "head=192@deepseek2.attention.key_length_mla",
        "rotary=64@deepseek2.rope.dimension_count", "mscale=1@deepseek2.rope.scaling.yarn_log_multiplier",
        "mscaleAllDim=1@deepseek2.rope.scaling.yarn_log_multiplier", "latent",
      ]
    ],
    "split-00001-of-00003": [plain],
  ]

  /// The rotary tensors' values, as the loader reads them.
  static func rotaryTensors(_ file: GGUFFile, _ bytes: [UInt8]) throws -> RotaryTensors {
    var values: RotaryTensors = [:]
    for tensor in file.tensors where tensor.name.hasPrefix("rope_") {
      values[tensor.name] = try file.floatValues(of: tensor, in: MemorySource(bytes))
    }
    return values
  }

  @Test(arguments: expected.keys.sorted()) func `declares exactly what the file states, each under its key`(
    _ name: String
  ) throws {
    let bytes = try fixture("gguf/\(name).gguf")
    let file = try GGUFFile(bytes, named: name)
    let read = file.ropeDeclarations(tensors: try Self.rotaryTensors(file, bytes))
    #expect(read.complaints == [])
    #expect(read.claims == Self.expected[name])
    for (member, place) in try #require(read.declarations.first).places {
      let key = try #require(place.key)
      #expect(place.byteOffset == file.entry(key)?.valueRange.lowerBound && place.path == name, "\(member)")
    }
  }

  @Test(arguments: [
    ("bert", "not-rope@general.architecture"),
    ("split-00002-of-00003", "gguf-no-architecture@general.architecture"),
    ("split-00003-of-00003", "gguf-no-architecture@general.architecture"),
  ]) func `a file without RoPE is refused by name`(_ name: String, _ complaint: String) throws {
    let read = try GGUFFile(try fixture("gguf/\(name).gguf"), named: name).ropeDeclarations()
    #expect(read.declarations.isEmpty && read.complaints == [complaint])
  }

  @Test func `every fixture has its expectation`() throws {
    let refused = ["bert", "split-00002-of-00003", "split-00003-of-00003"]
    #expect(try fixtureNames("gguf") == (Self.expected.keys + refused).map { "\($0).gguf" }.sorted())
  }

  // MARK: keys

  private static let everyKey: Metadata =
    shape + [
      ("rope.freq_base", .float32(5000)), ("rope.dimension_count", .uint32(16)),
      ("rope.scaling.type", .string("yarn")), ("rope.scaling.factor", .float32(4)),
      ("rope.scaling.original_context_length", .uint32(1024)), ("rope.scaling.attn_factor", .float32(1)),
      ("rope.scaling.yarn_beta_fast", .float32(24)), ("rope.scaling.yarn_beta_slow", .float32(2)),
      ("rope.scaling.yarn_log_multiplier", .float32(0.1)), ("rope.scaling.finetuned", .bool(true)),
      ("rope.scale_linear", .float32(9)), ("rope.scaling.yarn_ext_factor", .float32(0.5)),
      ("rope.scaling.yarn_attn_factor", .float32(7)),
    ]

  @Test func `every key is declared under its own name, in both byte orders alike`() throws {
    let claims = [
      "kind=yarn@llama.rope.scaling.type", "base=5000@llama.rope.freq_base", "factor=4@llama.rope.scaling.factor",
      "original=1024@llama.rope.scaling.original_context_length", "context=4096@llama.context_length",
      "head=32@llama.embedding_length", "rotary=16@llama.rope.dimension_count",
      "betaFast=24@llama.rope.scaling.yarn_beta_fast", "betaSlow=2@llama.rope.scaling.yarn_beta_slow",
      "attention=1.138629436111989@llama.rope.scaling.attn_factor",
    ]
    #expect(try read("llama", Self.everyKey).claims == [claims])
    #expect(try read("llama", Self.everyKey, order: .big).claims == [claims])
  }

  @Test func `keys of another architecture are not this model's`() throws {
    var builder = GGUFBuilder(metadata: [("general.architecture", .string("qwen3"))])
    builder.metadata += Self.everyKey.map { ("llama.\($0.key)", $0.value) }
    #expect(try GGUFFile(builder.bytes(), named: "t").ropeDeclarations().claims == [[]])
  }

  private static let wrongTypes: [GGUFBuilder.Value] = [
    .string("4"), .bool(true), .array(type: 6, [.float32(4)]), .float32(.nan), .float32(.infinity), .float64(-1),
    .int32(-1), .float32(-1),
  ]

  @Test(arguments: [
    ("rope.freq_base", "bad-base"), ("rope.scaling.factor", "bad-number"),
    ("rope.scaling.attn_factor", "bad-number"), ("rope.scaling.yarn_beta_fast", "bad-number"),
    ("rope.scaling.yarn_beta_slow", "bad-number"), ("context_length", "bad-length"),
    ("rope.scaling.original_context_length", "bad-length"), ("rope.dimension_count", "bad-length"),
    ("attention.key_length", "bad-length"), ("embedding_length", "bad-length"),
  ]) func `a value of the wrong type or range is a problem under its key`(_ key: String, _ code: String) throws {
    var values = Self.wrongTypes
    if code == "bad-length" { values += [.float32(4096), .float64(4096), .uint64(.max)] }
    if code == "bad-base" { values += [.float32(0), .float32(1), .float32(0.5)] }
    if key.contains("beta") { values.append(.float32(0)) }
    for value in values {
      var keys = Self.everyKey
      keys.removeAll { $0.key == key }
      keys.append((key, value))
      let read = try read("llama", keys)
      #expect(read.complaints == ["\(code)@llama.\(key)"], "\(value)")
      #expect(!read.claims.joined().contains { $0.hasSuffix("@llama.\(key)") }, "\(value)")
      let problem = try #require(read.problems.first)
      #expect(problem.location.byteOffset != nil && !problem.found.isEmpty && !problem.expected.isEmpty)
    }
  }

  @Test(arguments: [GGUFBuilder.Value.uint32(4), .bool(true), .float32(4), .array(type: 8, [.string("yarn")])])
  func `a scaling type that is no text is a problem`(_ value: GGUFBuilder.Value) throws {
    #expect(
      try read(Self.shape + [("rope.scaling.type", value)]).complaints == ["bad-number@llama.rope.scaling.type"])
  }

  private func read(_ keys: Metadata) throws -> FileDeclarations { try read("llama", keys) }

  @Test(arguments: ["factor", "original_context_length"]) func `a zero stands for an absent value`(_ name: String)
    throws
  {
    let values: [GGUFBuilder.Value] =
      name == "factor" ? [.float32(0), .float32(-0.0), .float64(0), .uint32(0)] : [.uint32(0), .uint64(0), .int32(0)]
    for value in values {
      let key = "rope.scaling.\(name)"
      #expect(try first("llama", Self.shape + [(key, value)]).claims == first("llama", Self.shape).claims)
    }
  }

  @Test func `the old linear key counts only where the new factor is absent`() throws {
    let old = try first("llama", Self.shape + [("rope.scale_linear", .float32(2))])
    #expect(old.factor?.value == 2 && old.factor?.place.key == "llama.rope.scale_linear" && old.scalingKind == "linear")
    let both = try first(
      "llama", Self.shape + [("rope.scale_linear", .float32(2)), ("rope.scaling.factor", .float32(4))])
    #expect(both.factor?.value == 4)
    // llama.cpp looks for the old key only when there is no new one; a new one of 0 means no scaling.
    let zero = try first(
      "llama", Self.shape + [("rope.scale_linear", .float32(2)), ("rope.scaling.factor", .float32(0))])
    #expect(zero.factor == nil && zero.scalingKind == nil)
    #expect(try first("llama", Self.shape + [("rope.scale_linear", .float32(0))]).factor == nil)
  }

  @Test(
    arguments: [
      (nil, 4, "linear"), (nil, nil, nil), ("none", 4, nil), ("linear", 4, "linear"), ("yarn", 4, "yarn"),
      ("yarn", nil, "yarn"), ("longrope", nil, "longrope"), ("dynamic", 4, "dynamic"), ("", 4, ""),
    ] as [(String?, Float?, String?)]) func `a factor without a type means linear`(
      _ type: String?, _ factor: Float?, _ kind: String?
    ) throws
  {
    var keys = Self.shape
    if let type { keys.append(("rope.scaling.type", .string(type))) }
    if let factor { keys.append(("rope.scaling.factor", .float32(factor))) }
    let declaration = try first("llama", keys)
    #expect(declaration.scalingKind == kind)
    #expect(declaration.kind?.value == type)
  }

  @Test func `LongRoPE's tensors need no type beside them`() throws {
    for name in ["rope_factors_long.weight", "rope_factors_short.weight"] {
      let declaration = try first("phi3", Self.shape, tensors: [name: [1, 2]])
      #expect(declaration.scalingKind == "longrope" && declaration.kind == nil)
    }
    let bytes = try fixture("gguf/phi3-longrope.gguf")
    let file = try GGUFFile(bytes, named: "f")
    let declaration = try #require(
      file.ropeDeclarations(tensors: try Self.rotaryTensors(file, bytes)).declarations.first)
    #expect(declaration.scalingKind == "longrope" && declaration.staticNTKFactor == nil)
    // A type that is stated is what the file says.
    let none = Self.shape + [("rope.scaling.type", .string("none"))]
    #expect(try first("phi3", none, tensors: ["rope_factors_long.weight": [1]]).scalingKind == nil)
  }

  // MARK: magnitude

  private static func yarn(_ more: Metadata, factor: Float = 4) -> Metadata {
    shape + [("rope.scaling.type", .string("yarn")), ("rope.scaling.factor", .float32(factor))] + more
  }

  @Test(
    arguments: [
      ("llama", 1, nil, nil), ("qwen3", 0.1, nil, nil), ("grok", 0.1, nil, nil),
      ("deepseek2", 0.1, 1, 1), ("deepseek2", 0.0707, 0.707, 0.707), ("deepseek2", 0, nil, nil),
      ("deepseek32", 0.1, 1, 1), ("deepseek32", 0.05, 1, 0.5), ("mistral4", 0.1, 1, 1), ("mistral3", 1, 1, 1),
      ("mistral3", 0.5, 1, 0.5), ("mistral3", 0, nil, nil),
    ] as [(String, Float, Double?, Double?)]) func `each architecture has its own convention for the log multiplier`(
      _ architecture: String, _ stated: Float, _ mscale: Double?, _ allDim: Double?
    ) throws
  {
    let declaration = try first(architecture, Self.yarn([("rope.scaling.yarn_log_multiplier", .float32(stated))]))
    #expect(declaration.mscale?.value == mscale && declaration.mscaleAllDim?.value == allDim)
    let key = "\(architecture).rope.scaling.yarn_log_multiplier"
    #expect(declaration.mscaleAllDim.map { $0.place.key == key } ?? true)
  }

  @Test func `a log multiplier of the wrong type is a problem only where it is read`() throws {
    let keys = Self.yarn([("rope.scaling.yarn_log_multiplier", .string("1"))])
    #expect(try read("mistral3", keys).complaints == ["bad-number@mistral3.rope.scaling.yarn_log_multiplier"])
    #expect(try read("llama", keys).complaints == [])
  }

  /// `relative * m(s, mscale) / m(s, mscale_all_dim)` for YaRN, `relative` for everything else.
  @Test(
    arguments: [
      ("llama", "yarn", nil, 1.5 * yarnMagnitude(factor: 4)), ("llama", "linear", nil, 1.5),
      ("llama", "none", nil, 1.5),
      ("phi3", "longrope", nil, 1.5), ("deepseek2", "yarn", 0.1, 1.5), ("deepseek2", "yarn", 0.0707, 1.5),
      ("deepseek32", "yarn", 0.05, 1.5 * yarnMagnitude(factor: 4) / yarnMagnitude(factor: 4, mscale: 0.5)),
      ("mistral3", "yarn", 1, 1.5), ("mistral3", "yarn", nil, 1.5 * yarnMagnitude(factor: 4)),
    ] as [(String, String, Float?, Double)]) func `a relative magnitude becomes a final one`(
      _ architecture: String, _ type: String, _ multiplier: Float?, _ expected: Double
    ) throws
  {
    var keys =
      Self.shape + [
        ("rope.scaling.type", .string(type)), ("rope.scaling.factor", .float32(4)),
        ("rope.scaling.attn_factor", .float32(1.5)),
      ]
    if let multiplier { keys.append(("rope.scaling.yarn_log_multiplier", .float32(multiplier))) }
    let value = try #require(try first(architecture, keys).attentionFactor?.value)
    #expect(abs(value - expected) < 1e-12)
  }

  @Test func `a factor below 1 has no automatic magnitude`() throws {
    let declaration = try first("llama", Self.yarn([("rope.scaling.attn_factor", .float32(2))], factor: 0.5))
    #expect(declaration.attentionFactor?.value == 2)
  }

  // MARK: dimensions

  @Test func `the head size is the key length, or width over heads where heads are one number`() throws {
    let keyLength = try first("llama", Self.shape + [("attention.key_length", .uint32(48))])
    #expect(
      keyLength.claims.suffix(2) == ["head=48@llama.attention.key_length", "rotary=48@llama.attention.key_length"])
    let perLayer: Metadata = [
      ("embedding_length", .uint32(64)), ("attention.head_count", .array(type: 4, [.uint32(2), .uint32(4)])),
    ]
    #expect(try first("deci", perLayer).claims == [])
    #expect(try first("deci", perLayer + [("attention.key_length", .uint32(32))]).headDimension?.value == 32)
    #expect(
      try first("deci", perLayer + [("rope.dimension_count", .uint32(32))]).claims
        == ["rotary=32@deci.rope.dimension_count"])
    #expect(try first("llama", [("embedding_length", .uint32(64))]).headDimension == nil)
    #expect(
      try first("llama", [("embedding_length", .uint32(2)), ("attention.head_count", .uint32(64))]).headDimension == nil
    )
  }

  @Test(arguments: [(33, "odd"), (1, "one"), (34, "above the head"), (UInt32.max, "huge")])
  func `a rotary dimension that is odd or above the head is a problem`(_ count: UInt32, _: String) throws {
    let read = try read("llama", Self.shape + [("rope.dimension_count", .uint32(count))])
    #expect(read.complaints == ["bad-rotary-dimension@llama.rope.dimension_count"])
    #expect(read.declarations.first?.rotaryDimension == nil)
  }

  @Test(arguments: ["deepseek2", "deepseek2-ocr", "deepseek32", "mistral4", "glm-dsa"])
  func `latent attention is known by its name`(
    _ architecture: String
  ) throws {
    #expect(try first(architecture, Self.shape).usesLatentAttention)
    #expect(try !first("llama", Self.shape).usesLatentAttention)
  }

  // MARK: models without RoPE

  @Test(arguments: ["bert", "mpt", "bloom", "gpt2", "starcoder", "t5", "t5encoder", "mamba", "jamba", "nemotron_h"])
  func `an architecture without rotation is refused unless it has RoPE keys of its own`(_ name: String) throws {
    let read = try read(name, Self.shape)
    #expect(read.declarations.isEmpty && read.complaints == ["not-rope@general.architecture"])
    #expect(read.problems.first?.found.hasPrefix("\(name) uses ") == true)
    #expect(try first(name, [("rope.freq_base", .float32(10))]).base?.value == 10)
  }

  @Test(arguments: [nil, .string(""), .uint32(1), .array(type: 8, [.string("llama")])] as [GGUFBuilder.Value?])
  func `a file without the name of its architecture is refused`(_ value: GGUFBuilder.Value?) throws {
    let builder = GGUFBuilder(
      metadata: (value.map { [("general.architecture", $0)] } ?? []) + [("llama.context_length", .uint32(1))])
    let read = try GGUFFile(builder.bytes(), named: "t").ropeDeclarations()
    #expect(read.declarations.isEmpty && read.complaints == ["gguf-no-architecture@general.architecture"])
  }

  @Test func `an architecture may have any name`() throws {
    for name in ["a.b", "/", String(repeating: "x", count: 10_000), "general"] {
      #expect(try first(name, [("context_length", .uint32(5))]).claims == ["context=5@\(name).context_length"])
    }
  }
}
