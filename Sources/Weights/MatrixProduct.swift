import Diagnostics

extension StoredMatrix {
  /// Elements of a matrix that are in memory at once.
  private static let window = 1 << 20

  /// The products of some rows with inputs.
  ///
  /// - Parameters:
  ///   - rows: Read and decoded a window at a time.
  ///   - inputs: Any number of vectors of ``width`` elements, one after the other.
  /// - Returns: For each input as many products as rows.
  func product(_ rows: Range<Int>, with inputs: [Float]) throws(FileError) -> [Float] {
    var result = [Float](repeating: 0, count: inputs.count / width * rows.count)
    let step = max(1, Self.window / width)
    for first in stride(from: rows.lowerBound, to: rows.upperBound, by: step) {
      let part = first..<min(first + step, rows.upperBound)
      multiply(
        try self.rows(part), with: inputs, width: width, into: &result, rowStride: rows.count,
        at: first - rows.lowerBound)
    }
    return result
  }
}

/// Writes the products of every row with every input: `result[i * rowStride + first + r] = Σ inputs[i] * rows[r]`.
///
/// Each sum is formed as the dot product of `Attention` forms it, to the last bit: eight running sums, their sum by
/// halves, the elements left over. Four inputs share the loads of a row.
func multiply(
  _ rows: [Float], with inputs: [Float], width: Int, into result: inout [Float], rowStride: Int, at first: Int
) {
  let (inputCount, rowCount) = (inputs.count / width, rows.count / width)
  let (rowBytes, inputBytes) = (rows.span.bytes, inputs.span.bytes)
  for group in stride(from: 0, to: inputCount, by: 4) {
    let count = min(4, inputCount - group)
    // A group of fewer inputs repeats its last; the loop is the same.
    let starts = (pointwiseMin(SIMD4(0, 1, 2, 3), SIMD4(repeating: count - 1)) &+ group) &* width
    for row in 0..<rowCount {
      let sums = dotProducts(rowBytes, at: row * width, inputBytes, at: starts, width: width)
      for i in 0..<count { result[(group + i) * rowStride + first + row] = sums[i] }
    }
  }
}

@inline(__always)
private func dotProducts(_ row: RawSpan, at start: Int, _ inputs: RawSpan, at starts: SIMD4<Int>, width: Int)
  -> SIMD4<Float>
{
  var (a, b, c, d) = (SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero)
  let whole = width / 8 * 8
  for i in stride(from: 0, to: whole, by: 8) {
    let weights = row.eight(at: start + i)
    a += weights * inputs.eight(at: starts[0] + i)
    b += weights * inputs.eight(at: starts[1] + i)
    c += weights * inputs.eight(at: starts[2] + i)
    d += weights * inputs.eight(at: starts[3] + i)
  }
  var sums = SIMD4(a.byHalves, b.byHalves, c.byHalves, d.byHalves)
  for i in whole..<width {
    for lane in 0..<4 { sums[lane] += row.one(at: start + i) * inputs.one(at: starts[lane] + i) }
  }
  return sums
}

extension SIMD8<Float> {
  /// The sum of the lanes: of the halves, of their halves, of the two left.
  fileprivate var byHalves: Float {
    let four = lowHalf + highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }
}

extension RawSpan {
  // SAFETY: both loads check their bounds, and every bit pattern is a float.
  @inline(__always)
  fileprivate func eight(at index: Int) -> SIMD8<Float> {
    unsafeLoadUnaligned(fromByteOffset: 4 * index, as: SIMD8<Float>.self)
  }

  @inline(__always)
  fileprivate func one(at index: Int) -> Float { unsafeLoadUnaligned(fromByteOffset: 4 * index, as: Float.self) }
}
