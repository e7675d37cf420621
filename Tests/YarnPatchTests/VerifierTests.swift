import Diagnostics
import PatchPlanning
import Runtimes
import TestSupport
import Testing
import YarnPatch

/// Every check can fail: one fault, one check.
@Suite struct VerifierTests {
  private func failed(_ path: String, _ change: (inout VerifyOptions) -> Void = { _ in }) throws -> [String] {
    var options = VerifyOptions()
    change(&options)
    return try verify(path, options).checks.filter { !$0.passed }.map(\.id)
  }

  @Test(arguments: [
    "llama-plain", "yarn-old", "linear", "dynamic", "llama3", "longrope", "mla-yarn", "v5-per-layer", "gemma3",
  ])
  func `a sound config passes`(_ name: String) throws {
    let verification = try verify(Fixture.path("config/\(name)"))
    #expect(verification.passed && verification.checks.count > 2)
    for check in verification.checks { #expect(check.measured ?? 0 <= check.bound ?? 0) }
  }

  @Test(arguments: PatchTests.ggufs + ["qwen2-yarn", "llama3-freqs", "phi3-longrope", "split-00002-of-00003"])
  func `a sound GGUF passes`(_ name: String) throws {
    #expect(try failed(Fixture.path("gguf/\(name).gguf")) == [])
  }

  @Test func `a model that works passes all checks, before and after a patch`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    #expect(try failed(path) { $0.context = 256 } == [])
    _ = try patch(path, request(.yarn, 4))
    let verification = try verify(path)
    #expect(verification.passed)
    let ids: Set = [
      "read", "base", "lengths", "tables-agree", "fast-pairs", "slow-pairs", "ramp", "phase", "identity", "attention",
      "reference-distance", "attention-distance", "length", "position-0", "files-agree",
    ]
    #expect(ids.isSubset(of: verification.checks.map(\.id)))
  }

  // MARK: faults in a model

  @Test func `a window that is not original × factor`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("config/yarn-old", as: "model")
    try folder.replace("131072", by: "131074", in: "model/config.json")
    #expect(try failed(path) == ["lengths", "trained-phases"])
    try folder.replace("131074", by: "131073", in: "model/config.json")
    #expect(try failed(path) == [])
  }

  @Test func `a base that files of one model state differently`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    try folder.replace("\"rope_theta\": 10000.0", by: "\"rope_theta\": 10001.0", in: "model/config.json")
    #expect(try failed(path) == ["files-agree"])
  }

  @Test func `a GGUF that has another magnitude than config.json`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    _ = try patch(path, request(.yarn, 4))
    let asked = request(.yarn, 4) {
      $0.attentionFactor = 1
      $0.runtimes = [.transformers5]
    }
    _ = try patch("\(path)/config.json", asked)
    #expect(try failed(path) == ["files-agree"])
  }

  @Test func `a base that two layouts state differently`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("config/both-layouts", as: "model")
    try folder.replace("\n  \"rope_theta\": 1000000.0", by: "\n  \"rope_theta\": 500000.0", in: "model/config.json")
    #expect(try failed(path).contains("base"))
    let error = refusal { try patch(path, request(.yarn, 4)) }
    #expect(error?.code == .basesDisagree && error?.remedy.contains("--base") == true)
    #expect(try patch(path, request(.yarn, 4) { $0.base = 1_000_000 }).verification?.passed == true)
  }

  @Test func `a base that is not stated`() throws {
    #expect(try failed(Fixture.path("config/llama-no-theta")) == ["base", "table"])
  }

  @Test func `inverse frequencies that the weights store for another base`() throws {
    #expect(try failed(Fixture.path("safetensors/stored-inv-freq")) == [])
    #expect(try failed(Fixture.path("safetensors/stored-inv-freq-wrong-base")) == ["base"])
  }

  @Test func `one stored frequency that is a little off`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("safetensors/stored-inv-freq", as: "model")
    let entry = try #require(
      try inspect(path, tensors: true).tensors?.first { $0.name.hasSuffix("rotary_emb.inv_freq") })
    #expect(entry.type == "F32")
    // The buffer stands where its second value, 10000^(-1/8), has its bytes.
    var bytes = try folder.bytes("model/model.safetensors")
    let value = Float(0.31622776601683794)
    let wanted = withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
    let offset = try #require(bytes.indices.dropLast(3).first { Array(bytes[$0..<$0 + 4]) == wanted })
    bytes.replaceSubrange(
      offset..<offset + 4, with: withUnsafeBytes(of: (value * 1.00001).bitPattern.littleEndian) { Array($0) })
    try folder.write(bytes, to: "model/model.safetensors")
    #expect(try failed(path) == ["base"])
  }

  @Test func `weights alone state nothing`() throws {
    let folder = try ScratchFolder()
    #expect(try failed(try folder.copy("safetensors/single/model.safetensors")) == ["settings"])
  }

  // MARK: what is asked for

  @Test(arguments: [(4096, []), (4097, ["context"])])
  func `a window that does not cover the context`(_ tokens: Int, ids: [String]) throws {
    for path in ["config/llama-plain", "gguf/llama-plain.gguf"] {
      #expect(try failed(Fixture.path(path)) { $0.context = tokens } == ids)
    }
    // Servers multiply a linear window.
    #expect(try failed(Fixture.path("config/linear")) { $0.context = 4 * tokens } == ids)
  }

  static let expected: [(String, Bool)] = [
    (#"{"kind": "yarn", "factor": 4, "originalContext": 32768, "contextLength": 131072, "base": 1e6}"#, true),
    (#"{"rope": {"kind": "yarn", "rotaryDimension": 128, "betaFast": null, "truncate": null}}"#, true),
    (#"{"models": [{"rope": {"factor": 4.0, "layerTypes": null}}]}"#, true),
    (#"{"kind": "linear"}"#, false), (#"{"factor": 8}"#, false), (#"{"factor": "4"}"#, false),
    (#"{"factor": null}"#, false), (#"{"betaFast": 32}"#, false), (#"{"contextLength": 32768}"#, false),
    (#"{"base": 1000002}"#, false), (#"{"truncate": true}"#, false), (#"{"fctor": 4}"#, false), ("[]", false),
  ]

  @Test(arguments: expected)
  func `expected values that are not there`(_ text: String, holds: Bool) throws {
    let folder = try ScratchFolder()
    let file = try folder.write(Array(text.utf8), to: "expected.json")
    #expect(try failed(Fixture.path("config/yarn-old")) { $0.expect = file } == (holds ? [] : ["expected"]))
  }

  // MARK: against another model

  private func against(_ fixture: String, _ change: (inout [UInt8]) -> Void) throws -> [String] {
    let folder = try ScratchFolder()
    let other = try folder.copy(fixture, as: "other." + (fixture.split(separator: ".").last ?? ""))
    let name = String(other.dropFirst(folder.path.count + 1))
    var bytes = try folder.bytes(name)
    change(&bytes)
    try folder.write(bytes, to: name)
    return try failed(Fixture.path(fixture)) { $0.against = other }
  }

  /// Overwrites a phrase, which must be there, with one of the same length.
  private func replace(_ old: String, _ new: String, in bytes: inout [UInt8]) {
    let (old, new) = (Array(old.utf8), Array(new.utf8))
    precondition(old.count == new.count)
    guard let start = bytes.indices.first(where: { bytes[$0...].starts(with: old) }) else {
      Issue.record("the phrase is not there")
      return
    }
    bytes.replaceSubrange(start..<start + old.count, with: new)
  }

  @Test func `the same GGUF, with one byte of data, one tensor or one key changed`() throws {
    let model = "gguf/llama-plain.gguf"
    #expect(try against(model) { _ in } == [])
    #expect(try against(model) { $0[$0.count - 1] ^= 1 } == ["data"])
    let names = try inspect(Fixture.path(model), tensors: true).tensors?.map(\.name) ?? []
    let name = try #require(names.first)
    #expect(try against(model) { replace(name, "X" + name.dropFirst(), in: &$0) } == ["tensors"])
    let tokens = try #require(
      try inspect(Fixture.path(model), metadata: { _ in true }).metadata?.first { $0.key == "general.name" })
    #expect(try against(model) { replace(tokens.text, "?" + tokens.text.dropFirst(), in: &$0) } == ["metadata"])
  }

  @Test func `a long text and an element of a list are compared to the end`() throws {
    let folder = try ScratchFolder()
    func write(_ name: String, template: String, token: String) throws -> String {
      try folder.write(
        GGUFBuilder(metadata: [
          ("general.architecture", .string("llama")), ("llama.context_length", .uint32(4096)),
          ("llama.attention.key_length", .uint32(64)), ("llama.rope.freq_base", .float32(10_000)),
          ("tokenizer.chat_template", .string(template)),
          ("tokenizer.ggml.tokens", .array(type: 8, [.string("a"), .string(token)])),
        ]).bytes(), to: name)
    }
    let long = String(repeating: "x", count: 100)
    let model = try write("a.gguf", template: long + "1", token: "b")
    let template = try write("b.gguf", template: long + "2", token: "b")
    let token = try write("c.gguf", template: long + "1", token: "c")
    for (other, key) in [(template, "tokenizer.chat_template"), (token, "tokenizer.ggml.tokens")] {
      var options = VerifyOptions()
      options.against = other
      let wrong = try verify(model, options).checks.filter { !$0.passed }
      #expect(wrong.map(\.id) == ["metadata"])
      #expect(wrong.first?.detail?.hasSuffix(key) == true)
    }
  }

  @Test func `the same safetensors, with one byte or one name changed`() throws {
    let folder = try ScratchFolder()
    let path = Fixture.path("safetensors/single")
    for (change, ids): ((inout [UInt8]) -> Void, [String]) in [
      ({ _ in }, []), ({ $0[$0.count - 1] ^= 1 }, ["data"]), ({ replace("q_proj", "Q_proj", in: &$0) }, ["tensors"]),
    ] {
      let other = try folder.copy("safetensors/single", as: "other\(folder.names.count)")
      let name = "\(other.dropFirst(folder.path.count + 1))/model.safetensors"
      var bytes = try folder.bytes(name)
      change(&bytes)
      try folder.write(bytes, to: name)
      #expect(try failed(path) { $0.against = other } == ids)
    }
  }

  @Test func `a patched model against its former self, and against another`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    for method in PatchMethod.allCases where method != .dynamic {
      _ = try patch(path, request(method, 2), keepsUndo: false)
      #expect(try failed(path) { $0.against = Fixture.path("models/tiny-llama-ctx256") } == [], "\(method)")
      if method == .ntkByParts { _ = try patch(path, request(.none), keepsUndo: false) }
    }
    try folder.replace("\"rms_norm_eps\": 1e-05", by: "\"rms_norm_eps\": 1e-06", in: "model/config.json")
    #expect(try failed(path) { $0.against = Fixture.path("models/tiny-llama-ctx256") } == ["metadata"])
  }

  @Test func `a model of other files`() throws {
    #expect(
      try failed(Fixture.path("gguf/llama-plain.gguf")) { $0.against = Fixture.path("gguf/split-00001-of-00003.gguf") }
        .contains("data"))
    #expect(
      try failed(Fixture.path("config/llama-plain")) { $0.against = Fixture.path("gguf/llama-plain.gguf") }
        .contains("data"))
  }

  // MARK: tables

  @Test func `tables are told for each kind of layer`() throws {
    let path = Fixture.path("config/v5-per-layer")
    #expect(try tables(path).map(\.layerType) == ["full_attention", "sliding_attention"])
    #expect(try tables(path, layerType: "sliding_attention").map(\.kind) == ["default"])
    let error = refusal { try tables(path, layerType: "main") }
    #expect(error?.expected.contains("full_attention, sliding_attention") == true)
  }
}
