/// A norm over a row: root mean square or layer norm, with its weights.
struct Normalisation {
  var kind: AttentionFamily.Norm
  /// One for each element; all elements have the weight 1 when empty.
  var weight: [Float]
  /// One for each element, or empty.
  var bias: [Float]
  var epsilon: Double

  /// Normalises each row of `values`; sums in double, everything else in float32 in the order of the runtimes.
  ///
  /// ```
  /// y = (x − mean) * Float(1 / √(mean square of x − mean + epsilon)) * weight + bias    without mean for the first kind
  /// ```
  func apply(to values: inout [Float], width: Int) {
    for start in stride(from: 0, to: values.count, by: width) {
      let row = start..<start + width
      if kind == .meanAndVariance {
        let mean = Float(values[row].reduce(0) { $0 + Double($1) } / Double(width))
        for i in row { values[i] -= mean }
      }
      let factor = factor(squares: values[row].reduce(0) { $0 + Double($1) * Double($1) }, count: width)
      for i in row { values[i] *= factor }
      for (i, weight) in zip(row, weight) { values[i] *= weight }
      for (i, bias) in zip(row, bias) { values[i] += bias }
    }
  }

  /// What rows with this sum of squares are multiplied with.
  func factor(squares: Double, count: Int) -> Float {
    Float(1 / (squares / Double(count) + epsilon).squareRoot())
  }
}
