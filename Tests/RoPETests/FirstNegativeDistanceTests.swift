import RoPE
import TestSupport
import Testing

@Suite struct FirstNegativeDistanceTests {
  // Measured apart from this package, by direct summation.
  static let known: [(RoPEParameters, Int)] = [
    (RoPEParameters(base: 1e4, rotaryDimension: 128), 1_707),
    (RoPEParameters(base: 5e5, rotaryDimension: 128), 18_438),
    (RoPEParameters(base: 1e6, rotaryDimension: 128), 27_115),
    (yarn(1e6, 128, factor: 2, original: 32_768), 49_727),
    (yarn(1e6, 128, factor: 4, original: 32_768), 66_234),
    (yarn(1e4, 128, factor: 32, original: 4_096), 25_500),
    (yarn(1.5e5, 64, factor: 32, original: 4_096), 65_713),
    (yarn(1e4, 64, factor: 40, original: 4_096), 4_119),
    (yarn(5e4, 64, factor: 64, original: 4_096), 55_584),
  ]

  static func yarn(_ base: Double, _ d: Int, factor: Double, original: Double) -> RoPEParameters {
    let yarn = YaRN(factor: factor, originalContextLength: original)
    return RoPEParameters(base: base, rotaryDimension: d, scaling: .yarn(yarn))
  }

  @Test(arguments: known) func `well-known settings turn negative where they are known to`(
    parameters: RoPEParameters, distance: Int
  ) {
    let table = FrequencyTable(parameters)
    #expect(table.firstNegativeDistance(upTo: distance + 300) == distance)
    #expect(table.firstNegativeDistance(upTo: distance) == distance)
    #expect(table.firstNegativeDistance(upTo: distance - 1) == nil)
    #expect(table.similarity(at: distance) < 0 && table.similarity(at: distance - 1) >= 0)
  }

  @Test func `random tables agree with the direct sum`() {
    for seed in 0..<60 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      let pairs = Int.random(in: 1...24, using: &random)
      let base = Double.random(in: 2...50_000, using: &random)
      var table = FrequencyTable(RoPEParameters(base: base, rotaryDimension: 2 * pairs))
      // Pairs that do not rotate, or not evenly spread.
      for pair in 0..<pairs where Int.random(in: 0..<5, using: &random) == 0 {
        table.inverseFrequencies[pair] = [0, 3.1, 0.5].randomElement(using: &random) ?? 0
      }
      let limit = Int.random(in: 0...1_500, using: &random)
      let direct = (0...limit).first { table.similarity(at: $0) < 0 }
      #expect(table.firstNegativeDistance(upTo: limit) == direct, "seed \(seed)")
    }
  }

  // cos(m * pi/2) is zero up to rounding at each odd m: the direct sum has the last word on the sign.
  @Test func `sums within rounding of zero are decided by the direct sum`() {
    for turn in [Double.pi / 2, .pi / 6, .pi / 10] {
      let table = FrequencyTable(inverseFrequencies: [turn, 0])
      let single = FrequencyTable(inverseFrequencies: [turn])
      #expect(table.firstNegativeDistance(upTo: 5_000) == (0...5_000).first { table.similarity(at: $0) < 0 })
      #expect(single.firstNegativeDistance(upTo: 5_000) == (0...5_000).first { single.similarity(at: $0) < 0 })
    }
  }

  @Test func `hostile limits and tables end`() {
    #expect(FrequencyTable(inverseFrequencies: []).firstNegativeDistance(upTo: .max) == nil)
    #expect(FrequencyTable(inverseFrequencies: [1]).firstNegativeDistance(upTo: -1) == nil)
    #expect(FrequencyTable(inverseFrequencies: [1]).firstNegativeDistance(upTo: .max) == 2)
    #expect(FrequencyTable(inverseFrequencies: [.nan]).firstNegativeDistance(upTo: 3_000) == nil)
    let wide = FrequencyTable(inverseFrequencies: .init(repeating: 0, count: 32_768))
    #expect(wide.longestSearchedDistance == 32_768)
  }
}
