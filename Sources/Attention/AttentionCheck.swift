import RoPE

/// Turns a head at a position: what the check compares with the reference.
package typealias HeadRotation = (_ head: [Float], _ position: Int) -> [Float]

/// Rotates queries and keys with a frequency table and measures what attention needs of the result.
///
/// Heads are pseudo-random and the same in every run. Distances are 0, 1, 2, 3, around each power of two, and the
/// longest; each is looked at from several positions up to the end of the context.
package struct AttentionCheck: Sendable {
  /// The longest context looked at, far beyond any model's. Positions must be exact doubles.
  package static let longestContext = 1 << 30

  package static let scoreUnit = "of |q||k|"

  package let table: FrequencyTable
  package let headDimension: Int
  package let pairing: RotaryPairing
  package let contextLength: Int

  /// - Parameters:
  ///   - table: Two lanes of the head rotate for each entry, the rest passes through.
  ///   - contextLength: Positions run from 0 to one less; cut to ``longestContext``.
  /// - Returns: `nil` when the table is empty or holds more pairs than the head, or the context has no position.
  package init?(_ table: FrequencyTable, headDimension: Int, pairing: RotaryPairing, contextLength: Int) {
    guard !table.inverseFrequencies.isEmpty, headDimension <= RoPEParameters.maximumDimension, contextLength >= 1,
      table.inverseFrequencies.count <= headDimension / 2
    else { return nil }
    self.table = table
    self.headDimension = headDimension
    self.pairing = pairing
    self.contextLength = min(contextLength, Self.longestContext)
  }

  /// Measures our own float32 rotation.
  package func measurements() -> [CheckMeasurement] {
    let rotation = VectorRotation(table, headDimension: headDimension, pairing: pairing)
    return measurements(query: rotation.rotated, key: rotation.rotated)
  }

  /// Measures a rotation of queries and one of keys, in this order: scores against the reference, the reference's
  /// and the given rotation's dependence on distance alone, lengths, and the turn at position 0.
  ///
  /// Scores are without a softmax scale and relative to the lengths of query and key before rotation; a measurement
  /// that is not a number does not hold.
  package func measurements(query rotateQuery: HeadRotation, key rotateKey: HeadRotation) -> [CheckMeasurement] {
    var (difference, referenceSpread, spread, lengthError) = (Largest(), Largest(), Largest(), Largest())
    var random = HeadGenerator()
    for distance in samples(upTo: contextLength - 1) {
      let (q, k) = (random.head(headDimension), random.head(headDimension))
      let norm = length(q) * length(k)
      var first: (reference: Double, score: Double)?
      for keyPosition in samples(upTo: contextLength - 1 - distance, sparse: true) {
        let (turnedQuery, turnedKey) = (rotateQuery(q, keyPosition + distance), rotateKey(k, keyPosition))
        let score = Double(dotProduct(turnedQuery, turnedKey)) / norm
        let reference =
          dotProduct(referenceTurn(q, keyPosition + distance), referenceTurn(k, keyPosition)) / norm
        difference.add(score - reference)
        referenceSpread.add(reference - (first?.reference ?? reference))
        spread.add(score - (first?.score ?? score))
        lengthError.add((length(turnedQuery) - expectedLength(q)) / length(q))
        lengthError.add((length(turnedKey) - expectedLength(k)) / length(k))
        if first == nil { first = (reference, score) }
      }
    }
    var turnAtZero = Largest()
    turnAtZero.add(self.turnAtZero(rotateQuery, random.head(headDimension)))
    turnAtZero.add(self.turnAtZero(rotateKey, random.head(headDimension)))
    let (bounds, unit) = (bounds, Self.scoreUnit)
    return [
      CheckMeasurement(
        "attention", "scores agree with the double reference", measured: difference.value, bound: bounds.score,
        unit: unit),
      // From the first position to any other: two errors of one evaluation each.
      CheckMeasurement(
        "reference-distance", "the reference depends on distance alone", measured: referenceSpread.value,
        bound: 2 * bounds.referenceScore, unit: unit),
      CheckMeasurement(
        "attention-distance", "scores depend on distance alone", measured: spread.value, bound: 2 * bounds.score,
        unit: unit),
      CheckMeasurement(
        "length", "a rotation only multiplies lengths by the attention factor", measured: lengthError.value,
        bound: bounds.head, unit: unit),
      CheckMeasurement(
        "position-0", "position 0 does not turn", measured: turnAtZero.value, bound: bounds.head, unit: unit),
    ]
  }

  private func referenceTurn(_ head: [Float], _ position: Int) -> [Double] {
    ReferenceRotation(table, position: position).applied(to: head.map { Double($0) }, pairing)
  }

  /// Distance, relative to the head, between the head turned at position 0 and the head with its rotating lanes
  /// multiplied by the attention factor.
  private func turnAtZero(_ rotate: HeadRotation, _ head: [Float]) -> Double {
    let difference = zip(unturned(head), rotate(head, 0)).map { $0 - Double($1) }
    return dotProduct(difference, difference).squareRoot() / length(head)
  }

  private func expectedLength(_ head: [Float]) -> Double {
    let lanes = unturned(head)
    return dotProduct(lanes, lanes).squareRoot()
  }

  private func unturned(_ head: [Float]) -> [Double] {
    let rotating = 2 * table.inverseFrequencies.count
    return head.enumerated().map { Double($1) * ($0 < rotating ? table.attentionFactor : 1) }
  }

  private func length(_ head: [Float]) -> Double { squaredLength(head).squareRoot() }

  /// 0, the powers of two with both neighbours (when sparse, every fourth power alone), and `limit`.
  private func samples(upTo limit: Int, sparse: Bool = false) -> [Int] {
    let powers = stride(from: 0, to: 31, by: sparse ? 4 : 1).map { 1 << $0 }
    let all = sparse ? powers : powers.flatMap { [$0 - 1, $0, $0 + 1] }
    return Set([0, limit] + all.filter { $0 <= limit }).sorted()
  }
}
