import Runtimes
import TestSupport
import Testing

@testable import YarnPatch

@Suite struct AttentionLevelTests {
  /// The tiny trained model, scaled to 1024 tokens.
  private func verification(_ level: AttentionLevel) throws -> Verification {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256/config.json", as: "config.json")
    _ = try patch(path, request(.yarn, 4))
    var options = VerifyOptions()
    options.attention = level
    return try verify(path, options)
  }

  static let ids: Set = [
    "attention", "reference-distance", "attention-distance", "length", "position-0", "temperature", "softmax-scale",
    "kernel", "identity-attention", "trained-phases", "near-logits",
  ]

  @Test(arguments: AttentionLevel.allCases) func `each level measures what it says`(_ level: AttentionLevel) throws {
    let verification = try verification(level)
    #expect(verification.passed)
    #expect(Self.ids.isSubset(of: verification.checks.map(\.id)) == (level != .off))
    #expect(verification.attention.isEmpty == (level != .full))
  }

  @Test func `curves run over the window, with the trained length among them`() throws {
    let curves = try #require(try verification(.full).attention.first)
    #expect((curves.trainedLength, curves.window) == (256, 1024))
    #expect(curves.logits.first?.distance == 0 && curves.logits.last?.distance == 1023)
    #expect(curves.logits.first?.unscaled == 1)
    // The square of 0.1 ln 4 + 1.
    #expect(abs((curves.logits.first?.scaled ?? 0) - 1.29647) < 1e-5)
    #expect(curves.entropies.contains { $0.length == 256 })
    #expect(curves.entropies.last?.length == 1024)
    #expect(curves.cachedKeys == nil)
  }

  /// 65,536 lanes took four gigabytes and half a minute.
  @Test(.timeLimit(.minutes(1)), arguments: [AttentionLevel.quick, .full])
  func `heads that no model has are passed over, and it is said`(_ level: AttentionLevel) throws {
    let folder = try ScratchFolder()
    let path = try folder.write(
      Array(
        """
        {"model_type": "llama", "hidden_size": 128, "num_attention_heads": 2, "num_key_value_heads": 2,
         "head_dim": 65536, "max_position_embeddings": 131072, "rope_theta": 10000.0,
         "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}}
        """.utf8), to: "config.json")
    var options = VerifyOptions()
    options.attention = level
    options.runtimes = .all
    let verification = try verify(path, options)
    #expect(Self.ids.isDisjoint(with: verification.checks.map(\.id)) && verification.attention.isEmpty)
    #expect(!verification.checks.contains { $0.id == "attention-agreement" })
    #expect(verification.information.contains { $0.contains("heads of 65536 lanes, expected at most 1024") })
  }

  @Test func `a window that is not raised fails its check`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("config/yarn-old", as: "model")
    try folder.replace("131072", by: "32768", in: "model/config.json")
    #expect(try verify(path).checks.filter { !$0.passed }.map(\.id) == ["lengths"])
  }

  @Test func `betas that a file swaps fail their checks`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("config/mla-yarn", as: "model")
    try folder.replace("\"beta_fast\": 32", by: "\"beta_fast\": 1", in: "model/config.json")
    try folder.replace("\"beta_slow\": 1", by: "\"beta_slow\": 32", in: "model/config.json")
    let failed = Set(try verify(path).checks.filter { !$0.passed }.map(\.id))
    #expect(failed.isSuperset(of: ["trained-phases", "near-logits"]))
  }

  @Test(arguments: [("dynamic", 4097, 8192), ("longrope", 4097, 131_072)])
  func `a table that depends on the length makes cached keys wrong, from there on`(_ name: String, from: Int, to: Int)
    throws
  {
    let path = Fixture.path("config/\(name)")
    let declaration = try #require(try inspect(path).model.primary?.declaration)
    let keys = try #require(CachedKeys(Formula.read(declaration), declaration))
    #expect((keys.firstChangedLength, keys.length) == (from, to))
    // The newest token is turned by today's table, the first ones hardly turn at all.
    #expect(keys.errors.first == ScoreChange(distance: 0, relative: 0))
    #expect(keys.errors.contains { $0.relative > 1 && $0.relative < 2 })
    #expect(keys.errors.last?.distance == to - 1)
    #expect(keys.errors.last?.relative ?? 1 < 0.2)
    // Keys from before the change, from its own length on to the first.
    #expect(keys.errors.count { $0.distance > to - from } > 10)
    #expect(
      try verify(path).information.contains { $0.contains("caches keys after rotation") })
  }

  @Test(arguments: [("yarn-old", true), ("llama-plain", true), ("gpt-oss", false)])
  func `runtimes that agree compute the same attention, and it is told how far others are off`(
    _ name: String, agree: Bool
  ) throws {
    var options = VerifyOptions()
    options.runtimes = .named([.transformers5, .vllm, .mlxLM])
    let verification = try verify(Fixture.path("config/\(name)"), options)
    let checks = verification.checks.filter { $0.id == "attention-agreement" }
    #expect(checks.allSatisfy(\.passed) && (!checks.isEmpty || !agree))
    #expect(verification.information.contains { $0.hasPrefix("logits of ") } != agree)
    options.attention = .off
    #expect(try !verify(Fixture.path("config/\(name)"), options).checks.contains { $0.id == "attention-agreement" })
  }

  @Test(arguments: ["yarn-old", "llama-plain", "gpt-oss", "dynamic", "longrope", "mla-yarn", "gemma3"])
  func `full compares all runtimes that have a table, and fails for none`(_ name: String) throws {
    var options = VerifyOptions()
    options.attention = .full
    let measured = try verify(Fixture.path("config/\(name)"), options)
    let check = try #require(measured.checks.first { $0.id == "runtimes-attention" })
    #expect(check.passed && check.bound == nil && measured.passed)
    #expect(!measured.checks.contains { $0.id.hasPrefix("agreement") } && measured.agreement == nil)
    options.runtimes = .all
    let asked = try verify(Fixture.path("config/\(name)"), options)
    #expect(asked.attentionDifferences == measured.attentionDifferences)
    #expect(!asked.checks.contains { $0.id == "runtimes-attention" })
    let largest = measured.attentionDifferences.filter { $0.others != ["yarn-repo"] }.map(\.logit).max()
    if let largest {
      #expect(check.measured == largest && largest > 1e-3)
      #expect(check.detail?.contains("their tables differ") == true)
    } else {
      #expect(try #require(check.measured) < 1e-2 && check.detail?.contains("the same but for rounding") == true)
    }
    // Each two runtimes whose tables differ at some length are told apart.
    for comparison in try #require(asked.agreement).comparisons {
      for (index, one) in comparison.groups.enumerated() {
        for other in comparison.groups.dropFirst(index + 1) {
          #expect(
            measured.attentionDifferences.contains { ($0.runtimes, $0.others) == (one.runtimes, other.runtimes) })
        }
      }
    }
    options.attention = .quick
    options.runtimes = nil
    #expect(try verify(Fixture.path("config/\(name)"), options).attentionDifferences.isEmpty)
  }
}
