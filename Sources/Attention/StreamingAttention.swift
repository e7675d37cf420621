import CAttention

/// What one query's attention comes to over the keys that it saw.
package struct AttentionResult: Sendable, Equatable {
  /// Natural logarithm of the sum of `exp(logit)`: a key's weight is `exp(logit - logSumExp)`. -∞ before the first key.
  package var logSumExp: Double
  /// Entropy of the weights in nats: the logarithm of how many equal keys would spread attention as far.
  package var entropy: Double
  /// -∞ before the first key.
  package var largestLogit: Double
  /// The weighted mean of the values.
  package var output: [Double]
}

/// Something is not finite: an element of a query, a key or a value, or a product of such that float32 cannot hold.
package struct NonFiniteAttention: Error, Equatable {
  package enum Place: Sendable { case logit, output }
  /// Index of the first query that met it.
  package var query: Int
  package var place: Place
}

/// Attention of some queries over keys that arrive in order, a piece at a time, in float32.
///
/// Queries that look at the same keys belong together: of all heads of a group, at all sampled positions. They are
/// computed 32 at a time; keys and values are read and forgotten, so any number of them needs no more memory than the
/// pieces they come in. Results are the same bits in every run on one processor, and differ in the last ones with the
/// instruction set and the sizes of the pieces.
package struct StreamingAttention: Sendable {
  /// The longest head that the kernel takes, in lanes; no model's comes near.
  package static let longestHead = Int(CATTENTION_MAXIMUM_DIMENSION)

  package let keyDimension: Int
  package let valueDimension: Int
  /// Keys that each query may see: those at `0..<visibleKeys`, so one more than its position when it is causal.
  package let visibleKeys: [Int]
  package let softmaxScale: Double
  /// Keys that have arrived.
  package private(set) var keyCount = 0

  private let queries: [Float]
  private let instructions: InstructionSet
  private var blocks: [QueryBlock] = []

  /// - Parameters:
  ///   - queries: `[visibleKeys.count][keyDimension]`, turned.
  ///   - valueDimension: 0 when only weights are of interest.
  ///   - softmaxScale: Multiplies the products of queries and keys.
  /// - Returns: `nil` when a head is empty or longer than ``longestHead``, or `queries` has another size.
  package init?(
    queries: [Float], keyDimension: Int, valueDimension: Int = 0, visibleKeys: [Int], softmaxScale: Double,
    instructions: InstructionSet = .widest
  ) {
    guard (1...Self.longestHead).contains(keyDimension), (0...Self.longestHead).contains(valueDimension),
      queries.count == visibleKeys.count * keyDimension
    else { return nil }
    self.queries = queries
    self.keyDimension = keyDimension
    self.valueDimension = valueDimension
    self.visibleKeys = visibleKeys
    self.softmaxScale = softmaxScale
    self.instructions = instructions
    for first in stride(from: 0, to: visibleKeys.count, by: QueryBlock.lanes) {
      // The kernel takes powers of 2 instead of e.
      let elements = transposed(from: first, scale: softmaxScale / QueryBlock.logarithmOfTwo)
      blocks.append(QueryBlock(elements, visibleKeys.dropFirst(first), valueDimension: valueDimension))
    }
  }

  /// Attends to the keys that follow those before.
  ///
  /// - Parameters:
  ///   - keys: `[count][keyDimension]`, turned.
  ///   - values: `[count][valueDimension]`. All must be finite, also where no query sees them.
  package mutating func attend(to keys: Span<Float>, values: Span<Float>) {
    let count = keys.count / keyDimension
    precondition(keys.count == count * keyDimension && values.count == count * valueDimension)
    // SAFETY: the precondition and the initialiser's guard are what the kernel asks for; each array lives to the end.
    keys.withUnsafeBufferPointer { keys in
      values.withUnsafeBufferPointer { values in
        var tile = cattention_keys(
          keys: keys.baseAddress, values: values.baseAddress ?? keys.baseAddress, count: count,
          key_dimension: keyDimension, value_dimension: valueDimension)
        for index in blocks.indices {
          let visible = blocks[index].visibleKeys.map { max($0 - keyCount, 0) }
          cattention_attend(instructions.rawValue, blocks[index].elements, &tile, visible, &blocks[index].state)
        }
      }
    }
    keyCount += count
  }

  /// ``attend(to:values:)`` for a value dimension of 0.
  package mutating func attend(to keys: Span<Float>) {
    let none: [Float] = []
    attend(to: keys, values: none.span)
  }

  /// The logits of every query, whether it may see the key or not, with the keys of one piece.
  ///
  /// - Returns: `[visibleKeys.count][count]`. What is not finite is returned as it is.
  package func logits(of keys: Span<Float>) -> [[Float]] {
    let count = keys.count / keyDimension
    precondition(keys.count == count * keyDimension)
    var result: [[Float]] = []
    for first in stride(from: 0, to: visibleKeys.count, by: QueryBlock.lanes) {
      var products = [Float](repeating: 0, count: count * QueryBlock.lanes)
      // SAFETY: as above; a kernel that reads no values needs none.
      keys.withUnsafeBufferPointer { keys in
        var tile = cattention_keys(
          keys: keys.baseAddress, values: nil, count: count, key_dimension: keyDimension, value_dimension: 0)
        cattention_logits(instructions.rawValue, transposed(from: first, scale: softmaxScale), &tile, &products)
      }
      for lane in 0..<min(QueryBlock.lanes, visibleKeys.count - first) {
        result.append((0..<count).map { products[$0 * QueryBlock.lanes + lane] })
      }
    }
    return result
  }

  /// What stands after the keys so far, one for each query; more keys may follow.
  package func results() throws(NonFiniteAttention) -> [AttentionResult] {
    var results: [AttentionResult] = []
    for query in visibleKeys.indices {
      results.append(try blocks[query / QueryBlock.lanes].result(ofQuery: query))
    }
    return results
  }

  /// Up to 32 queries side by side, multiplied by the scale: `[keyDimension][32]`.
  private func transposed(from first: Int, scale: Double) -> [Float] {
    var elements = [Float](repeating: 0, count: keyDimension * QueryBlock.lanes)
    for lane in 0..<min(QueryBlock.lanes, visibleKeys.count - first) {
      for i in 0..<keyDimension {
        elements[i * QueryBlock.lanes + lane] = Float(Double(queries[(first + lane) * keyDimension + i]) * scale)
      }
    }
    return elements
  }
}
