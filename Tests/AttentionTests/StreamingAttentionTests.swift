import RoPE
import TestSupport
import Testing

@testable import Attention

/// Queries, keys and values of one key head, and what each query sees.
private struct Sample {
  var queries: [[Float]]
  var keys: [Float]
  var values: [Float]
  var visibleKeys: [Int]
  var softmaxScale: Double

  var keyDimension: Int { queries[0].count }
  var keyCount: Int { keys.count / keyDimension }
  var valueDimension: Int { values.count / keyCount }

  init(
    queries: Int, keys: Int, keyDimension: Int, valueDimension: Int, scale: Float = 1, seed: UInt64 = 1
  ) {
    var random = SeededGenerator(seed: seed)
    func elements(_ count: Int, _ scale: Float = 1) -> [Float] {
      (0..<count).map { _ in scale * .random(in: -1...1, using: &random) }
    }
    self.queries = (0..<queries).map { _ in elements(keyDimension, scale) }
    self.keys = elements(keys * keyDimension)
    self.values = elements(keys * valueDimension)
    visibleKeys = (0..<queries).map { _ in .random(in: 1...keys, using: &random) }
    visibleKeys[0] = keys
    softmaxScale = 1 / Double(keyDimension).squareRoot()
  }

  func attention(_ instructions: InstructionSet) throws -> StreamingAttention {
    try #require(
      StreamingAttention(
        queries: queries.flatMap { $0 }, keyDimension: keyDimension, valueDimension: valueDimension,
        visibleKeys: visibleKeys, softmaxScale: softmaxScale, instructions: instructions))
  }

  /// - Parameter piece: Keys handed over together.
  func results(_ instructions: InstructionSet, piece: Int = .max) throws -> [AttentionResult] {
    var attention = try attention(instructions)
    for first in stride(from: 0, to: keyCount, by: min(piece, keyCount)) {
      let last = first + min(piece, keyCount - first)
      let (k, v) = (
        keys[first * keyDimension..<last * keyDimension], values[first * valueDimension..<last * valueDimension]
      )
      attention.attend(to: k.span, values: v.span)
    }
    return try attention.results()
  }

  func reference(query: Int) throws -> ReferenceAttention {
    let seen = visibleKeys[query]
    return try #require(
      ReferenceAttention(
        query: queries[query], keys: Array(keys.prefix(seen * keyDimension)),
        values: Array(values.prefix(seen * valueDimension)), softmaxScale: softmaxScale))
  }
}

@Suite struct StreamingAttentionTests {
  /// Everything that is off by more than its bound, and the largest share of a bound that was used.
  private func failures(_ results: [AttentionResult], _ sample: Sample) throws -> (texts: [String], share: Double) {
    var texts: [String] = []
    var share = 0.0
    func compare(_ name: String, _ measured: Double, _ exact: Double, _ bound: Double) {
      let error = abs(measured - exact)
      if !(error <= bound) { texts.append("\(name): \(measured), not \(exact) ± \(bound)") }
      if bound > 0 { share = max(share, error / bound) }
    }
    for (query, result) in results.enumerated() {
      let reference = try sample.reference(query: query)
      let (exact, bounds) = (reference.result, reference.bounds)
      compare("query \(query), logSumExp", result.logSumExp, exact.logSumExp, bounds.logSumExp)
      compare("query \(query), entropy", result.entropy, exact.entropy, bounds.entropy)
      compare("query \(query), largest", result.largestLogit, exact.largestLogit, bounds.logit)
      #expect(result.output.count == exact.output.count)
      for lane in exact.output.indices {
        compare("query \(query), lane \(lane)", result.output[lane], exact.output[lane], bounds.output[lane])
      }
    }
    return (texts, share)
  }

  static let dimensions = Array(1...19) + [24, 31, 32, 33, 47, 64, 65, 80, 96, 127, 128, 192, 256]

  @Test(arguments: InstructionSet.available, dimensions)
  func `every width agrees with the reference at every head size`(instructions: InstructionSet, dimension: Int) throws {
    // The other dimension takes another remainder, and both see blocks of keys cut off everywhere.
    for keys in [1, 7 + dimension % 9, 24] {
      let sample = Sample(
        queries: 3, keys: keys, keyDimension: dimension, valueDimension: (dimension * 7) % 23, seed: UInt64(dimension))
      #expect(try failures(sample.results(instructions), sample).texts == [])
    }
  }

  @Test(arguments: InstructionSet.available, [1, 2, 8, 9, 255, 256, 257, 511, 513, 700])
  func `every number of keys and every limit agrees with the reference`(instructions: InstructionSet, keys: Int) throws
  {
    let sample = Sample(queries: 5, keys: keys, keyDimension: 5, valueDimension: 3, seed: UInt64(keys))
    let (texts, share) = try failures(sample.results(instructions), sample)
    #expect(texts == [])
    // A bound far beyond what rounding does would let faults pass.
    if keys > 8 { #expect(share > 1e-3) }
  }

  @Test(arguments: InstructionSet.available, [1, 31, 32, 33, 65])
  func `any number of queries is computed in blocks`(instructions: InstructionSet, queries: Int) throws {
    let sample = Sample(queries: queries, keys: 40, keyDimension: 8, valueDimension: 8)
    #expect(try failures(sample.results(instructions), sample).texts == [])
  }

  @Test(arguments: InstructionSet.available, [1, 3, 255, 256, 300])
  func `keys may come in pieces of any size, at any address`(instructions: InstructionSet, piece: Int) throws {
    let sample = Sample(queries: 3, keys: 613, keyDimension: 7, valueDimension: 5)
    #expect(try failures(sample.results(instructions, piece: piece), sample).texts == [])
  }

  @Test(arguments: InstructionSet.available) func `results are the same bits in every run`(
    instructions: InstructionSet
  ) throws {
    let sample = Sample(queries: 3, keys: 600, keyDimension: 20, valueDimension: 9)
    #expect(try sample.results(instructions) == sample.results(instructions))
    // Whole tiles are what the kernel makes of a long piece.
    #expect(try sample.results(instructions) == sample.results(instructions, piece: 256))
  }

  // The bound on logits of 1e4 is a few hundredths, and smaller ones have no weight at all.
  @Test(arguments: InstructionSet.available, [0, 1, 30, 1e4, 1e7, .leastNormalMagnitude / 16] as [Float])
  func `zeros, denormals and extreme logits stay within bounds`(instructions: InstructionSet, scale: Float) throws {
    var sample = Sample(queries: 4, keys: 300, keyDimension: 16, valueDimension: 6, scale: scale)
    sample.softmaxScale = 1
    #expect(try failures(sample.results(instructions), sample).texts == [])
    sample.keys = sample.keys.map { $0 * .leastNormalMagnitude }
    sample.values = sample.values.map { $0 * .leastNormalMagnitude }
    #expect(try failures(sample.results(instructions), sample).texts == [])
    sample.values = sample.values.map { _ in -0.0 }
    #expect(try failures(sample.results(instructions), sample).texts == [])
  }

  @Test(arguments: InstructionSet.available) func `one key of logit 10 000 among those of -10 000 takes all weight`(
    instructions: InstructionSet
  ) throws {
    var sample = Sample(queries: 2, keys: 500, keyDimension: 1, valueDimension: 1)
    sample.queries = [[100], [-100]]
    sample.visibleKeys = [500, 500]
    sample.softmaxScale = 1
    sample.keys = (0..<500).map { $0 == 333 ? 100 : -100 }
    sample.values = (0..<500).map { $0 == 333 ? 7 : 1 }
    let results = try sample.results(instructions)
    #expect(results[0].output == [7])
    #expect(results[0].entropy < 1e-30)
    #expect(abs(results[0].largestLogit - 10_000) < 0.002)
    #expect(abs(results[1].entropy - 6.2126) < 1e-4)
    #expect(abs(results[1].output[0] - 1) < 1e-6)
  }

  // With values 0 and 1 the output is e / (1 + e): the power function alone, over its whole range.
  @Test(arguments: InstructionSet.available) func `weights are exact to three units in the last place`(
    instructions: InstructionSet
  ) throws {
    for first in stride(from: Float(0), to: 90, by: 1.6) {
      var sample = Sample(queries: 32, keys: 2, keyDimension: 1, valueDimension: 1)
      // Logits that stay as they are when they are multiplied for powers of 2.
      let binary = (0..<32).map { first + 0.05 * Float($0) }
      sample.queries = binary.map { [-$0] }
      sample.visibleKeys = binary.map { _ in 2 }
      sample.softmaxScale = QueryBlock.logarithmOfTwo
      sample.keys = [0, 1]
      sample.values = [0, 1]
      for (x, result) in zip(binary, try sample.results(instructions)) {
        let weight = power(2, -Double(x))
        let exact = weight / (1 + weight)
        #expect(abs(result.output[0] - exact) <= 3 * Double(Float.ulpOfOne) * exact, "2^-\(x)")
      }
    }
  }

  @Test(arguments: InstructionSet.available) func `a million keys need no more than a piece of them`(
    instructions: InstructionSet
  ) throws {
    // All logits equal: a running sum in float32 would stop growing or drift.
    var attention = try #require(
      StreamingAttention(
        queries: [1, 2], keyDimension: 1, valueDimension: 1, visibleKeys: [1_000_000, 999_999], softmaxScale: 1,
        instructions: instructions))
    let keys = [Float](repeating: 0.5, count: 1000)
    let values = (0..<1000).map { $0.isMultiple(of: 2) ? 1 : 2 as Float }
    for _ in 0..<1000 { attention.attend(to: keys.span, values: values.span) }
    #expect(attention.keyCount == 1_000_000)
    let results = try attention.results()
    for (result, count) in zip(results, [1_000_000, 999_999.0]) {
      #expect(abs(result.entropy - logarithm(count)) < 1e-9)
      #expect(abs(result.logSumExp - result.largestLogit - logarithm(count)) < 1e-9)
    }
    #expect(results[0].output == [1.5])
    #expect(results[1].output[0] < 1.5)
  }

  @Test func `heads of a group share their key head`() throws {
    // Four query heads, two key heads: each pair of query heads is one attention.
    let heads = (0..<2).map { Sample(queries: 2, keys: 50, keyDimension: 8, valueDimension: 8, seed: UInt64($0)) }
    for sample in heads {
      let together = try sample.results(.widest)
      for query in 0..<2 {
        var alone = sample
        alone.queries = [sample.queries[query]]
        alone.visibleKeys = [sample.visibleKeys[query]]
        #expect(try alone.results(.widest) == [together[query]])
      }
    }
  }

  @Test(arguments: InstructionSet.available) func `logits agree with the reference`(instructions: InstructionSet) throws
  {
    for (queries, keys) in [(1, 1), (3, 20), (33, 9), (2, 300)] {
      var sample = Sample(queries: queries, keys: keys, keyDimension: 21, valueDimension: 0)
      sample.visibleKeys = sample.visibleKeys.map { _ in keys }
      let logits = try sample.attention(instructions).logits(of: sample.keys.span)
      #expect(logits.map(\.count) == sample.queries.map { _ in keys })
      for query in 0..<queries {
        let reference = try sample.reference(query: query)
        #expect(
          zip(logits[query], reference.logits).allSatisfy { abs(Double($0) - $1) <= reference.bounds.logit })
      }
    }
  }

  @Test(arguments: InstructionSet.available, [.infinity, -.infinity, .nan, .greatestFiniteMagnitude] as [Float])
  func `what is not finite is reported and never becomes a number`(instructions: InstructionSet, wrong: Float) throws {
    for keys in [10, 300] {
      let sample = Sample(queries: 3, keys: keys, keyDimension: 9, valueDimension: 9)
      var (query, key, value) = (sample, sample, sample)
      query.queries[1] = [Float](repeating: wrong, count: 9)
      query.softmaxScale = 9
      #expect(throws: NonFiniteAttention(query: 1, place: .logit)) { try query.results(instructions) }
      key.queries = key.queries.map { $0.map { $0 * 1e9 } }
      key.keys.replaceSubrange(0..<9, with: [Float](repeating: wrong, count: 9))
      #expect(throws: NonFiniteAttention(query: 0, place: .logit)) { try key.results(instructions) }
      value.values[0] = wrong
      if wrong == .greatestFiniteMagnitude {
        #expect(try value.results(instructions).allSatisfy { $0.output.allSatisfy(\.isFinite) })
      } else {
        #expect(throws: NonFiniteAttention(query: 0, place: .output)) { try value.results(instructions) }
      }
    }
  }

  @Test(arguments: InstructionSet.available) func `keys beyond a query's limit do not reach it`(
    instructions: InstructionSet
  ) throws {
    var sample = Sample(queries: 3, keys: 300, keyDimension: 4, valueDimension: 2)
    sample.visibleKeys = [3, 257, 300]
    let before = try sample.results(instructions)
    for element in 3 * 4..<300 * 4 { sample.keys[element] = .nan }
    for element in 3 * 2..<300 * 2 { sample.values[element] = 1e30 }
    sample.queries = [sample.queries[0]]
    sample.visibleKeys = [3]
    #expect(try sample.results(instructions) == [before[0]])
  }

  @Test func `before the first visible key there is nothing`() throws {
    var attention = try #require(
      StreamingAttention(queries: [1, 1], keyDimension: 1, valueDimension: 1, visibleKeys: [1, 0], softmaxScale: 1))
    let nothing = AttentionResult(logSumExp: -.infinity, entropy: 0, largestLogit: -.infinity, output: [0])
    #expect(try attention.results() == [nothing, nothing])
    let (key, value) = ([2 as Float], [3 as Float])
    attention.attend(to: key.span, values: value.span)
    let results = try attention.results()
    #expect(results[0].output == [3])
    #expect(abs(results[0].logSumExp - 2) < 1e-6)
    #expect(results[1] == nothing)
  }

  @Test func `sizes that the kernel has no room for are refused`() {
    func attention(_ key: Int, _ value: Int, queries: Int) -> StreamingAttention? {
      StreamingAttention(
        queries: [Float](repeating: 0, count: queries), keyDimension: key, valueDimension: value, visibleKeys: [1, 1],
        softmaxScale: 1)
    }
    #expect(attention(1024, 1024, queries: 2048) != nil)
    #expect(attention(1025, 1, queries: 2050) == nil)
    #expect(attention(1, 1025, queries: 2) == nil)
    #expect(attention(0, 1, queries: 0) == nil)
    #expect(attention(1, -1, queries: 2) == nil)
    #expect(attention(2, 1, queries: 3) == nil)
    #expect(ReferenceAttention(query: [1], keys: [], softmaxScale: 1) == nil)
  }

  @Test func `an output that is off by a thousandth is outside its bound`() throws {
    let sample = Sample(queries: 2, keys: 300, keyDimension: 64, valueDimension: 4)
    var results = try sample.results(.widest)
    results[1].output[2] *= 1.001
    results[0].entropy += 1e-3
    #expect(try failures(results, sample).texts.count == 2)
  }
}
