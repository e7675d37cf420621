import RoPE

/// How far rounding can take a correct rotation from the exact one, relative to the lengths before rotation.
struct RotationBounds: Equatable {
  /// Length of the error of one head turned in float32.
  var head: Double
  /// Error of a score `q·k` from heads turned in float32.
  var score: Double
  /// Error of the same score by ``ReferenceRotation``.
  var referenceScore: Double
}

extension AttentionCheck {
  /// With unit roundoff `u`, attention factor `A` and a pair `(a, b)` of length `r`:
  ///
  /// ```
  /// lane   a*c - b*s          c and s rounded, two products, one difference: three roundings on each term,
  ///                           error <= 3u (|a||c| + |b||s|) <= 3u A r            (Cauchy, c² + s² = A²)
  /// head   two lanes a pair   error <= 3√2 u A |q|
  /// score  q'·k'              two heads, and a sum with n roundings on each term:
  ///                           error <= (2 * 3√2 u + n u) A² |q| |k|
  /// ```
  ///
  /// Lanes that pass through have the factor 1, so `A` stands for the larger of both where there are any. The reference
  /// has cos and sin made of two each; ten roundings on each term are more than there are. Angles are exact products at
  /// any position, and what double arithmetic adds to cos and sin, like products of two errors, is covered by a
  /// thousandth.
  var bounds: RotationBounds {
    let rotatesWhole = 2 * table.inverseFrequencies.count == headDimension
    let a = rotatesWhole ? abs(table.attentionFactor) : max(abs(table.attentionFactor), 1)
    // Swift's ulpOfOne is twice the unit roundoff.
    let u = Double(Float.ulpOfOne) / 2
    let double = Double.ulpOfOne / 2
    let head = 3 * 2.0.squareRoot() * u
    let referenceHead = 10 * 2.0.squareRoot() * double
    let sum = Double(dotProductRoundings(count: headDimension)) * u
    let referenceSum = Double(headDimension + 1) * double
    return RotationBounds(
      head: 1.001 * a * head, score: 1.001 * a * a * (2 * head + sum),
      referenceScore: 1.001 * a * a * (2 * referenceHead + referenceSum))
  }
}
