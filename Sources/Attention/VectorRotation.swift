import RoPE

/// The rotation at one position in float32, eight pairs at a time: what a runtime does, and the portable twin of it.
package struct VectorRotation: Sendable {
  /// One value for each pair, times the attention factor, rounded from double.
  package let cosines: [Float]
  package let sines: [Float]

  package init(_ table: FrequencyTable, position: Int) {
    let angles = table.inverseFrequencies.map { Double(position) * $0 }
    cosines = angles.map { Float(cosine($0) * table.attentionFactor) }
    sines = angles.map { Float(sine($0) * table.attentionFactor) }
  }

  /// The head turned; lanes from twice the number of pairs on pass through.
  ///
  /// - Parameter head: At least two lanes for each pair.
  package func applied(to head: [Float], _ pairing: RotaryPairing) -> [Float] {
    var result = head
    let vectors = cosines.count / 8
    for first in stride(from: 0, to: 8 * vectors, by: 8) {
      let c = cosines.vector(at: first, of: SIMD8.self)
      let s = sines.vector(at: first, of: SIMD8.self)
      switch pairing {
      case .adjacent:
        let lanes = head.vector(at: 2 * first, of: SIMD16.self)
        var turned = lanes
        turned.evenHalf = lanes.evenHalf * c - lanes.oddHalf * s
        turned.oddHalf = lanes.oddHalf * c + lanes.evenHalf * s
        result.store(turned, at: 2 * first)
      case .halves:
        let low = head.vector(at: first, of: SIMD8.self)
        let high = head.vector(at: first + cosines.count, of: SIMD8.self)
        result.store(low * c - high * s, at: first)
        result.store(high * c + low * s, at: first + cosines.count)
      }
    }
    for pair in 8 * vectors..<cosines.count {
      let (i, j) = pairing.lanes(ofPair: pair, rotaryDimension: 2 * cosines.count)
      result[i] = head[i] * cosines[pair] - head[j] * sines[pair]
      result[j] = head[j] * cosines[pair] + head[i] * sines[pair]
    }
    return result
  }
}

/// The sum of the products: eight running sums, their sum by halves, then the lanes left over.
///
/// No sum goes through more than ``dotProductRoundings(count:)`` roundings.
package func dotProduct(_ a: [Float], _ b: [Float]) -> Float {
  let count = min(a.count, b.count)
  var sums = SIMD8<Float>.zero
  for first in stride(from: 0, to: count / 8 * 8, by: 8) {
    sums += a.vector(at: first, of: SIMD8.self) * b.vector(at: first, of: SIMD8.self)
  }
  let four = sums.lowHalf + sums.highHalf
  let two = four.lowHalf + four.highHalf
  var sum = two[0] + two[1]
  for lane in count / 8 * 8..<count { sum += a[lane] * b[lane] }
  return sum
}

/// The longest chain of roundings in ``dotProduct(_:_:)-(_,[Float])``: a product, a running sum, three halvings, the
/// lanes left over.
func dotProductRoundings(count: Int) -> Int { 1 + count / 8 + 3 + count % 8 }

extension [Float] {
  fileprivate func vector<V: SIMD & BitwiseCopyable>(at index: Int, of _: V.Type) -> V where V.Scalar == Float {
    // SAFETY: the load checks its bounds, and every bit pattern is a float.
    span.bytes.unsafeLoadUnaligned(fromByteOffset: 4 * index, as: V.self)
  }

  fileprivate mutating func store<V: SIMD & BitwiseCopyable>(_ vector: V, at index: Int) where V.Scalar == Float {
    var lanes = mutableSpan
    var bytes = lanes.mutableBytes
    bytes.storeBytes(of: vector, toByteOffset: 4 * index, as: V.self)
  }
}
