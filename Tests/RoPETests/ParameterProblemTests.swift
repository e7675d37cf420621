import RoPE
import TestSupport
import Testing

@Suite struct ParameterProblemTests {
  static let bad: [Double] = [0, -1, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, 1e300]

  private func problems(
    _ scaling: RoPEScaling = .none, base: Double = 1e4, rotaryDimension: Int = 64, attentionFactor: Double = 1
  ) -> [ParameterProblem.Parameter] {
    let parameters = RoPEParameters(
      base: base, rotaryDimension: rotaryDimension, scaling: scaling, attentionFactor: attentionFactor)
    let problems = parameters.problems
    #expect(problems.isEmpty != FrequencyTable(parameters).inverseFrequencies.isEmpty)
    #expect(problems.isEmpty != FrequencyTable.float32InverseFrequencies(parameters).isEmpty)
    return problems.map(\.parameter)
  }

  @Test(arguments: bad + [1]) func `an unusable base is named`(base: Double) {
    #expect(problems(base: base) == [.base])
  }

  @Test(arguments: [Int.min, -2, 0, 1, 63, 65_538, Int.max]) func `an unusable dimension is named`(dimension: Int) {
    #expect(problems(rotaryDimension: dimension) == [.rotaryDimension])
    #expect(problems(.proportional(factor: 1, headDimension: dimension)) == [.headDimension])
  }

  @Test(arguments: bad) func `one unusable number of a scaling is named`(x: Double) {
    #expect(problems(.linear(factor: x)) == [.factor])
    #expect(problems(.ntkAware(alpha: x)).first == .alpha)
    #expect(problems(.dynamicNTK(factor: x, originalContextLength: 1, sequenceLength: 1)) == [.factor])
    #expect(problems(.dynamicNTK(factor: 1, originalContextLength: x, sequenceLength: 1)) == [.originalContextLength])
    #expect(problems(.dynamicNTK(factor: 1, originalContextLength: 1, sequenceLength: x)) == [.sequenceLength])
    #expect(problems(.ntkByParts(factor: x, originalContextLength: 1, alpha: 1, beta: 2)) == [.factor])
    #expect(problems(.ntkByParts(factor: 1, originalContextLength: x, alpha: 1, beta: 2)) == [.originalContextLength])
    #expect(problems(.ntkByParts(factor: 1, originalContextLength: 1, alpha: x, beta: 2)).first == .alpha)
    #expect(problems(.ntkByParts(factor: 1, originalContextLength: 1, alpha: 1, beta: x)).first == .beta)
    #expect(problems(.yarn(YaRN(factor: x, originalContextLength: 1))) == [.factor])
    #expect(problems(.yarn(YaRN(factor: 1, originalContextLength: x))) == [.originalContextLength])
    #expect(problems(.yarn(YaRN(factor: 1, originalContextLength: 1, betaFast: x))) == [.betaFast])
    #expect(problems(.yarn(YaRN(factor: 1, originalContextLength: 1, betaSlow: x))) == [.betaSlow])
    #expect(problems(llama3(factor: x)) == [.factor])
    #expect(problems(llama3(low: x)) == [.lowFrequencyFactor])
    #expect(problems(llama3(high: x)) == [.highFrequencyFactor])
    #expect(problems(llama3(length: x)) == [.originalContextLength])
    #expect(problems(.longrope(factors: .init(repeating: 1, count: 31) + [x])) == [.factors])
    #expect(problems(.proportional(factor: x, headDimension: 64)) == [.factor])
  }

  private func llama3(factor: Double = 1, low: Double = 1, high: Double = 4, length: Double = 8192) -> RoPEScaling {
    .llama3(factor: factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContextLength: length)
  }

  @Test func `what does not fit together is named`() {
    #expect(problems(.longrope(factors: [1])) == [.factors])
    #expect(problems(.ntkByParts(factor: 1, originalContextLength: 1, alpha: 2, beta: 2)) == [.beta])
    #expect(problems(.ntkAware(alpha: 2), rotaryDimension: 2).contains(.rotaryDimension))
    #expect(
      problems(.dynamicNTK(factor: 2, originalContextLength: 1, sequenceLength: 2), rotaryDimension: 2)
        == [.rotaryDimension])
    #expect(problems(.ntkAware(alpha: 1e-6)) == [.alpha])
    #expect(problems(.proportional(factor: 1, headDimension: 32)) == [.headDimension])
    #expect(problems(attentionFactor: .nan) == [.attentionFactor])
    #expect(problems(attentionFactor: 0) == [])
    #expect(problems(llama3(low: 4, high: 1)) == [])
  }

  @Test func `a problem reads as a sentence`() {
    let parameters = RoPEParameters(base: 1, rotaryDimension: 64)
    #expect(
      parameters.problems.first?.description
        == "base is 1.0, expected a number greater than 1, at most 1000000000000000.0")
  }

  /// The corners of the accepted range: nothing overflows, nothing is not a number.
  @Test func `accepted parameters give finite tables`() {
    let corners = [RoPEParameters.magnitudes.lowerBound, 1, RoPEParameters.magnitudes.upperBound]
    for seed in 0..<3000 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      func pick() -> Double { corners.randomElement(using: &random) ?? 1 }
      let scalings: [RoPEScaling] = [
        .linear(factor: pick()), .ntkAware(alpha: pick()),
        .dynamicNTK(factor: pick(), originalContextLength: pick(), sequenceLength: pick()),
        .ntkByParts(factor: pick(), originalContextLength: pick(), alpha: pick(), beta: pick()),
        .yarn(
          YaRN(
            factor: pick(), originalContextLength: pick(), betaFast: pick(), betaSlow: pick(),
            truncate: .random(using: &random))),
        .llama3(
          factor: pick(), lowFrequencyFactor: pick(), highFrequencyFactor: pick(), originalContextLength: pick()),
        .longrope(factors: [pick(), pick()]), .proportional(factor: pick(), headDimension: 8),
      ]
      let bases: [Double] = [Double(1).nextUp, 2, RoPEParameters.magnitudes.upperBound]
      let parameters = RoPEParameters(
        base: bases.randomElement(using: &random) ?? 2, rotaryDimension: 4,
        scaling: scalings.randomElement(using: &random) ?? .none)
      let table = FrequencyTable(parameters)
      let floats = FrequencyTable.float32InverseFrequencies(parameters)
      #expect(table.inverseFrequencies.allSatisfy { $0.isFinite }, "seed \(seed): \(parameters)")
      #expect(floats.allSatisfy { $0.isFinite }, "seed \(seed): \(parameters)")
    }
  }
}
