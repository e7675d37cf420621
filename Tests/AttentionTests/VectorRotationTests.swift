import RoPE
import TestSupport
import Testing

@testable import Attention

@Suite struct VectorRotationTests {
  static let headDimensions = Array(stride(from: 2, through: 72, by: 2)) + [80, 96, 128, 192, 256]

  private func table(pairs: Int, attentionFactor: Double = 1.25) -> FrequencyTable {
    FrequencyTable(
      RoPEParameters(base: 10_000, rotaryDimension: 2 * pairs, attentionFactor: attentionFactor))
  }

  /// One lane after the other, by the definition.
  private func plain(_ head: [Float], _ turn: VectorRotation, _ pairing: RotaryPairing) -> [Float] {
    var result = head
    for pair in turn.cosines.indices {
      let (i, j) =
        pairing == .adjacent ? (2 * pair, 2 * pair + 1) : (pair, pair + turn.cosines.count)
      result[i] = head[i] * turn.cosines[pair] - head[j] * turn.sines[pair]
      result[j] = head[j] * turn.cosines[pair] + head[i] * turn.sines[pair]
    }
    return result
  }

  // Swift never fuses a product and a sum by itself, so the same operations give the same bits.
  @Test(arguments: headDimensions, RotaryPairing.allCases)
  func `vectors turn as single lanes do, to the last bit`(headDimension: Int, pairing: RotaryPairing) {
    var random = SeededGenerator(seed: UInt64(headDimension))
    let wholeAndPart = Set([headDimension, headDimension / 2, headDimension - 2, 2]).filter { $0 >= 2 }
    for rotaryDimension in wholeAndPart {
      let turn = VectorRotation(table(pairs: rotaryDimension / 2), position: .random(in: 0...131_071, using: &random))
      for scale in [0, 1, 1e4, Float.leastNormalMagnitude / 16] as [Float] {
        let head = (0..<headDimension).map { _ in scale * .random(in: -1...1, using: &random) }
        let turned = turn.applied(to: head, pairing)
        #expect(turned == plain(head, turn, pairing), "rotary dimension \(rotaryDimension), scale \(scale)")
        #expect(turned.allSatisfy { $0.isFinite })
        let kept = (2 * turn.cosines.count)...
        #expect(turned[kept] == head[kept])
      }
    }
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
    let head: [Double] = pairing == .adjacent ? [1, 0, 5, 7, 9] : [1, 5, 0, 7, 9]
    let expected: [Double] = pairing == .adjacent ? [0, 2, 10, 14, 9] : [0, 10, 2, 14, 9]
    let turned = turn.applied(to: head, pairing)
    #expect(zip(turned, expected).allSatisfy { abs($0 - $1) < 1e-15 })
    let vector = VectorRotation(table, position: 3).applied(to: head.map { Float($0) }, pairing)
    #expect(zip(vector, expected).allSatisfy { abs(Double($0) - $1) < 1e-6 })
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
