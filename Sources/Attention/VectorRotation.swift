import CAttention
import RoPE

/// Turns heads in float32 with the processor's vectors: what a runtime does to queries and keys.
///
/// cos and sin are products of the exact turn at every 64th position, of the turn of some eights and of that of the rest,
/// in double, rounded to float32 last: at position 1 000 000 they are as good as at position 1.
package struct VectorRotation: Sendable {
  package let table: FrequencyTable
  package let headDimension: Int
  package let pairing: RotaryPairing
  package let firstLane: Int
  private let instructions: InstructionSet
  /// `[2][8][2][pairs]`: of 0 to 7 positions, then of 0 to 7 eights; cos, then sin, without the attention factor.
  private let steps: [Double]

  private static let positionsInTable = CATTENTION_POSITIONS

  /// - Parameters:
  ///   - table: Two lanes of the head turn for each entry.
  ///   - headDimension: At least `firstLane` and two lanes for each entry.
  ///   - firstLane: Lanes before it pass through; with latent attention these are the ones without position.
  package init(
    _ table: FrequencyTable, headDimension: Int, pairing: RotaryPairing, firstLane: Int = 0,
    instructions: InstructionSet = .widest
  ) {
    precondition(firstLane >= 0 && firstLane + 2 * table.inverseFrequencies.count <= headDimension)
    self.table = table
    self.headDimension = headDimension
    self.pairing = pairing
    self.firstLane = firstLane
    self.instructions = instructions
    let plain = FrequencyTable(inverseFrequencies: table.inverseFrequencies)
    steps = [1, CATTENTION_STEPS].flatMap { length in
      (0..<CATTENTION_STEPS).flatMap { step in
        let turn = ReferenceRotation(plain, position: length * step)
        return turn.cosines + turn.sines
      }
    }
  }

  /// Turns heads in place, each group of `headsAtPosition` one position further than the one before.
  ///
  /// - Parameter heads: `[positions][headsAtPosition][headDimension]`.
  package func rotate(_ heads: inout [Float], from position: Int, headsAtPosition: Int = 1) {
    let width = headsAtPosition * headDimension
    precondition(width > 0 && heads.count.isMultiple(of: width))
    let positions = heads.count / width
    heads.withUnsafeMutableBufferPointer { rows in
      for first in stride(from: 0, to: positions, by: Self.positionsInTable) {
        let turn = ReferenceRotation(table, position: position + first)
        var group = cattention_heads(
          positions: min(Self.positionsInTable, positions - first), heads: headsAtPosition, dimension: headDimension,
          first_lane: firstLane, pairs: table.inverseFrequencies.count, adjacent: pairing == .adjacent ? 1 : 0)
        // SAFETY: the precondition makes `rows` whole groups, the initialiser's keeps all turning lanes within a head.
        cattention_rotate(
          instructions.rawValue, rows.baseAddress.map { $0 + first * width }, &group, turn.cosines + turn.sines, steps)
      }
    }
  }

  /// One head turned.
  package func rotated(_ head: [Float], at position: Int) -> [Float] {
    var result = head
    rotate(&result, from: position)
    return result
  }
}
