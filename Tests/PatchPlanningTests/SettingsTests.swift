import Diagnostics
import ModelConfig
import PatchPlanning
import RoPE
import TestSupport
import Testing

@Suite struct SettingsTests {
  static let plain = "{\"head_dim\": 128, \"max_position_embeddings\": 4096, \"rope_theta\": 10000.0}"

  private func settings(_ text: String = plain, _ request: PatchRequest) throws -> RoPESettings {
    try ConfigSubject(text).settings(request)
  }

  // MARK: how far

  @Test func `the smallest factor that covers a context is found`() throws {
    let seed: UInt64 = 0x5eed
    var random = SeededGenerator(seed: seed)
    for _ in 0..<600 {
      let original = Int.random(in: 1...1 << Int.random(in: 1...20), using: &random)
      let tokens = Int.random(in: 1...1 << Int.random(in: 1...24), using: &random)
      guard Double(tokens) / Double(original) < 1e6 else { continue }
      let settings = try settings(
        "{\"head_dim\": 64, \"max_position_embeddings\": \(original), \"rope_theta\": 10000}",
        PatchRequest(.yarn, reach: .context(tokens)))
      #expect(settings.window >= tokens, "seed \(seed): \(tokens) over \(original)")
      guard settings.factor > 1 else { continue }
      // A GGUF stores a float32, config.json says its shortest decimal or all its digits: no smaller one will do.
      let float = Float(settings.factor)
      func covers(_ factor: Double) -> Bool { Double(original) * factor >= Double(tokens) }
      let decimal = try #require(Double("\(float)"))
      #expect(settings.factor == decimal || settings.factor == Double(float) && !covers(decimal), "seed \(seed)")
      let smaller = try #require(Double("\(float.nextDown)"))
      #expect(
        !covers(Double(float.nextDown)) && !covers(smaller),
        "seed \(seed): \(tokens) over \(original)")
    }
  }

  @Test(arguments: [
    (32768, 131_072, 4), (32768, 100_000, 3.0517578125), (40960, 100_000, 2.44140625), (4096, 29_900, 7.2998047),
    (3000, 50_000, 16.666668), (4096, 4096, 1), (4096, 100, 1), (4096, 4097, 1.000244140625),
  ])
  func `the factor for a context is written short where that covers it`(_ original: Int, tokens: Int, factor: Double)
    throws
  {
    var request = PatchRequest(.yarn, reach: .context(tokens))
    request.originalContext = original
    #expect(try settings(Self.plain, request).factor == factor)
  }

  @Test(arguments: PatchMethod.allCases.filter { $0 != .none }, [1, 4095, 4096])
  func `a context within the original length is reached without scaling, whatever the method`(
    _ method: PatchMethod, tokens: Int
  ) throws {
    let request = PatchRequest(method, reach: .context(tokens))
    for text in [
      Self.plain,
      """
      {"head_dim": 128, "max_position_embeddings": 16384, "rope_theta": 10000.0,
       "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4096}}
      """,
    ] {
      #expect(try settings(text, request) == settings(text, PatchRequest(.none, reach: nil)))
      #expect(try settings(text, request).window == 4096)
    }
  }

  @Test func `a context within the original length keeps headroom and takes no option of a scaling`() throws {
    let qwen = """
      {"model_type": "qwen3", "hidden_size": 2560, "num_attention_heads": 32, "num_hidden_layers": 36, "head_dim": 128,
       "num_key_value_heads": 8, "max_position_embeddings": 40960, "rope_theta": 1000000}
      """
    #expect(try settings(qwen, PatchRequest(reach: .context(32768))).window == 40960)
    #expect(try settings(qwen, PatchRequest(reach: .context(32769))).originalContext == 32768)
    var request = PatchRequest(reach: .context(4096))
    request.betaFast = 16
    let error = refusal { try settings(Self.plain, request) }
    #expect(error?.location.path == "--beta-fast" && error?.expected.contains("--factor 1") == true)
  }

  @Test func `a factor of 1 that is asked for is stated, and said to change nothing`() throws {
    let request = PatchRequest(reach: .factor(1))
    let settings = try settings(Self.plain, request)
    #expect(settings.method == .yarn && settings.factor == 1)
    #expect(try ConfigSubject(Self.plain).subject.notes(request, settings).contains { $0.contains("--method none") })
  }

  @Test(arguments: [
    (4096, 4.0, 16384), (4096, 7.5, 30720), (4096, 1.1, 4505), (1000, 1.1, 1100), (3000, 1.3333333333333333, 4000),
    (10, 0x1.fffffffffffffp0, 20), (1_000_003, 1999.3, 1_999_305_997),
  ])
  func `the window is original × factor, a rounding error aside`(_ original: Int, factor: Double, window: Int) throws {
    let request = request(.yarn, factor) { $0.originalContext = original }
    #expect(try settings(Self.plain, request).window == window)
  }

  @Test(arguments: [
    0, -1, 0.5, .nan, .infinity, -.infinity, Double("1e309") ?? 0, Double.greatestFiniteMagnitude, 1e6,
  ])
  func `a factor that gives no window is refused`(_ factor: Double) {
    let error = refusal { try settings(Self.plain, request(.yarn, factor)) }
    #expect(error?.code == .badRequest && error?.location.path == "--factor", "\(error.map(\.found) ?? "")")
  }

  @Test(arguments: [0, -5, Int.max])
  func `a context that gives no window is refused`(_ tokens: Int) {
    let error = refusal { try settings(Self.plain, PatchRequest(.yarn, reach: .context(tokens))) }
    #expect(error?.code == .badRequest && error?.location.path == "--context")
  }

  @Test func `a method that scales needs a factor or a context`() {
    let error = refusal { try settings(Self.plain, PatchRequest(.linear, reach: nil)) }
    #expect(error?.code == .badRequest)
  }

  // MARK: original length

  @Test(arguments: [
    ("qwen3", 40960, 32768), ("qwen3_moe", 40960, 32768), ("qwen2", 40960, 40960), ("qwen3", 32768, 32768),
  ])
  func `headroom that a model card names is not taken for trained length`(
    _ family: String, window: Int, trained: Int
  ) throws {
    let text = """
      {"head_dim": 128, "max_position_embeddings": \(window), "model_type": "\(family)", "rope_theta": 1000000}
      """
    #expect(try settings(text, request(.yarn, 2)).originalContext == trained)
  }

  @Test func `what the user says about the original length comes first`() throws {
    let request = request(.yarn, 4) { $0.originalContext = 2048 }
    let result = try ConfigSubject(try Fixture.config("yarn-old")).settings(request)
    #expect(result.originalContext == 2048 && result.window == 8192)
  }

  @Test(arguments: [0, -1, Int.max])
  func `an original length that no model has is refused`(_ length: Int) {
    let error = refusal { try settings(Self.plain, request(.yarn, 1) { $0.originalContext = length }) }
    #expect(error?.location.path == "--original-context")
  }

  @Test func `a scaled model that does not say its original length is refused`() throws {
    let text = """
      {"head_dim": 64, "max_position_embeddings": 8192, "rope_scaling": {"type": "yarn", "factor": 2.0},
       "rope_theta": 10000}
      """
    let error = refusal { try settings(text, request(.yarn, 4)) }
    #expect(error?.code == .noOriginalLength && error?.remedy.contains("--original-context") == true)
    #expect(try settings(text, request(.yarn, 4) { $0.originalContext = 4096 }).window == 16384)
  }

  @Test func `a file without any window is refused`() {
    let error = refusal { try settings("{\"head_dim\": 64, \"rope_theta\": 10000}", request(.yarn, 4)) }
    #expect(error?.code == .noOriginalLength)
  }

  // MARK: the base

  @Test func `a missing base is refused, and --base heals it`() throws {
    let text = try Fixture.config("llama-no-theta")
    let error = refusal { try settings(text, request(.yarn, 4)) }
    #expect(error?.code == .noBase && error?.remedy.contains("--base") == true)
    let new = try patched(text, request(.yarn, 4) { $0.base = 10_000 })
    #expect(lineDifference(from: text, to: new).contains("+  \"rope_theta\": 10000.0,"))
  }

  @Test func `a missing base goes where the layout has it`() throws {
    let text = Fixture.replacing(try Fixture.config("v5-flat"), [("    \"rope_theta\": 1000000.0,\n", "")])
    let new = try patched(text, request(.yarn, 4) { $0.base = 1_000_000 })
    #expect(
      lineDifference(from: text, to: new) == """
        -  "max_position_embeddings": 40960,
        +  "max_position_embeddings": 131072,
        -    "rope_type": "default"
        +    "factor": 4.0,
        +    "original_max_position_embeddings": 32768,
        +    "rope_theta": 1000000.0,
        +    "rope_type": "yarn"
        """)
  }

  @Test(arguments: [1, 0, -1, Double.nan, .infinity])
  func `a base that is none is refused`(_ base: Double) {
    let error = refusal { try settings(Self.plain, request(.yarn, 4) { $0.base = base }) }
    #expect(error?.location.path == "--base")
  }

  @Test func `a base that NTK raises beyond every number is refused`() {
    let text = "{\"head_dim\": 4, \"max_position_embeddings\": 4096, \"rope_theta\": 1e308}"
    #expect(refusal { try settings(text, request(.ntk, 1000)) }?.location.path == "--base")
  }

  @Test func `an NTK base needs at least two pairs`() {
    let text = "{\"head_dim\": 2, \"max_position_embeddings\": 4096, \"rope_theta\": 10000}"
    #expect(refusal { try settings(text, request(.ntk, 4)) }?.code == .noRotaryDimension)
  }

  @Test func `no rotary dimension, no table`() {
    let text = "{\"max_position_embeddings\": 4096, \"rope_theta\": 10000}"
    #expect(refusal { try settings(text, request(.yarn, 4)) }?.code == .noRotaryDimension)
  }

  @Test(arguments: ["llama-plain", "v5-flat", "unsorted", "gpt-neox", "nested-language-config"])
  func `an NTK base is raised from the first base, never on top`(_ fixture: String) throws {
    let old = try Fixture.config(fixture)
    let base = try ConfigSubject(old).settings(request(.yarn, 2)).base
    let raised = try patched(old, request(.ntk, 2))
    let again = try patched(raised, request(.ntk, 4))
    #expect(try ConfigSubject(again).declaration.base?.value == ConfigSubject(old).settings(request(.ntk, 4)).base)
    let yarn = try ConfigSubject(try patched(again, request(.yarn, 4)))
    #expect(yarn.declaration.base?.value == base)
    #expect(yarn.declaration.staticNTKFactor == nil)
  }

  // MARK: what weights were trained with

  @Test(arguments: ["llama3", "longrope"])
  func `a scaling that the weights were trained with stays`(_ fixture: String) throws {
    let text = try Fixture.config(fixture)
    for method in PatchMethod.allCases {
      let error = refusal("\(method)") { try settings(text, request(method, 4)) }
      #expect(error?.code == .trainedScaling && error?.remedy.contains("YP504") == true)
      _ = try settings(text, request(method, 4) { $0.allowed = ["YP504"] })
    }
  }

  @Test func `divisors in the weights are refused, and --allow takes it on`() throws {
    let subject = try GGUFSubject(Fixture.bytes("gguf/llama3-freqs.gguf"))
    let error = refusal { try subject.plan(request(.yarn, 4)) }
    #expect(error?.code == .trainedScaling && error?.remedy.contains("YP608") == true)
    #expect(error?.location.key == "rope_freqs.weight")
    #expect(try subject.plan(request(.yarn, 4) { $0.allowed = ["YP608"] }).edits.isEmpty == false)
  }

  @Test func `long and short factors in the weights are refused, though no key names the scaling`() throws {
    let subject = try GGUFSubject(Fixture.bytes("gguf/phi3-longrope.gguf"))
    #expect(subject.declaration.kind == nil)
    for method in PatchMethod.allCases where method != .dynamic {
      let error = refusal("\(method)") { try subject.plan(request(method, 4)) }
      #expect(error?.code == .trainedScaling && error?.remedy.contains("YP504") == true)
    }
    #expect(subject.declaration.staticNTKFactor == nil)
  }

  // MARK: ramp and magnitude

  @Test func `reversed betas are refused, equal ones are not`() throws {
    let error = refusal {
      try settings(
        Self.plain,
        request(.yarn, 4) {
          $0.betaFast = 1
          $0.betaSlow = 2
        })
    }
    #expect(error?.location.path == "--beta-fast")
    #expect(refusal { try settings(Self.plain, request(.yarn, 4) { $0.betaSlow = 33 }) }?.code == .badRequest)
    let equal = request(.yarn, 4) {
      $0.betaFast = 1
      $0.betaSlow = 1
    }
    #expect(try settings(Self.plain, equal).betaFast == 1)
  }

  /// An option, and how to set it.
  struct Option: CustomTestStringConvertible {
    var name: String
    var set: @Sendable (inout PatchRequest, Double) -> Void
    var testDescription: String { name }
  }

  static let numbers = [
    Option(name: "--beta-fast") { $0.betaFast = $1 }, Option(name: "--beta-slow") { $0.betaSlow = $1 },
    Option(name: "--attention-factor") { $0.attentionFactor = $1 }, Option(name: "--mscale") { $0.mscale = $1 },
    Option(name: "--mscale-all-dim") { $0.mscaleAllDim = $1 },
  ]

  @Test(arguments: numbers)
  func `a number that means nothing is refused by its option`(_ option: Option) {
    for value in [0, -1, Double.nan, .infinity] {
      let asked = request(.yarn, 4) {
        if option.name == "--mscale-all-dim" { $0.mscale = 1 }
        option.set(&$0, value)
      }
      let error = refusal("\(value)") { try settings(Self.plain, asked) }
      #expect(error?.code == .badRequest && error?.location.path == option.name, "\(value)")
    }
  }

  @Test(arguments: numbers + [Option(name: "--truncate") { request, _ in request.truncate = true }])
  func `an option of YaRN is refused with another method`(_ option: Option) {
    for method in [PatchMethod.linear, .ntk, .dynamic, .none] {
      let error = refusal("\(method)") { try settings(Self.plain, request(method, 4) { option.set(&$0, 1) }) }
      #expect(error?.code == .badRequest && error?.location.path == option.name, "\(method)")
    }
  }

  @Test func `half of an mscale pair is refused`() {
    #expect(refusal { try settings(Self.plain, request(.yarn, 4) { $0.mscaleAllDim = 1 }) }?.code == .badRequest)
  }

  @Test func `ntk-by-parts is YaRN with magnitude 1 and takes no other`() throws {
    #expect(try settings(Self.plain, request(.ntkByParts, 4)).magnitude == .final(1))
    for value in [1.5, 0.5] {
      let error = refusal { try settings(Self.plain, request(.ntkByParts, 4) { $0.attentionFactor = value }) }
      #expect(error?.location.path == "--method")
    }
  }

  private func yarn(_ members: String) -> String {
    """
    {"head_dim": 128, "max_position_embeddings": 16384, "rope_scaling": {"type": "yarn", "factor": 4.0,
      "original_max_position_embeddings": 4096, \(members)}, "rope_theta": 10000}
    """
  }

  @Test func `a magnitude of its own is not lost without a word`() throws {
    let text = yarn("\"attention_factor\": 1.5")
    let error = refusal { try settings(text, request(.yarn, 8)) }
    #expect(error?.code == .customMagnitude && error?.location.key == "/rope_scaling/attention_factor")
    #expect(error?.remedy.contains("--attention-factor 1.5") == true)
    #expect(error?.remedy.contains("1.2079441541679836") == true)
    #expect(try settings(text, request(.yarn, 8) { $0.attentionFactor = 1.5 }).magnitude == .final(1.5))
  }

  @Test func `an automatic magnitude that is spelled out follows the factor`() throws {
    let text = yarn("\"attention_factor\": 1.1386294361119891")
    #expect(try patched(text, request(.yarn, 8)).contains("\"attention_factor\": 1.2079441541679836"))
    #expect(try patched(text, request(.yarn, 4)).contains("\"attention_factor\": 1.1386294361119891"))
  }

  @Test func `an automatic magnitude beside an mscale pair follows the pair`() throws {
    // A stated magnitude comes before the pair, whose ratio it spells out here.
    let text = yarn("\"attention_factor\": 1.0, \"mscale\": 1.0, \"mscale_all_dim\": 1.0")
    #expect(try patched(text, request(.yarn, 8)).contains("\"attention_factor\": 1.0"))
  }

  @Test func `a magnitude replaces a pair, and a pair a magnitude`() throws {
    let pair = yarn("\"mscale\": 0.7, \"mscale_all_dim\": 0.9")
    let final = try ConfigSubject(try patched(pair, request(.yarn, 4) { $0.attentionFactor = 1.2 })).declaration
    #expect(final.attentionFactor?.value == 1.2 && final.mscale == nil && final.mscaleAllDim == nil)
    let magnitude = yarn("\"attention_factor\": 1.5")
    let asked = request(.yarn, 4) { ($0.mscale, $0.mscaleAllDim) = (0.7, 0.9) }
    let both = try ConfigSubject(try patched(magnitude, asked)).declaration
    #expect(both.attentionFactor == nil && both.mscale?.value == 0.7 && both.mscaleAllDim?.value == 0.9)
  }

  // MARK: several files

  private func disagreement(_ other: String, _ asked: PatchRequest) -> FileError? {
    refusal {
      var second = try ConfigSubject(other).subject
      second.path = "other.json"
      return try RoPESettings(asked, for: [try ConfigSubject(Self.plain).subject, second])
    }
  }

  @Test func `files that differ in the base or in the original length are refused`() throws {
    let base = Fixture.replacing(Self.plain, [("10000.0", "500000.0")])
    #expect(disagreement(base, request(.yarn, 4))?.code == .filesDisagree)
    #expect(disagreement(base, request(.yarn, 4))?.remedy.contains("--base") == true)
    let scaled = Fixture.replacing(
      Self.plain,
      [
        (
          "\"rope_theta\"", "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 4.0, \(original(8192))}, \"rope_theta\""
        ),
        ("4096", "32768"),
      ])
    #expect(disagreement(scaled, request(.yarn, 4))?.code == .filesDisagree)
    #expect(disagreement(scaled, request(.yarn, 4))?.remedy.contains("--original-context") == true)
    let window = Fixture.replacing(Self.plain, [("4096", "8192")])
    #expect(disagreement(window, request(.yarn, 4))?.code == .filesDisagree)
  }

  private func original(_ length: Int) -> String { "\"original_max_position_embeddings\": \(length)" }

  @Test func `a scaled and an unscaled file of one model agree when they start from one length`() throws {
    let scaled = Fixture.replacing(
      Self.plain,
      [
        (
          "\"rope_theta\"", "\"rope_scaling\": {\"type\": \"yarn\", \"factor\": 2.0, \(original(4096))}, \"rope_theta\""
        ),
        ("\"max_position_embeddings\": 4096", "\"max_position_embeddings\": 8192"),
      ])
    let subjects = [try ConfigSubject(Self.plain).subject, try ConfigSubject(scaled).subject]
    #expect(try RoPESettings(request(.yarn, 4), for: subjects).window == 16384)
    #expect(try RoPESettings(request(.yarn, 4), for: subjects.reversed()).window == 16384)
  }

  @Test func `a second file's own magnitude is not lost either`() throws {
    let builder = GGUFBuilder(metadata: [
      ("general.architecture", .string("llama")), ("llama.context_length", .uint32(16384)),
      ("llama.rope.dimension_count", .uint32(128)), ("llama.attention.key_length", .uint32(128)),
      ("llama.rope.freq_base", .float32(10_000)), ("llama.rope.scaling.type", .string("yarn")),
      ("llama.rope.scaling.factor", .float32(4)), ("llama.rope.scaling.original_context_length", .uint32(4096)),
      ("llama.rope.scaling.attn_factor", .float32(1.5)),
    ])
    let subjects = [try ConfigSubject(Self.plain).subject, try GGUFSubject(builder.bytes()).subject]
    let error = refusal { try RoPESettings(request(.yarn, 4), for: subjects) }
    #expect(error?.code == .customMagnitude && error?.location.key == "llama.rope.scaling.attn_factor")
  }

  @Test func `a model of no file is refused`() {
    #expect(refusal { try RoPESettings(request(.yarn, 4), for: []) }?.code == .badRequest)
  }
}
