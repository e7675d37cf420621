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
}
