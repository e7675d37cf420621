import RoPE

/// What a runtime loses that multiplies positions and frequencies in float32.
package struct Float32AngleError: Sendable, Equatable {
  /// The pair that turns furthest from where it should.
  package var pair: Int
  /// How far, in radians.
  package var radians: Double
}

extension FrequencyTable {
  /// The largest error over all pairs of the angle `Float(position) * Float(w)`, rounded to float32, against the exact
  /// `position * w`.
  ///
  /// Half an ulp from the product and as much from the frequency, together up to 0.06 radians at position 1 000 000.
  /// - Returns: `nil` for an empty table.
  package func float32AngleError(at position: Int) -> Float32AngleError? {
    let errors = inverseFrequencies.map { w in
      let angle = Double(Float(position) * Float(w))
      return abs((-angle).addingProduct(Double(position), w))
    }
    return errors.enumerated().max { $0.element < $1.element }.map { Float32AngleError(pair: $0, radians: $1) }
  }
}
