import Bytes
import Diagnostics
import GGUF
import ModelConfig
import PatchPlanning
import RoPE
import Runtimes
import TestSupport
import Testing

/// The scaling of a GGUF as divisors of each pair.
@Suite struct GGUFFactorsTests {
  /// The architectures whose code in llama.cpp's `src/models` creates `rope_freqs` and hands it to the operation.
  static let takers = [
    "apertus", "arcee", "deci", "exaone", "exaone4", "exaone-moe", "granite", "granitehybrid", "granitemoe", "llama",
    "llama4", "minicpm", "mistral3", "nanbeige", "step35",
  ]

  static let custom = request(.yarn, 4) { ($0.betaFast, $0.betaSlow, $0.truncate) = (16, 2, false) }

  /// Keys without which llama.cpp does not load a model.
  private static let sizes: [(String, GGUFBuilder.Value)] = [
    ("embedding_length", .uint32(128)), ("attention.head_count", .uint32(2)),
  ]

  private func model(_ architecture: String) -> GGUFBuilder { PatchPlanningTests.model(architecture, Self.sizes) }

  private func plan(
    _ subject: GGUFSubject, _ request: PatchRequest, _ encoding: PatchEncoding = .factors
  ) throws -> PortablePlan {
    let stored = subject.declaration.encodedDivisors ?? subject.declaration.frequencyDivisors
    return try PortablePlan(
      subject.file, tensors: stored.map { [GGUFKeys.divisorsTensor: $0.value] } ?? [:], subject.declaration,
      try RoPESettings(request, for: [subject.subject]), encoding, for: [.llamaCpp], areNamed: false,
      in: subject.source)
  }

  private func patched(
    _ subject: GGUFSubject, _ request: PatchRequest, _ encoding: PatchEncoding = .factors
  ) throws -> GGUFSubject {
    try GGUFSubject(try #require(try plan(subject, request, encoding).file.edits.apply(to: subject.source.bytes)))
  }

  private func reading(_ subject: GGUFSubject) throws -> RuntimeReading {
    let tensors = subject.declaration.encodedDivisors.map { [GGUFKeys.divisorsTensor: $0.value] } ?? [:]
    return try #require(Runtime.llamaCpp.read(.gguf(subject.file, tensors)).first)
  }

  @Test(arguments: takers)
  func `llama.cpp computes the table of the equations from the factors`(_ architecture: String) throws {
    let subject = try GGUFSubject(model(architecture).bytes())
    for asked in [
      Self.custom, request(.yarn, 7.3), request(.linear, 3), request(.ntkByParts, 4),
      request(.yarn, 4) { $0.attentionFactor = 1.5 }, request(.yarn, 1),
    ] {
      let new = try patched(subject, asked)
      let wanted = try #require(Formula.read(new.declaration).table)
      let computed = try #require(try reading(new).table)
      #expect(zip(wanted.inverseFrequencies, computed.inverseFrequencies).allSatisfy { abs($0 - $1) <= 5e-6 * $0 })
      #expect(abs(computed.attentionFactor - wanted.attentionFactor) <= 1e-6)
      #expect(try plan(new, asked).file.edits.isEmpty)
    }
  }

  @Test func `the keys beside the factors scale nothing and tell what they stand for`() throws {
    let new = try patched(try GGUFSubject(model("llama").bytes()), Self.custom)
    #expect(
      new.lines.sorted()
        == GGUFPlanTests.keys(
          16_384, "scaling.type = \"none\" (string)", "scaling.original_context_length = 4096 (uint32)",
          "scaling.yarn_beta_fast = 16.0 (float32)", "scaling.yarn_beta_slow = 2.0 (float32)",
          "scaling.attn_factor = 1.13862943649292 (float32)"
        ).sorted())
    let declaration = new.declaration
    #expect(declaration.scalingKind == "yarn" && declaration.factor?.value == 4)
    #expect(declaration.truncate?.value == false && declaration.attentionFactor == nil)
    #expect(declaration.kind?.place.key == GGUFKeys.divisorsTensor)
  }

  @Test func `a second patch starts from the original, in the same place`() throws {
    let plain = try GGUFSubject(model("llama").bytes())
    let twice = try patched(try patched(plain, Self.custom), request(.yarn, 8) { $0.truncate = false })
    let once = try patched(
      plain, request(.yarn, 8) { ($0.betaFast, $0.betaSlow, $0.truncate) = (16, 2, false) })
    #expect(twice.declaration.encodedDivisors?.value == once.declaration.encodedDivisors?.value)
    #expect(twice.declaration.originalContext?.value == 4096 && twice.declaration.contextLength?.value == 32_768)
    #expect(twice.source.bytes.count == once.source.bytes.count)
  }

  @Test func `removing the scaling leaves divisors of 1, and going back to keys too`() throws {
    let plain = try GGUFSubject(model("llama").bytes())
    let factors = try patched(plain, request(.yarn, 4))
    for (encoding, asked) in [
      (PatchEncoding.factors, request(.none)), (.keys, request(.none)), (.factors, request(.ntk, 2)),
      (.keys, request(.yarn, 4)), (.auto, request(.yarn, 4)), (.keys, request(.linear, 2)),
    ] {
      let new = try patched(factors, asked, encoding)
      #expect(
        new.declaration.encodedDivisors?.value == [Double](repeating: 1, count: 32), "\(encoding) \(asked.method)")
      let keys = try patched(plain, asked, .keys)
      #expect(new.lines.sorted() == keys.lines.sorted(), "\(encoding) \(asked.method)")
      #expect(try reading(new).table == reading(keys).table, "\(encoding) \(asked.method)")
    }
  }

  @Test func `keys of betas that nobody reads do not outlive the factors`() throws {
    let factors = try patched(try GGUFSubject(model("llama").bytes()), Self.custom)
    let error = refusal { try plan(factors, request(.yarn, 4) { $0.truncate = true }, .keys) }
    #expect(error?.code == .runtimesDisagree && error?.remedy.contains("--encoding factors") == true)
    for method in [PatchMethod.none, .linear, .ntk] {
      for encoding in [PatchEncoding.keys, .factors] {
        let lines = try patched(factors, request(method, 2), encoding).lines
        #expect(!lines.contains { $0.contains("beta") }, "\(method), \(encoding)")
      }
    }
    let usual = request(.yarn, 4) { ($0.betaFast, $0.betaSlow, $0.truncate) = (32, 1, true) }
    let keys = try patched(factors, usual, .auto)
    #expect(keys.lines.sorted() == GGUFPlanTests.yarn("4.0", from: 4096, to: 16_384).sorted())
  }

  // MARK: auto

  @Test func `auto takes keys where they say it, factors where only those do`() throws {
    let subject = try GGUFSubject(model("llama").bytes())
    #expect(try patched(subject, request(.yarn, 4), .auto).file.tensors.count == 1)
    #expect(try patched(subject, Self.custom, .auto).declaration.encodedDivisors != nil)
    // mistral3 reads betas from keys, and rounds the ramp like every other.
    let mistral = try GGUFSubject(model("mistral3").bytes())
    let betas = request(.yarn, 4) { ($0.betaFast, $0.betaSlow) = (16, 2) }
    #expect(try patched(mistral, betas, .auto).declaration.encodedDivisors == nil)
    #expect(try patched(mistral, Self.custom, .auto).declaration.encodedDivisors != nil)
  }

  @Test func `the refusal of keys names factors where they help, and only there`() throws {
    for (architecture, helps) in [("llama", true), ("qwen2", false), ("deepseek2", false), ("cogvlm", false)] {
      let subject = try GGUFSubject(model(architecture).bytes())
      let asked = request(.yarn, 4) { $0.betaFast = 16 }
      let error = refusal { try plan(subject, asked, .keys) }
      #expect(error?.remedy.contains("--encoding factors") == helps, "\(architecture)")
      if !helps {
        #expect(refusal { try plan(subject, asked, .auto) }?.remedy == error?.remedy)
        #expect(refusal { try plan(subject, asked) }?.code == .notExpressible)
      }
    }
    let dynamic = refusal { try plan(try GGUFSubject(model("llama").bytes()), request(.dynamic, 4)) }
    #expect(dynamic?.code == .notExpressible)
  }

  // MARK: divisors that are there

  private func trained(_ divisors: [Float]) throws -> GGUFSubject {
    var builder = model("llama")
    builder.tensors.insert(
      .init(
        GGUFKeys.divisorsTensor, [UInt64(divisors.count)], data: divisors.flatMap { builder.encode($0.bitPattern) }),
      at: 0)
    return try GGUFSubject(builder.bytes())
  }

  @Test func `divisors that weights were trained with are replaced only by who takes that on`() throws {
    let subject = try trained((0..<32).map { $0 < 16 ? 1 : 8 })
    #expect(refusal { try plan(subject, request(.yarn, 4)) }?.code == .trainedScaling)
    let asked = request(.yarn, 4) { $0.allowed = ["YP608"] }
    let made = try plan(subject, asked)
    #expect(made.notes.contains { $0.contains("undo brings them back") })
    let new = try patched(subject, asked)
    #expect(new.file.tensors.map(\.offset) == subject.file.tensors.map(\.offset))
    #expect(new.declaration.scalingKind == "yarn" && new.declaration.frequencyDivisors == nil)
    // The keys leave them in force, below what they declare.
    #expect(try patched(subject, asked, .keys).declaration.frequencyDivisors?.value.last == 8)
  }

  @Test func `pairs that are to stand still are not set in motion`() throws {
    let subject = try trained((0..<32).map { $0 < 16 ? 1 : 1e30 })
    let error = refusal { try plan(subject, request(.yarn, 4) { $0.allowed = ["YP608"] }) }
    #expect(error?.code == .notExpressible && error?.remedy.contains("--encoding keys") == true)
  }

  @Test func `divisors in another file of the set are not doubled`() throws {
    let subject = try GGUFSubject(
      model("llama").bytes(), tensors: ["rope_freqs.weight": [Double](repeating: 1, count: 32)])
    #expect(refusal { try plan(subject, request(.yarn, 4)) }?.remedy.contains("--merge") == true)
  }

  // MARK: hostile files

  @Test(arguments: 0..<20)
  func `a broken file is refused or planned, and what is planned can be applied`(seed: UInt64) throws {
    let plain = try GGUFSubject(model("llama").bytes())
    let old = seed % 2 == 0 ? plain.source.bytes : try patched(plain, Self.custom).source.bytes
    var generator = SeededGenerator(seed: seed)
    for round in 0..<200 {
      let bytes = generator.mutation(of: old, inserting: [0, 1, 4, 0x20, 0x7f, 0xff])
      do {
        let subject = try GGUFSubject(bytes)
        let edits = try plan(subject, Self.custom).file.edits
        let new = try #require(edits.apply(to: bytes), "seed \(seed), round \(round)")
        let declaration = try GGUFSubject(new).declaration
        #expect(declaration.encodedDivisors != nil, "seed \(seed), round \(round)")
      } catch is FileError {}
    }
  }
}
