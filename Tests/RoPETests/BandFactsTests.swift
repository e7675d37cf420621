import RoPE
import TestSupport
import Testing

@Suite struct BandFactsTests {
  static let qwen = RoPEParameters(
    base: 1e6, rotaryDimension: 128, scaling: .yarn(YaRN(factor: 4, originalContextLength: 32_768)))

  /// Positions in ``BandFacts/checks`` of those that fail.
  private func failures(_ table: FrequencyTable, _ parameters: RoPEParameters = qwen, tolerance: Double = 1e-12) throws
    -> [Int]
  {
    let facts = try #require(BandFacts(table, parameters, tolerance: tolerance))
    return facts.checks.indices.filter { !facts.checks[$0].holds }
  }

  @Test func `a healthy ramp keeps 24 pairs, blends 16 and interpolates 24`() throws {
    let facts = try #require(BandFacts(FrequencyTable(Self.qwen), Self.qwen))
    #expect([facts.keptCount, facts.blendedCount, facts.interpolatedCount] == [24, 16, 24])
    #expect(facts.checks.count == 5)
    #expect(facts.checks.allSatisfy { $0.holds })
  }

  @Test func `random healthy tables of both widths pass`() throws {
    for seed in 0..<100 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      let parameters = RoPEParameters(
        base: .random(in: 1e4...1e7, using: &random), rotaryDimension: 2 * .random(in: 8...128, using: &random),
        scaling: .yarn(.random(using: &random)))
      let floats = FrequencyTable.float32InverseFrequencies(parameters).map { Double($0) }
      #expect(try failures(FrequencyTable(parameters), parameters).isEmpty, "seed \(seed)")
      let table = FrequencyTable(inverseFrequencies: floats)
      #expect(try failures(table, parameters, tolerance: 1e-6).isEmpty, "seed \(seed)")
    }
  }

  @Test func `each law reports the table that breaks it`() throws {
    let good = FrequencyTable(Self.qwen)
    var table = good
    table.inverseFrequencies[3] *= 1 + 1e-9
    #expect(try failures(table) == [0, 2])
    table = good
    table.inverseFrequencies[60] *= 1 - 1e-9
    #expect(try failures(table) == [1, 2])
    table = good
    table.inverseFrequencies.swapAt(30, 31)
    #expect(try failures(table) == [2])
    table = good
    table.inverseFrequencies[50] *= 1.01
    #expect(try failures(table) == [1, 2, 3])
    table = good
    table.inverseFrequencies[50] = .nan
    #expect(try failures(table) == [1, 2, 3])
  }

  @Test func `the table of another scaling is no YaRN table`() throws {
    var linear = Self.qwen
    linear.scaling = .linear(factor: 4)
    #expect(try failures(FrequencyTable(linear)) == [0])
    var plain = Self.qwen
    plain.scaling = .none
    #expect(try failures(FrequencyTable(plain)) == [1, 3])
    #expect(BandFacts(FrequencyTable(linear), linear) == nil)
  }

  @Test func `betas in the wrong order break the promise`() throws {
    var parameters = Self.qwen
    parameters.scaling = .yarn(YaRN(factor: 4, originalContextLength: 32_768, betaFast: 1, betaSlow: 32))
    #expect(try failures(FrequencyTable(parameters), parameters).contains(2))
  }

  @Test func `factor 1 passes with nothing to tell apart`() throws {
    var parameters = Self.qwen
    parameters.scaling = .yarn(YaRN(factor: 1, originalContextLength: 32_768))
    #expect(try failures(FrequencyTable(parameters), parameters).isEmpty)
  }

  @Test func `a table of another length has no facts`() {
    #expect(BandFacts(FrequencyTable(inverseFrequencies: [1, 0.5]), Self.qwen) == nil)
  }
}
