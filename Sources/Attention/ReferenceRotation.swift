import RoPE

/// The rotation at one position, one lane after the other in double precision: slow, plain, and what the rest is
/// compared with.
package struct ReferenceRotation: Sendable {
  /// One value for each pair, times the attention factor.
  package let cosines: [Double]
  package let sines: [Double]

  package init(_ table: FrequencyTable, position: Int) {
    let turns = table.inverseFrequencies.map { Self.turn(position: Double(position), $0) }
    cosines = turns.map { $0.cosine * table.attentionFactor }
    sines = turns.map { $0.sine * table.attentionFactor }
  }

  /// cos and sin of the exact product `position * frequency`, not of the product rounded to a double: the rounding of
  /// an angle of 100 000 radians alone would cost five digits.
  private static func turn(position: Double, _ frequency: Double) -> (cosine: Double, sine: Double) {
    let angle = position * frequency
    let rest = (-angle).addingProduct(position, frequency)
    let (c, s) = (cosine(angle), sine(angle))
    let (dc, ds) = (cosine(rest), sine(rest))
    return (c * dc - s * ds, s * dc + c * ds)
  }

  /// The head turned; lanes that belong to no pair pass through.
  ///
  /// - Parameters:
  ///   - head: At least two lanes for each pair from `firstLane` on.
  ///   - firstLane: Lanes before it pass through; with latent attention these are the ones without position.
  package func applied(to head: [Double], _ pairing: RotaryPairing, firstLane: Int = 0) -> [Double] {
    var result = head
    for (pair, (c, s)) in zip(cosines, sines).enumerated() {
      let lanes = pairing.lanes(ofPair: pair, rotaryDimension: 2 * cosines.count)
      let (i, j) = (firstLane + lanes.0, firstLane + lanes.1)
      result[i] = head[i] * c - head[j] * s
      result[j] = head[j] * c + head[i] * s
    }
    return result
  }
}

/// The sum of the products, in order.
package func dotProduct(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
}
