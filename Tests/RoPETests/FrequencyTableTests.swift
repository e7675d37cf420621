import RoPE
import TestSupport
import Testing

@Suite struct FrequencyTableTests {
  @Test func `all 265 formula cases agree to twelve digits`() throws {
    let recorded = try fixture("formula.json", as: FormulaTables.self)
    let factors = try fixture("longrope-factors.json", as: [String: [Double]].self)
    #expect(recorded.cases.count == 265)
    #expect(recorded.count == 265)
    for expected in recorded.cases {
      let parameters = try #require(expected.parameters(longropeFactors: factors), "\(expected.id)")
      #expect(parameters.problems.isEmpty, "\(expected.id)")
      let table = FrequencyTable(parameters)
      #expect(table.inverseFrequencies.count == expected.invFreq.count, "\(expected.id)")
      for (pair, (ours, theirs)) in zip(table.inverseFrequencies, expected.invFreq).enumerated() {
        #expect(agree(ours, theirs), "\(expected.id), pair \(pair)")
      }
      #expect(agree(table.attentionFactor, expected.attentionFactor), "\(expected.id)")
      if let base = expected.effectiveBase { #expect(agree(parameters.effectiveBase, base), "\(expected.id)") }
    }
  }

  @Test func `the correction ranges of the formula cases agree`() throws {
    let recorded = try fixture("formula.json", as: FormulaTables.self).cases.filter { $0.rampLow != nil }
    #expect(recorded.count == 137)
    for expected in recorded {
      guard case .yarn(let yarn) = expected.parameters(longropeFactors: [:])?.scaling else {
        Issue.record("\(expected.id) has a ramp but is not YaRN")
        continue
      }
      let range = CorrectionRange(yarn, base: expected.input.base, rotaryDimension: expected.input.dim)
      let low = try #require(expected.rampLow)
      let high = try #require(expected.rampHigh)
      #expect(agree(range.low, low), "\(expected.id)")
      // The file has the range before it is widened.
      #expect(agree(range.high, low == high ? high + 0.001 : high), "\(expected.id)")
    }
  }

  // The buffers are float32 results of torch's vectorised pow, so not ours to the last bit.
  @Test func `the float32 route agrees with transformers within 4 units in the last place`() throws {
    let recorded = try fixture("float32-order.json", as: Float32Tables.self).cases
    #expect(recorded.count == 12)
    for expected in recorded {
      let parameters = try #require(expected.parameters, "\(expected.id)")
      let ours = FrequencyTable.float32InverseFrequencies(parameters)
      #expect(ours.count == expected.invFreq.count, "\(expected.id)")
      for (pair, (ours, theirs)) in zip(ours, expected.invFreq).enumerated() {
        let distance = abs(Double(ours) - theirs) / Double(Float(theirs).ulp)
        #expect(distance <= 4, "\(expected.id), pair \(pair)")
      }
    }
  }

  @Test func `both routes agree for random parameters of each scaling`() {
    for seed in 0..<200 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      let parameters = RoPEParameters.random(using: &random)
      let table = FrequencyTable(parameters).inverseFrequencies
      let floats = FrequencyTable.float32InverseFrequencies(parameters)
      #expect(parameters.problems.isEmpty, "seed \(seed)")
      #expect(table.count == parameters.pairCount && floats.count == table.count, "seed \(seed)")
      // Cancellation in a ramp's end: its share of the frequency has an absolute error, the frequency falls by 64.
      for (double, float) in zip(table, floats) {
        #expect(abs(Double(float) - double) <= 2e-5 * double, "seed \(seed): \(parameters.scaling)")
      }
    }
  }

  @Test func `factor 1 is the identity of every scaling`() {
    for seed in 0..<100 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      let plain = RoPEParameters(base: .random(in: 100...1e7, using: &random), rotaryDimension: 64)
      let length = Double.random(in: 16...131_072, using: &random)
      let identities: [RoPEScaling] = [
        .linear(factor: 1), .ntkAware(alpha: 1), .longrope(factors: .init(repeating: 1, count: 32)),
        .dynamicNTK(factor: 1, originalContextLength: length, sequenceLength: length),
        .dynamicNTK(factor: 4, originalContextLength: length, sequenceLength: length / 2),
        .ntkByParts(factor: 1, originalContextLength: length, alpha: 1, beta: 32),
        .yarn(YaRN(factor: 1, originalContextLength: length, truncate: .random(using: &random))),
        .llama3(factor: 1, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: length),
        .proportional(factor: 1, headDimension: 64),
      ]
      let expected = FrequencyTable(plain).inverseFrequencies
      for scaling in identities {
        var parameters = plain
        parameters.scaling = scaling
        let ours = FrequencyTable(parameters).inverseFrequencies
        #expect(zip(ours, expected).allSatisfy { agree($0, $1) } && ours.count == 32, "seed \(seed): \(scaling)")
      }
    }
    #expect(yarnMagnitude(factor: 1) == 1)
    #expect(longropeMagnitude(factor: 1, originalContextLength: 4096) == 1)
  }

  @Test func `a ramp rises from 0 to 1 between its ends`() {
    for seed in 0..<300 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      let yarn = YaRN.random(using: &random)
      let pairs = Int.random(in: 1...128, using: &random)
      let range = CorrectionRange(yarn, base: .random(in: 100...1e7, using: &random), rotaryDimension: 2 * pairs)
      let ramp = range.ramp(pairCount: pairs)
      #expect(ramp.count == pairs, "seed \(seed)")
      #expect(zip(ramp, ramp.dropFirst()).allSatisfy { $0 <= $1 }, "seed \(seed)")
      for (pair, share) in ramp.enumerated() {
        #expect((Double(pair) <= range.low) == (share == 0), "seed \(seed), pair \(pair)")
        #expect((Double(pair) >= range.high) == (share == 1), "seed \(seed), pair \(pair)")
      }
    }
  }

  @Test func `wavelength times frequency is a turn`() {
    let table = FrequencyTable(RoPEParameters(base: 10_000, rotaryDimension: 64))
    for (wavelength, turns) in zip(table.wavelengths, table.rotations(in: 4096)) {
      #expect(agree(wavelength * turns, 4096))
    }
    #expect(agree(table.wavelengths[0], 6.283185307179586))
    #expect(FrequencyTable(inverseFrequencies: [0]).wavelengths == [.infinity])
  }
}

/// Equal to twelve digits; zero only to zero.
func agree(_ a: Double, _ b: Double) -> Bool { b == 0 ? a == 0 : abs(a - b) <= 1e-12 * abs(b) }

extension YaRN {
  /// Betas in order, lengths and factors as models have them.
  static func random(using random: inout SeededGenerator) -> YaRN {
    let slow = Double.random(in: 0.5...4, using: &random)
    return YaRN(
      factor: .random(in: 1.5...64, using: &random), originalContextLength: .random(in: 256...131_072, using: &random),
      betaFast: .random(in: 8...64, using: &random), betaSlow: slow, truncate: .random(using: &random))
  }
}

extension RoPEParameters {
  static func random(using random: inout SeededGenerator) -> RoPEParameters {
    let pairs = Int.random(in: 2...128, using: &random)
    let factor = Double.random(in: 1...64, using: &random)
    let length = Double.random(in: 256...131_072, using: &random)
    let scalings: [RoPEScaling] = [
      .none, .linear(factor: factor), .ntkAware(alpha: factor), .yarn(.random(using: &random)),
      .dynamicNTK(factor: factor, originalContextLength: length, sequenceLength: 2 * length),
      .ntkByParts(factor: factor, originalContextLength: length, alpha: 1, beta: 32),
      .llama3(factor: factor, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: length),
      .longrope(factors: (0..<pairs).map { _ in .random(in: 1...64, using: &random) }),
      .proportional(factor: factor, headDimension: 4 * pairs),
    ]
    return RoPEParameters(
      base: .random(in: 100...1e7, using: &random), rotaryDimension: 2 * pairs,
      scaling: scalings.randomElement(using: &random) ?? .none)
  }
}
