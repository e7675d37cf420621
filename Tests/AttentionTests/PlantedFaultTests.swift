import RoPE
import TestSupport
import Testing

@testable import Attention

/// Every fault that leaves position 0 looking fine, each met by the check that is there for it.
@Suite struct PlantedFaultTests {
  static let window = 131_072
  static let head = 128

  static let yarn = RoPEParameters(
    base: 1e6, rotaryDimension: head, scaling: .yarn(YaRN(factor: 4, originalContextLength: 32_768)),
    attentionFactor: yarnMagnitude(factor: 4))
  /// Latent attention as DeepSeek's: a magnitude of 1 and a squared softmax multiplier.
  static let latent = RoPEParameters(
    base: 10_000, rotaryDimension: 64, scaling: .yarn(YaRN(factor: 32, originalContextLength: 4096)),
    softmaxScaleMultiplier: yarnMagnitude(factor: 32) * yarnMagnitude(factor: 32))

  private static func computed(
    _ parameters: RoPEParameters = yarn, pairing: RotaryPairing = .halves
  ) -> AttentionSubject {
    AttentionSubject(FrequencyTable(parameters), headDimension: head, pairing: pairing, window: window)
  }

  /// The ids of the checks that fail.
  private static func failures(_ subject: AttentionSubject, _ demanded: RoPEParameters = yarn) throws -> [String] {
    let check = try #require(ScalingCheck(demanded, headDimension: head, pairing: .halves, window: window))
    return check.measurements(of: subject, keyCount: 64).filter { !$0.holds }.map(\.id)
  }

  private static func withFactor(_ factor: Double) -> RoPEParameters {
    var result = yarn
    result.attentionFactor = factor
    return result
  }

  private static func withYaRN(_ change: (inout YaRN) -> Void) -> RoPEParameters {
    var result = yarn
    guard case .yarn(var yarn) = result.scaling else { return result }
    change(&yarn)
    result.scaling = .yarn(yarn)
    return result
  }

  struct Fault: Sendable, CustomTestStringConvertible {
    var name: String
    var id: String
    var subject: @Sendable () -> AttentionSubject
    var demanded = yarn
    var testDescription: String { name }
  }

  static let faults = [
    Fault(name: "attention factor on queries alone", id: "temperature") {
      var subject = computed()
      subject.rotateKey = computed(withFactor(1)).rotateKey
      return subject
    },
    Fault(name: "attention factor omitted", id: "temperature") { computed(withFactor(1)) },
    Fault(name: "attention factor squared again", id: "temperature") {
      computed(withFactor(yarn.attentionFactor * yarn.attentionFactor))
    },
    Fault(name: "pairs of neighbours instead of halves", id: "attention") { computed(pairing: .adjacent) },
    Fault(name: "base off by a hundredth", id: "attention") {
      var wrong = yarn
      wrong.base *= 1.01
      return computed(wrong)
    },
    Fault(name: "betas swapped, seen near", id: "near-logits") {
      computed(withYaRN { ($0.betaFast, $0.betaSlow) = (1, 32) })
    },
    Fault(name: "betas swapped, seen far", id: "trained-phases") {
      computed(withYaRN { ($0.betaFast, $0.betaSlow) = (1, 32) })
    },
    Fault(name: "original length doubled", id: "trained-phases") {
      computed(withYaRN { $0.originalContextLength *= 2 })
    },
    Fault(name: "factor applied twice", id: "attention") { computed(withYaRN { $0.factor = 16 }) },
    Fault(name: "truncation flipped", id: "attention") { computed(withYaRN { $0.truncate = false }) },
    Fault(name: "window beyond what the factor covers", id: "trained-phases") {
      var subject = computed()
      subject.window += 2
      return subject
    },
    Fault(
      name: "softmax multiplier missing", id: "softmax-scale",
      subject: {
        var wrong = latent
        wrong.softmaxScaleMultiplier = 1
        return computed(wrong)
      }, demanded: latent),
    Fault(
      name: "softmax multiplier not squared", id: "softmax-scale",
      subject: {
        var wrong = latent
        wrong.softmaxScaleMultiplier = latent.softmaxScaleMultiplier.squareRoot()
        return computed(wrong)
      }, demanded: latent),
    Fault(name: "positions counted from 1", id: "position-0") {
      var subject = computed()
      let (query, key) = (subject.rotateQuery, subject.rotateKey)
      subject.rotateQuery = { query($0, $1 + 1) }
      subject.rotateKey = { key($0, $1 + 1) }
      return subject
    },
    Fault(name: "angles in float32", id: "attention-distance") {
      var subject = computed()
      let table = subject.table
      let turn: HeadRotation = { head, position in
        let angles = table.inverseFrequencies.map { Double(Float(position) * Float($0)) }
        let turned = FrequencyTable(inverseFrequencies: angles, attentionFactor: table.attentionFactor)
        return ReferenceRotation(turned, position: 1).applied(to: head.map { Double($0) }, .halves).map { Float($0) }
      }
      (subject.rotateQuery, subject.rotateKey) = (turn, turn)
      return subject
    },
    Fault(name: "a rotation that knows no numbers", id: "kernel") {
      var subject = computed()
      subject.rotateKey = { head, _ in head.map { _ in .nan } }
      return subject
    },
  ]

  @Test(arguments: faults) func `a planted fault fails its check`(_ fault: Fault) throws {
    #expect(try Self.failures(fault.subject(), fault.demanded).contains(fault.id))
  }

  @Test func `without a fault every check holds, with room that rounding explains`() throws {
    for parameters in [Self.yarn, Self.latent] {
      #expect(try Self.failures(Self.computed(parameters), parameters) == [])
    }
    let check = try #require(ScalingCheck(Self.yarn, headDimension: Self.head, pairing: .halves, window: Self.window))
    let measured = check.measurements(of: Self.computed(), keyCount: 64)
    #expect(Set(measured.map(\.id)).count == measured.count)
    for one in measured where one.unit == AttentionCheck.scoreUnit && one.id != "near-logits" {
      #expect(one.bound < 1e-5, "\(one.id)")
    }
  }

  /// In a short window almost every pair is scaled, and what it may move by leaves little room for the fast ones.
  /// (Below 202 tokens no pair is a fast one: none turns 32 times.)
  @Test(arguments: [256.0, 1024, 8192], [2.0, 4, 32])
  func `betas swapped are seen near in short windows too`(original: Double, factor: Double) throws {
    func parameters(_ fast: Double, _ slow: Double) -> RoPEParameters {
      let yarn = YaRN(factor: factor, originalContextLength: original, betaFast: fast, betaSlow: slow)
      return RoPEParameters(
        base: 10_000, rotaryDimension: Self.head, scaling: .yarn(yarn), attentionFactor: yarnMagnitude(factor: factor))
    }
    let window = Int(original * factor)
    let check = try #require(
      ScalingCheck(parameters(32, 1), headDimension: Self.head, pairing: .halves, window: window))
    func near(_ fast: Double, _ slow: Double) throws -> CheckMeasurement {
      let subject = AttentionSubject(
        FrequencyTable(parameters(fast, slow)), headDimension: Self.head, pairing: .halves, window: window)
      return try #require(check.nearLogits(of: subject))
    }
    #expect(try near(32, 1).holds && !near(1, 32).holds)
    #expect(try near(32, 1).bound < 0.5)
  }

  @Test func `a cosine moves no further than to an extreme on its way, or to its end`() {
    for angle in stride(from: 0.0, through: 20, by: 0.37) {
      for factor in [0.5, 1, 1.5, 4, 64] {
        let steps = (0...4000).map { angle / factor + (angle - angle / factor) * Double($0) / 4000 }
        let sampled = steps.map { abs(cosine($0) - cosine(angle)) }.max() ?? 0
        let bound = ScalingCheck.largestMove(ofCosineAt: angle, dividedBy: factor)
        #expect(sampled <= bound + 1e-12 && bound <= sampled + 1e-4, "\(angle) over \(factor)")
      }
    }
  }

  @Test(arguments: [
    RoPEScaling.linear(factor: 8), .ntkAware(alpha: 8),
    .ntkByParts(factor: 8, originalContextLength: 4096, alpha: 1, beta: 32),
    .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: 8192),
  ])
  func `factor 1 of each method that has one is the identity`(_ scaling: RoPEScaling) throws {
    let parameters = RoPEParameters(base: 10_000, rotaryDimension: Self.head, scaling: scaling)
    let one = try #require(parameters.identity)
    #expect(one != parameters && parameters.unscaled == one.unscaled)
    let check = try #require(ScalingCheck(parameters, headDimension: Self.head, pairing: .halves, window: 32_768))
    let measured = check.measurements(of: Self.computed(parameters), keyCount: 2)
    #expect(measured.contains { $0.id == "identity-attention" && $0.holds })
    #expect(measured.allSatisfy { $0.holds })
  }

  @Test(arguments: [1, 2, 3, 9]) func `a window of a few tokens is checked`(_ window: Int) throws {
    let parameters = RoPEParameters(base: 10_000, rotaryDimension: 4)
    let check = try #require(ScalingCheck(parameters, headDimension: 6, pairing: .adjacent, window: window))
    let subject = AttentionSubject(
      FrequencyTable(parameters), headDimension: 6, pairing: .adjacent, window: window)
    #expect(check.measurements(of: subject, keyCount: 4).allSatisfy { $0.holds })
  }

  @Test func `attention dilutes over four times the keys, and YaRN's factor gathers it again`() throws {
    let plain = FrequencyTable(Self.yarn.unscaled)
    let spread = try #require(
      AttentionSpread(FrequencyTable(Self.yarn), unscaled: plain, headDimension: Self.head, lengths: [4096, 16_384]))
    let (short, long) = (spread.points[0], spread.points[1])
    // Normal logits of deviation σ: ln n - σ²/2, up to what a random sample of keys leaves.
    #expect(abs(short.unscaled - (logarithm(4096 as Double) - 2)) < 0.3)
    #expect(abs(long.withoutFactor - long.unscaled) < 0.1)
    #expect(abs(long.withoutFactor - short.unscaled - logarithm(4 as Double)) < 0.2)
    #expect(abs(long.scaled - short.unscaled) < 0.3)
    #expect(AttentionSpread(plain, unscaled: plain, headDimension: 4096, lengths: [4]) == nil)
    #expect(AttentionSpread(plain, unscaled: plain, headDimension: Self.head, lengths: [0, .max]) == nil)
  }
}
