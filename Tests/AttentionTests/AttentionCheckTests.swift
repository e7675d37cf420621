import RoPE
import TestSupport
import Testing

@testable import Attention

@Suite struct AttentionCheckTests {
  static let yarn = RoPEParameters(
    base: 1e6, rotaryDimension: 128, scaling: .yarn(YaRN(factor: 4, originalContextLength: 32_768)),
    attentionFactor: yarnMagnitude(factor: 4))

  /// Positions among the measurements of those that fail: scores, reference distance, distance, length, position 0.
  private func failures(_ measurements: [CheckMeasurement]) -> [Int] {
    measurements.indices.filter { !measurements[$0].holds }
  }

  private func check(
    _ parameters: RoPEParameters = yarn, head: Int? = nil, pairing: RotaryPairing = .halves, context: Int = 4096
  ) throws -> AttentionCheck {
    let table = FrequencyTable(parameters)
    let head = head ?? 2 * table.inverseFrequencies.count
    return try #require(AttentionCheck(table, headDimension: head, pairing: pairing, contextLength: context))
  }

  private func rotation(
    _ table: FrequencyTable, pairing: RotaryPairing = .halves, shift: Int = 0
  ) -> HeadRotation {
    let rotation = VectorRotation(
      table, headDimension: 2 * table.inverseFrequencies.count, pairing: pairing)
    return { rotation.rotated($0, at: $1 + shift) }
  }

  @Test(arguments: RotaryPairing.allCases, [1, 2, 3, 131_072])
  func `a right table passes with room, and not because nothing is measured`(pairing: RotaryPairing, context: Int)
    throws
  {
    let measured = try check(pairing: pairing, context: context).measurements()
    #expect(measured.count == 5)
    #expect(failures(measured).isEmpty)
    #expect(measured[0].measured > 0)
    // A bound much wider than what rounding does would let small faults pass.
    #expect(measured.allSatisfy { $0.bound < 1e-5 })
    if context > 3 { #expect(measured[0].measured > measured[0].bound / 100) }
  }

  @Test func `right tables of all kinds pass`() throws {
    let scalings: [RoPEScaling] = [
      .none, .linear(factor: 8), .ntkAware(alpha: 8), .proportional(factor: 1, headDimension: 96),
      .dynamicNTK(factor: 2, originalContextLength: 2048, sequenceLength: 8192),
      .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: 8192),
      .longrope(factors: (1...10).map { Double($0) }),
    ]
    for scaling in scalings {
      let parameters = RoPEParameters(base: 10_000, rotaryDimension: 20, scaling: scaling, attentionFactor: 1.19)
      for (head, pairing) in [(nil, .adjacent), (nil, .halves), (104, .adjacent), (99, .halves)]
        as [(Int?, RotaryPairing)]
      {
        let measured = try check(parameters, head: head, pairing: pairing, context: 2_000).measurements()
        #expect(failures(measured).isEmpty, "\(scaling), head \(head ?? 0)")
      }
    }
    var none = Self.yarn
    none.attentionFactor = 0
    #expect(failures(try check(none, context: 100).measurements()).isEmpty)
  }

  @Test func `the attention factor on queries alone is reported`() throws {
    let check = try check()
    var plain = check.table
    plain.attentionFactor = 1
    let measured = check.measurements(query: rotation(check.table), key: rotation(plain))
    #expect(failures(measured) == [0, 3, 4])
  }

  @Test func `keys with the other pairing are reported`() throws {
    let check = try check()
    let measured = check.measurements(
      query: rotation(check.table), key: rotation(check.table, pairing: .adjacent))
    #expect(failures(measured) == [0, 2])
  }

  @Test func `both heads with the other pairing are reported`() throws {
    let check = try check()
    let other = rotation(check.table, pairing: .adjacent)
    #expect(failures(check.measurements(query: other, key: other)) == [0])
  }

  @Test func `a base that is off by a hundredth is reported`() throws {
    let check = try check()
    var parameters = Self.yarn
    parameters.base *= 1.01
    let wrong = rotation(FrequencyTable(parameters))
    #expect(failures(check.measurements(query: wrong, key: wrong)) == [0])
    #expect(failures(check.measurements(query: rotation(check.table), key: wrong)) == [0, 2])
  }

  @Test func `queries that count positions from 1 are reported`() throws {
    let check = try check()
    let measured = check.measurements(query: rotation(check.table, shift: 1), key: rotation(check.table))
    #expect(failures(measured) == [0, 4])
  }

  @Test func `one frequency that is off by a millionth is reported at long distances`() throws {
    let check = try check(context: 131_072)
    var wrong = check.table
    wrong.inverseFrequencies[5] *= 1 + 1e-6
    #expect(failures(check.measurements(query: rotation(wrong), key: rotation(wrong))) == [0])
  }

  @Test func `angles rounded to float32 are reported at long distances`() throws {
    let check = try check(context: 131_072)
    let rounded: HeadRotation = { head, position in
      let angles = check.table.inverseFrequencies.map { Double(Float(position) * Float($0)) }
      let table = FrequencyTable(inverseFrequencies: angles, attentionFactor: check.table.attentionFactor)
      return ReferenceRotation(table, position: 1).applied(to: head.map { Double($0) }, .halves).map { Float($0) }
    }
    #expect(failures(check.measurements(query: rounded, key: rounded)) == [0, 2])
  }

  @Test func `results that are not numbers do not hold`() throws {
    let check = try check(context: 10)
    let nothing: HeadRotation = { head, _ in head.map { _ in .nan } }
    #expect(failures(check.measurements(query: nothing, key: nothing)) == [0, 2, 3, 4])
    let table = FrequencyTable(inverseFrequencies: [1, .nan])
    let unusable = AttentionCheck(table, headDimension: 4, pairing: .halves, contextLength: 10)
    #expect(unusable.map { failures($0.measurements()) } == [0, 1, 2, 3, 4])
    var huge = Self.yarn
    huge.attentionFactor = 1e15
    huge.rotaryDimension = 2
    huge.scaling = .none
    #expect(failures(try self.check(huge, context: 10).measurements()).isEmpty)
  }

  @Test func `what cannot be checked is refused`() {
    let table = FrequencyTable(inverseFrequencies: [1, 0.1])
    func check(_ table: FrequencyTable, _ head: Int, _ context: Int) -> AttentionCheck? {
      AttentionCheck(table, headDimension: head, pairing: .halves, contextLength: context)
    }
    #expect(check(FrequencyTable(inverseFrequencies: []), 4, 10) == nil)
    #expect(check(table, 3, 10) == nil)
    #expect(check(table, .max, 10) == nil)
    #expect(check(table, .min, 10) == nil)
    #expect(check(table, 4, 0) == nil)
    #expect(check(table, 4, .max)?.contextLength == AttentionCheck.longestContext)
    #expect(check(table, 4, .max).map { failures($0.measurements()) } == [])
  }

  @Test func `the samples are the same every time`() throws {
    let check = try check(context: 50)
    #expect(check.measurements() == check.measurements())
  }
}
