import Bytes
import Diagnostics
import GGUF
import ModelConfig
import PatchPlanning
import TestSupport
import Testing

/// A small model of an architecture; more keys and tensors can be added.
func model(_ architecture: String = "qwen2", _ keys: [(String, GGUFBuilder.Value)] = []) -> GGUFBuilder {
  var builder = GGUFBuilder(metadata: [
    ("general.architecture", .string(architecture)), ("\(architecture).context_length", .uint32(4096)),
    ("\(architecture).attention.key_length", .uint32(64)), ("\(architecture).rope.dimension_count", .uint32(64)),
    ("\(architecture).rope.freq_base", .float32(10_000)),
  ])
  for (key, value) in keys {
    let key = key.hasPrefix("general.") ? key : "\(architecture).\(key)"
    builder.metadata.removeAll { $0.key == key }
    builder.metadata.append((key, value))
  }
  builder.tensors = [.init("output.weight", [4], data: [UInt8](repeating: 7, count: 16))]
  return builder
}

/// YaRN × 4 from 1024, as another program would have written it.
let scaled: [(String, GGUFBuilder.Value)] = [
  ("rope.scaling.type", .string("yarn")), ("rope.scaling.factor", .float32(4)),
  ("rope.scaling.original_context_length", .uint32(1024)),
]

@Suite struct GGUFPlanTests {
  struct Case: CustomTestStringConvertible {
    var name: String
    var builder: GGUFBuilder
    var request: PatchRequest
    var lines: [String]
    var testDescription: String { name }

    init(_ name: String, _ builder: GGUFBuilder, _ request: PatchRequest, _ lines: [String]) {
      (self.name, self.builder, self.request, self.lines) = (name, builder, request, lines)
    }
  }

  /// The keys that every model of ``model(_:_:)`` has, and more.
  static func keys(_ window: Int, base: String = "10000.0", _ more: String...) -> [String] {
    ["context_length = \(window) (uint32)", "dimension_count = 64 (uint32)", "freq_base = \(base) (float32)"] + more
  }

  static func yarn(_ factor: String, from original: Int, to window: Int, and more: String...) -> [String] {
    keys(window) + [
      "scaling.type = \"yarn\" (string)", "scaling.factor = \(factor) (float32)",
      "scaling.original_context_length = \(original) (uint32)",
    ] + more
  }

  static let cases = [
    Case("yarn", model(), request(.yarn, 4), yarn("4.0", from: 4096, to: 16384)),
    Case("yarn, fraction", model(), request(.yarn, 7.3), yarn("7.300000190734863", from: 4096, to: 29900)),
    Case("yarn anew", model("qwen2", scaled), request(.yarn, 8), yarn("8.0", from: 1024, to: 8192)),
    Case(
      "yarn from another length", model(), request(.yarn, 4) { $0.originalContext = 2048 },
      yarn("4.0", from: 2048, to: 8192)),
    Case(
      "yarn for a context", model(), PatchRequest(.yarn, reach: .context(10_000)),
      yarn("2.44140625", from: 4096, to: 10_000)),
    Case(
      "linear", model(), request(.linear, 2),
      keys(
        8192, "scaling.type = \"linear\" (string)", "scaling.factor = 2.0 (float32)",
        "scaling.original_context_length = 4096 (uint32)")),
    Case(
      "ntk", model("qwen2", scaled), request(.ntk, 2),
      keys(2048, base: "20452.228515625", "scaling.original_context_length = 1024 (uint32)")),
    Case(
      "ntk-by-parts", model(), request(.ntkByParts, 4),
      yarn("4.0", from: 4096, to: 16384, and: "scaling.attn_factor = 0.8782488703727722 (float32)")),
    Case("none", model("qwen2", scaled + [("rope.scaling.attn_factor", .float32(1))]), request(.none), keys(1024)),
    Case("none where nothing is", model(), request(.none), keys(4096)),
    Case("base", model(), request(.none) { $0.base = 500_000 }, keys(4096, base: "500000.0")),
    Case(
      "magnitude", model(), request(.yarn, 4) { $0.attentionFactor = 1.5 },
      yarn("4.0", from: 4096, to: 16384, and: "scaling.attn_factor = 1.317373275756836 (float32)")),
    Case(
      "automatic magnitude, asked for", model("qwen2", scaled + [("rope.scaling.attn_factor", .float32(2))]),
      request(.yarn, 4) { $0.attentionFactor = 1.1386294361119891 }, yarn("4.0", from: 1024, to: 4096)),
    Case(
      "mscale pair where no key takes it", model(), request(.yarn, 4) { ($0.mscale, $0.mscaleAllDim) = (1, 1) },
      yarn("4.0", from: 4096, to: 16384, and: "scaling.attn_factor = 0.8782488703727722 (float32)")),
    Case(
      "old spelling of the factor", model("qwen2", [("rope.scale_linear", .float32(2))]), request(.linear, 2),
      keys(
        8192, "scaling.type = \"linear\" (string)", "scaling.factor = 2.0 (float32)",
        "scaling.original_context_length = 4096 (uint32)")),
    // llama.cpp refuses to load these types.
    Case(
      "wrong types",
      model(
        "qwen2",
        [
          ("context_length", .uint64(4096)), ("rope.scaling.type", .string("yarn")),
          ("rope.scaling.factor", .float64(4)), ("rope.scaling.original_context_length", .int32(1024)),
        ]),
      request(.yarn, 4), yarn("4.0", from: 1024, to: 4096)),
    Case(
      "betas that nobody reads stay",
      model(
        "qwen2", scaled + [("rope.scaling.yarn_beta_fast", .float32(48)), ("rope.scaling.yarn_beta_slow", .float32(2))]),
      request(.yarn, 8),
      yarn(
        "8.0", from: 1024, to: 8192,
        and: "scaling.yarn_beta_fast = 48.0 (float32)", "scaling.yarn_beta_slow = 2.0 (float32)")),
    Case(
      "betas of mistral3", model("mistral3"), request(.yarn, 4) { ($0.betaFast, $0.betaSlow) = (16, 2) },
      yarn(
        "4.0", from: 4096, to: 16384,
        and: "scaling.yarn_beta_fast = 16.0 (float32)", "scaling.yarn_beta_slow = 2.0 (float32)")),
    Case(
      "betas of mistral3, not asked for", model("mistral3"), request(.yarn, 4), yarn("4.0", from: 4096, to: 16384)),
    // llama.cpp takes 8 for this architecture where the key is missing.
    Case(
      "grok states the usual beta", model("grok"), request(.yarn, 4),
      yarn("4.0", from: 4096, to: 16384, and: "scaling.yarn_beta_fast = 32.0 (float32)")),
    Case(
      "grok keeps its own beta", model("grok", [("rope.scaling.yarn_beta_fast", .float32(8))]), request(.yarn, 4),
      yarn("4.0", from: 4096, to: 16384, and: "scaling.yarn_beta_fast = 8.0 (float32)")),
    Case(
      "log multiplier of mistral3", model("mistral3"), request(.yarn, 4) { ($0.mscale, $0.mscaleAllDim) = (1, 0.5) },
      yarn("4.0", from: 4096, to: 16384, and: "scaling.yarn_log_multiplier = 0.5 (float32)")),
    Case(
      "log multiplier of deepseek2", model("deepseek2"),
      request(.yarn, 4) { ($0.mscale, $0.mscaleAllDim) = (0.7, 0.7) },
      yarn("4.0", from: 4096, to: 16384, and: "scaling.yarn_log_multiplier = 0.07000000029802322 (float32)")),
    Case(
      "log multiplier of deepseek2 stays",
      model("deepseek2", scaled + [("rope.scaling.yarn_log_multiplier", .float32(0.1))]), request(.yarn, 8),
      yarn("8.0", from: 1024, to: 8192, and: "scaling.yarn_log_multiplier = 0.10000000149011612 (float32)")),
    Case(
      "magnitude 1 of latent attention", model("deepseek2"), request(.ntkByParts, 4),
      yarn("4.0", from: 4096, to: 16384, and: "scaling.attn_factor = 0.8782488703727722 (float32)")),
  ]

  @Test(arguments: cases, [ByteOrder.little, .big])
  func `exactly the keys and types that llama.cpp reads are set`(_ test: Case, order: ByteOrder) throws {
    var builder = test.builder
    builder.byteOrder = order
    let old = builder.bytes()
    let subject = try GGUFSubject(old)
    let new = try subject.patched(test.request)
    #expect(new.lines.sorted() == test.lines.sorted())
    #expect(new.file.tensors.elementsEqual(subject.file.tensors) || new.file.headerEnd != subject.file.headerEnd)
    #expect(new.source.bytes.suffix(16) == old.suffix(16), "the tensor data")
    // The way back, and nothing to do the second time.
    #expect(try subject.plan(test.request).edits.inverse.apply(to: new.source.bytes) == old)
    let again = try new.plan(test.request)
    #expect(again.edits.isEmpty && again.changes.isEmpty)
  }

  @Test func `the changes are told with their types`() throws {
    let subject = try GGUFSubject(model("qwen2", [("context_length", .uint64(4096))]).bytes())
    let changes = try subject.plan(request(.yarn, 4)).changes
    #expect(
      changes.map { "\($0.at): \($0.before ?? "-") → \($0.after ?? "-")" } == [
        "qwen2.context_length: 4096 (uint64) → 16384 (uint32)",
        "qwen2.rope.scaling.type: - → \"yarn\" (string)", "qwen2.rope.scaling.factor: - → 4.0 (float32)",
        "qwen2.rope.scaling.original_context_length: - → 4096 (uint32)",
      ])
  }

  // MARK: what cannot be expressed

  struct Refused: CustomTestStringConvertible {
    var name: String
    var builder: GGUFBuilder
    var request: PatchRequest
    var key: String
    var remedy: String
    var testDescription: String { name }

    init(_ name: String, _ builder: GGUFBuilder, _ request: PatchRequest, key: String, remedy: String) {
      (self.name, self.builder, self.request, self.key, self.remedy) = (name, builder, request, key, remedy)
    }
  }

  static let logMultiplier = ("rope.scaling.yarn_log_multiplier", GGUFBuilder.Value.float32(0.1))

  static let refused = [
    Refused("dynamic", model(), request(.dynamic, 4), key: "scaling.type", remedy: "--method"),
    Refused(
      "no rounding of the ramp", model(), request(.yarn, 4) { $0.truncate = false }, key: "scaling.type",
      remedy: "--truncate"),
    Refused(
      "beta fast", model(), request(.yarn, 4) { $0.betaFast = 16 }, key: "scaling.yarn_beta_fast",
      remedy: "--yarn-beta-fast 16"),
    Refused(
      "beta slow", model(), request(.yarn, 4) { $0.betaSlow = 2 }, key: "scaling.yarn_beta_slow",
      remedy: "--yarn-beta-slow 2"),
    Refused(
      "betas of latent attention", model("deepseek2"),
      request(.yarn, 4) { ($0.betaFast, $0.mscale, $0.mscaleAllDim) = (1, 1, 1) }, key: "scaling.yarn_beta_fast",
      remedy: "--yarn-beta-fast"),
    Refused(
      "mscale of mistral3", model("mistral3"), request(.yarn, 4) { ($0.mscale, $0.mscaleAllDim) = (2, 0.5) },
      key: "scaling.yarn_log_multiplier", remedy: "config.json alone"),
    Refused(
      "unequal pair of deepseek2", model("deepseek2"), request(.yarn, 4) { ($0.mscale, $0.mscaleAllDim) = (2, 0.5) },
      key: "scaling.yarn_log_multiplier", remedy: "config.json alone"),
    // llama.cpp squares these into the softmax scale, which no other runtime does.
    Refused(
      "automatic magnitude of latent attention", model("deepseek2"), request(.yarn, 4), key: "scaling.attn_factor",
      remedy: "--mscale"),
    Refused(
      "magnitude of latent attention", model("deepseek2"), request(.yarn, 4) { $0.attentionFactor = 1.2 },
      key: "scaling.attn_factor", remedy: "--mscale"),
    Refused(
      "magnitude beside a log multiplier", model("deepseek2", scaled + [logMultiplier]),
      request(.yarn, 4) { $0.attentionFactor = 1.2 }, key: "scaling.attn_factor", remedy: "--mscale"),
    Refused(
      "interpolation of latent attention", model("deepseek2"), request(.linear, 4), key: "scaling.type",
      remedy: "--method yarn"),
  ]

  @Test(arguments: refused)
  func `what llama.cpp would compute otherwise is refused with the option to change`(_ test: Refused) throws {
    let subject = try GGUFSubject(test.builder.bytes())
    let error = refusal { try subject.plan(test.request) }
    #expect(error?.code == .notExpressible)
    #expect(error?.location.key == "\(subject.file.architecture ?? "").rope.\(test.key)")
    #expect(error?.remedy.contains(test.remedy) == true, "\(error?.remedy ?? "")")
  }

  // MARK: fixtures

  static let fixtures = [
    "alignment-64", "deepseek2-yarn", "llama-plain", "llama-plain.big-endian", "llama-v2",
    "split-00001-of-00003", "vocabulary-only",
  ]

  @Test(arguments: fixtures)
  func `every fixture goes to YaRN, anew and back`(_ name: String) throws {
    let old = try Fixture.bytes("gguf/\(name).gguf")
    let subject = try GGUFSubject(old)
    let plan = try subject.plan(request(.yarn, 7.5))
    let new = try #require(plan.edits.apply(to: old))
    #expect(plan.edits.inverse.apply(to: new) == old)
    let scaled = try GGUFSubject(new)
    #expect(scaled.declaration.scalingKind == "yarn" && scaled.declaration.factor?.value == 7.5)
    #expect(try scaled.plan(request(.yarn, 7.5)).edits.isEmpty)
    let back = try scaled.patched(request(.none)).declaration
    #expect(back.scalingKind == nil && back.originalContext == nil)
    #expect(back.contextLength?.value == scaled.declaration.originalContext?.value)
    // Same sizes, so the file can be changed where it stands.
    #expect(try scaled.plan(request(.yarn, 2)).edits.sizeChange == 0)
  }

  @Test func `a magnitude of the file's own is not lost without a word`() throws {
    let subject = try GGUFSubject(Fixture.bytes("gguf/qwen2-yarn.gguf"))
    #expect(refusal { try subject.plan(request(.yarn, 8)) }?.code == .customMagnitude)
    let kept = try subject.patched(
      request(.yarn, 4) { $0.attentionFactor = subject.declaration.attentionFactor?.value })
    #expect(kept.source.bytes == subject.source.bytes)
  }

  @Test(arguments: [2, 4, 7.5, 7.3])
  func `an NTK base is taken back through float32`(_ factor: Double) throws {
    let old = model()
    let raised = try GGUFSubject(old.bytes()).patched(request(.ntk, factor))
    #expect(raised.declaration.base?.value != 10_000)
    #expect(try raised.plan(request(.ntk, factor)).edits.isEmpty)
    #expect(try raised.patched(request(.none)).lines.sorted() == Self.keys(4096).sorted())
  }

  @Test func `a length beyond 32 bits is refused, not cut`() throws {
    let subject = try GGUFSubject(model("qwen2", [("context_length", .uint64(1 << 40))]).bytes())
    for method in [PatchMethod.none, .yarn, .linear] {
      #expect(refusal("\(method)") { try subject.plan(request(method, 1)) }?.code == .badLength)
    }
  }
}
