import RoPE

/// One query's attention, one key after the other in double precision: slow, plain, and what the kernel is compared
/// with.
package struct ReferenceAttention: Sendable {
  /// One for each key that the query sees.
  package let logits: [Double]
  /// The softmax of the logits.
  package let weights: [Double]
  package let result: AttentionResult
  /// How far a correct float32 evaluation may be from ``result``.
  package let bounds: AttentionBounds

  /// - Parameters:
  ///   - query: Turned, as are the keys.
  ///   - keys: `[count][query.count]`, as the query sees them: one more than its position when it is causal.
  ///   - values: `[count][values.count / count]`.
  /// - Returns: `nil` without a key.
  package init?(query: [Float], keys: [Float], values: [Float] = [], softmaxScale: Double) {
    guard !query.isEmpty, keys.count >= query.count else { return nil }
    let count = keys.count / query.count
    let valueDimension = values.count / count
    var rounding = Rounding(keyDimension: query.count, keyCount: count)
    var logits: [Double] = []
    for key in 0..<count {
      var (sum, magnitude, length) = (0.0, 0.0, 0.0)
      for i in query.indices {
        let element = Double(keys[key * query.count + i])
        let product = Double(query[i]) * element * softmaxScale
        sum += product
        magnitude += abs(product)
        length += abs(element)
      }
      logits.append(sum)
      rounding.addLogit(sumOfMagnitudes: magnitude, keyLength: length)
    }
    let largest = logits.reduce(-.infinity, max)
    let exponentials = logits.map { exponential($0 - largest) }
    let sum = exponentials.reduce(0, +)
    let weights = exponentials.map { $0 / sum }

    var output = [Double](repeating: 0, count: valueDimension)
    var magnitudes = output
    for key in 0..<count {
      for i in 0..<valueDimension {
        let value = Double(values[key * valueDimension + i])
        output[i] += weights[key] * value
        magnitudes[i] += weights[key] * abs(value)
        rounding.addValue(value)
      }
    }
    let depth = zip(weights, logits).reduce(0) { $0 + $1.0 * (largest - $1.1) }
    self.logits = logits
    self.weights = weights
    result = AttentionResult(
      logSumExp: largest + logarithm(sum), entropy: logarithm(sum) + depth, largestLogit: largest, output: output)
    bounds = rounding.bounds(depth: depth, range: largest - logits.reduce(.infinity, min), outputMagnitudes: magnitudes)
  }
}
