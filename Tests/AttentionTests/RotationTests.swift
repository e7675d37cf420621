import RoPE
import TestSupport
import Testing

@testable import Attention

@Suite struct RotationTests {
  private func table(pairs: Int, attentionFactor: Double = 1.25) -> FrequencyTable {
    FrequencyTable(
      RoPEParameters(base: 10_000, rotaryDimension: 2 * pairs, attentionFactor: attentionFactor))
  }

  /// The pairs of one head by the reference, and how far three roundings on each of two terms can take a lane from it.
  private func expected(
    _ head: [Float], _ rotation: VectorRotation, at position: Int
  ) -> (lanes: [Double], bounds: [Double]) {
    let turn = ReferenceRotation(rotation.table, position: position)
    let head = head.map { Double($0) }
    let lanes = turn.applied(to: head, rotation.pairing, firstLane: rotation.firstLane)
    var bounds = [Double](repeating: 0, count: head.count)
    for pair in turn.cosines.indices {
      let (i, j) = rotation.pairing.lanes(ofPair: pair, rotaryDimension: 2 * turn.cosines.count)
      for lane in [i, j].map({ $0 + rotation.firstLane }) {
        let magnitude =
          (abs(head[rotation.firstLane + i]) + abs(head[rotation.firstLane + j])) * rotation.table.attentionFactor
        // Denormal results lose up to the smallest number in each of three operations.
        bounds[lane] = 3.01 * Double(Float.ulpOfOne) / 2 * magnitude + 3 * Double(Float.leastNonzeroMagnitude)
      }
    }
    return (lanes, bounds)
  }

  // Pairs around the widths of all vectors, whole and partial rotation, lanes before the turning ones that shift every
  // address, several heads at a position, more positions than one table of turns covers.
  @Test(arguments: InstructionSet.available, RotaryPairing.allCases)
  func `vectors turn as the reference does`(instructions: InstructionSet, pairing: RotaryPairing) {
    let sizes = [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 36, 48, 64, 128, 515]
    for (index, pairs) in sizes.enumerated() {
      var random = SeededGenerator(seed: UInt64(pairs))
      let (firstLane, behind, heads) = ([0, 1, 3, 128][index % 4], [0, 1, 5][index % 3], [1, 2, 3][index % 3])
      let rotation = VectorRotation(
        table(pairs: pairs), headDimension: firstLane + 2 * pairs + behind, pairing: pairing, firstLane: firstLane,
        instructions: instructions)
      let position = Int.random(in: 0...1_000_000, using: &random)
      let positions = pairs == 9 ? 131 : 2
      for scale in [0, 1, 1e4, Float.leastNormalMagnitude / 16] as [Float] {
        let input = (0..<positions * heads * rotation.headDimension).map { _ in
          scale * .random(in: -1...1, using: &random)
        }
        var output = input
        rotation.rotate(&output, from: position, headsAtPosition: heads)
        for head in Set([0, heads - 1, heads, positions * heads - 1]).union(
          stride(from: 5, to: positions * heads, by: 11))
        {
          let lanes = head * rotation.headDimension..<(head + 1) * rotation.headDimension
          let (expected, bounds) = expected(Array(input[lanes]), rotation, at: position + head / heads)
          let errors = zip(output[lanes], expected).map { abs(Double($0) - $1) }
          #expect(zip(errors, bounds).allSatisfy { $0 <= $1 }, "\(pairs) pairs, scale \(scale), head \(head)")
        }
      }
    }
  }

  @Test(arguments: InstructionSet.available) func `position a million is as exact as position 1`(
    instructions: InstructionSet
  ) {
    let rotation = VectorRotation(
      table(pairs: 64, attentionFactor: 1), headDimension: 128, pairing: .halves, instructions: instructions)
    let head = [Float](repeating: 1, count: 64) + [Float](repeating: 0, count: 64)
    for position in [1, 1_000_000, 1 << 30] {
      // A head of ones and zeros becomes the cosines, then the sines.
      let turn = ReferenceRotation(rotation.table, position: position)
      let errors = zip(rotation.rotated(head, at: position), turn.cosines + turn.sines).map { abs(Double($0) - $1) }
      #expect(errors.allSatisfy { $0 <= Double(Float.ulpOfOne) / 4 * 1.001 }, "position \(position)")
    }
  }

  @Test func `what float32 angles lose is what their ulp says`() throws {
    let table = table(pairs: 64)
    #expect(table.float32AngleError(at: 0)?.radians == 0)
    let error = try #require(table.float32AngleError(at: 1_000_000))
    #expect(0.02 < error.radians && error.radians < 0.0625)
    #expect(1..<10 ~= error.pair)
    // A third is between two floats: the frequency is off by a third of an ulp, the product by its own rounding.
    let third = FrequencyTable(inverseFrequencies: [1 / 3.0])
    #expect(third.float32AngleError(at: 3).map { $0.radians } ?? 1 < 1e-7)
    #expect(FrequencyTable(inverseFrequencies: []).float32AngleError(at: 1) == nil)
  }

  @Test(arguments: 0...72) func `a dot product agrees with one in double precision`(count: Int) {
    let lengths = count < 72 ? [count] : [72, 80, 96, 128, 192, 256]
    for (count, scale) in lengths.flatMap({ length in
      [0, 1, 1e4, .leastNormalMagnitude / 16].map { (length, $0 as Float) }
    }) {
      var random = SeededGenerator(seed: UInt64(count))
      let a = (0..<count).map { _ in scale * .random(in: -1...1, using: &random) }
      let b = (0..<count).map { _ in scale * .random(in: -1...1, using: &random) }
      let exact = dotProduct(a.map { Double($0) }, b.map { Double($0) })
      let magnitude = dotProduct(a.map { abs(Double($0)) }, b.map { abs(Double($0)) })
      let roundings = Double(dotProductRoundings(count: count))
      // Products of denormals vanish; each loses at most half the smallest number.
      let vanishing = Double(count) * Double(Float.leastNonzeroMagnitude)
      let bound = roundings * Double(Float.ulpOfOne) / 2 * magnitude + vanishing
      #expect(abs(Double(dotProduct(a, b)) - exact) <= bound, "count \(count), scale \(scale)")
    }
  }

  @Test(arguments: RotaryPairing.allCases) func `the reference turns a known pair`(pairing: RotaryPairing) {
    // Position 3 at a twelfth of a turn a position is a quarter turn; the second pair stays.
    let table = FrequencyTable(inverseFrequencies: [.pi / 6, 0], attentionFactor: 2)
    let turn = ReferenceRotation(table, position: 3)
    let head: [Double] = pairing == .adjacent ? [8, 1, 0, 5, 7, 9] : [8, 1, 5, 0, 7, 9]
    let expected: [Double] = pairing == .adjacent ? [8, 0, 2, 10, 14, 9] : [8, 0, 10, 2, 14, 9]
    let turned = turn.applied(to: head, pairing, firstLane: 1)
    #expect(zip(turned, expected).allSatisfy { abs($0 - $1) < 1e-15 })
  }

  // Angles near a million radians, against mpmath at 50 digits: the double frequency times the position, exactly.
  @Test(arguments: [
    (0.8058421877614819, 1_048_575, -0.34291886516164294, -0.939365025917109),
    (0.123456789, 131_071, -0.7391642850630495, 0.6735251737591037),
    (1.0, 1_000_003, -0.8779864915850029, 0.4786854087960669),
  ]) func `the reference is exact at long distances`(frequency: Double, position: Int, c: Double, s: Double) {
    let turn = ReferenceRotation(FrequencyTable(inverseFrequencies: [frequency]), position: position)
    #expect(abs(turn.cosines[0] - c) < 4e-16)
    #expect(abs(turn.sines[0] - s) < 4e-16)
  }
}
