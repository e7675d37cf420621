extension FrequencyTable {
  /// The mean attention a random key at this distance gets, times the number of pairs: `Σ cos(distance * w_i)`.
  ///
  /// - Source: "Base of RoPE Bounds Context Length", arXiv 2405.14591.
  public func similarity(at distance: Int) -> Double {
    let m = Double(distance)
    return inverseFrequencies.reduce(0) { $0 + cosine(m * $1) }
  }

  /// Where a search for a distance ends whatever the file asks for: 16 million for 64 pairs, about half a second.
  public var longestSearchedDistance: Int { (1 << 30) / max(inverseFrequencies.count, 1) }

  /// The first distance in `0...limit` at which ``similarity(at:)`` turns negative, `nil` if there is none.
  ///
  /// A pair that prefers similar keys no longer does so at this distance. A property of the rotating part alone: where
  /// part of a head does not rotate, that part keeps the whole sum positive.
  ///
  /// Distances are taken in blocks `m ± j` around a middle `m`, with exact angles at `m` and at each `j`:
  /// ```
  /// Σ cos((m ± j) w) = Σ cos(mw) cos(jw)  ∓  Σ sin(mw) sin(jw)
  /// ```
  /// so one pass over a table of `cos(jw)` and `sin(jw)` gives two distances. Where the outcome lies within rounding of
  /// zero the sum itself decides.
  /// - Note: Looks no further than ``longestSearchedDistance``.
  public func firstNegativeDistance(upTo limit: Int) -> Int? {
    guard !inverseFrequencies.isEmpty else { return nil }
    let limit = min(limit, longestSearchedDistance)
    let block = DistanceBlock(inverseFrequencies)
    let total = inverseFrequencies.reduce(0) { $0 + abs($1) }
    var start = 0
    while start <= limit {
      let sums = block.sums(startingAt: start)
      // Both routes round each angle (half an ulp of m*w, in two places here) and each cosine.
      let largest = Double(start) + Double(DistanceBlock.width)
      let tolerance = .ulpOfOne * (2 * largest * total + 16 * Double(inverseFrequencies.count))
      for (offset, sum) in sums.prefix(limit - start + 1).enumerated() where sum < tolerance {
        if sum < -tolerance || similarity(at: start + offset) < 0 { return start + offset }
      }
      start += sums.count
    }
    return nil
  }
}

/// Sums of cosines at ``width`` consecutive distances.
private struct DistanceBlock {
  /// Distances on either side of the middle, in vectors of eight.
  static let vectorCount = 16
  static let width = 2 * 8 * vectorCount

  let inverseFrequencies: [Double]
  /// `cos((j + 1/2) w)` and `sin((j + 1/2) w)`, `j` in `0..<8 * vectorCount`, one pair after the other.
  var cosines: [SIMD8<Double>] = []
  var sines: [SIMD8<Double>] = []

  init(_ inverseFrequencies: [Double]) {
    self.inverseFrequencies = inverseFrequencies
    for w in inverseFrequencies {
      for first in stride(from: 0, to: 8 * Self.vectorCount, by: 8) {
        var angles = SIMD8<Double>()
        for lane in 0..<8 { angles[lane] = (Double(first + lane) + 0.5) * w }
        cosines.append(angles.mapped(cosine))
        sines.append(angles.mapped(sine))
      }
    }
  }

  /// The sums at `start`, `start + 1`, … in order, around a middle half-way between two distances.
  func sums(startingAt start: Int) -> [Double] {
    let middle = Double(start) + Double(Self.width / 2) - 0.5
    var even = [SIMD8<Double>](repeating: .zero, count: Self.vectorCount)
    var odd = even
    for (pair, w) in inverseFrequencies.enumerated() {
      let (c, s) = (cosine(middle * w), sine(middle * w))
      let row = pair * Self.vectorCount
      for column in 0..<Self.vectorCount {
        even[column] += c * cosines[row + column]
        odd[column] += s * sines[row + column]
      }
    }
    let before = (0..<Self.vectorCount).reversed().flatMap { column in
      (0..<8).reversed().map { (even[column] + odd[column])[$0] }
    }
    let after = (0..<Self.vectorCount).flatMap { column in (0..<8).map { (even[column] - odd[column])[$0] } }
    return before + after
  }
}

extension SIMD8<Double> {
  fileprivate func mapped(_ transform: (Double) -> Double) -> Self {
    var result = Self()
    for lane in 0..<8 { result[lane] = transform(self[lane]) }
    return result
  }
}
