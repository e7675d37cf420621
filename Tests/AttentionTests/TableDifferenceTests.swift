import RoPE
import TestSupport
import Testing

@testable import Attention

@Suite struct TableDifferenceTests {
  static let table = FrequencyTable(
    RoPEParameters(base: 10_000, rotaryDimension: 64, attentionFactor: 1.1, softmaxScaleMultiplier: 1.3))
  static let rounding = TableDifference.Rounding(frequency: 1e-6, factor: 1e-6)

  private func difference(_ change: (inout FrequencyTable) -> Void) throws -> TableDifference {
    var other = Self.table
    change(&other)
    return try #require(TableDifference(Self.table, other, window: 131_072, rounding: Self.rounding))
  }

  @Test func `a table differs from itself in nothing`() throws {
    let difference = try difference { _ in }
    #expect(difference.points.allSatisfy { $0.logit == 0 } && difference.output == 0)
    #expect(difference.points.map(\.distance).last == 131_071)
  }

  @Test func `rounding in every frequency and factor stays within the bound, which grows with the distance`() throws {
    let rounded = try difference { table in
      table.inverseFrequencies = table.inverseFrequencies.map { $0 * (1 + 1e-6) }
      table.attentionFactor *= 1 + 1e-6
      table.softmaxScaleMultiplier *= 1 + 1e-6
    }
    #expect(rounded.points.allSatisfy { $0.logit > 0 && $0.logit <= $0.bound })
    let bounds = rounded.points.map(\.bound)
    #expect(bounds.last ?? 0 > 100 * bounds[0])
  }

  @Test func `a hundredth in one frequency shows far away, one in the factor everywhere`() throws {
    let turned = try difference { $0.inverseFrequencies[8] *= 1.01 }
    #expect(turned.points[0].logit == 0)
    #expect(try #require(turned.nearest).logit > turned.nearest?.bound ?? .infinity)
    #expect(turned.largest.distance > 100)
    let scaled = try difference { $0.attentionFactor *= 1.01 }
    #expect(scaled.points.prefix(4).allSatisfy { $0.logit > $0.bound })
    #expect(scaled.output > 0)
  }

  @Test func `tables of other widths are compared, empty ones are not`() throws {
    let narrow = FrequencyTable(inverseFrequencies: [1, 0.1])
    let empty = FrequencyTable(inverseFrequencies: [])
    #expect(TableDifference(Self.table, narrow, window: .max, rounding: Self.rounding)?.largest.logit ?? 0 > 0)
    #expect(TableDifference(empty, empty, window: 8, rounding: Self.rounding) == nil)
    #expect(TableDifference(narrow, narrow, window: 0, rounding: Self.rounding) == nil)
  }

  @Test func `a table that holds no numbers is told from one that is far off`() throws {
    #expect(try difference { $0.attentionFactor = .nan }.largest.logit.isNaN)
    #expect(try difference { $0.inverseFrequencies[2] = .nan }.largest.logit.isNaN)
  }
}
