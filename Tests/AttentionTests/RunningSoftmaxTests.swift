import RoPE
import TestSupport
import Testing

@testable import Attention

@Suite struct RunningSoftmaxTests {
  @Test(arguments: [0.1, 1, 30, 1e4]) func `sums that follow the largest logit are those of the whole`(
    scale: Double
  ) throws {
    let seed = UInt64(scale * 10)
    var random = SeededGenerator(seed: seed)
    let logits = (0..<500).map { _ in scale * .random(in: -1...1, using: &random) }
    let largest = try #require(logits.max())
    let weights = logits.map { exponential($0 - largest) }
    let sum = weights.reduce(0, +)
    let entropy = weights.reduce(0) { $1 > 0 ? $0 - $1 / sum * logarithm($1 / sum) : $0 }
    let selected = stride(from: 0, to: 500, by: 7).reduce(0) { $0 + weights[$1] } / sum
    // In the order of arrival, rising and falling.
    for order in [
      Array(logits.indices), logits.indices.sorted { logits[$0] < logits[$1] },
      logits.indices.sorted { logits[$0] > logits[$1] },
    ] {
      var softmax = RunningSoftmax()
      for index in order { softmax.add(logits[index], isSelected: index.isMultiple(of: 7)) }
      #expect(abs(softmax.entropy - entropy) <= 1e-11 * max(entropy, 1), "seed \(seed)")
      #expect(abs(softmax.selectedShare - selected) <= 1e-11, "seed \(seed)")
    }
  }

  @Test func `before the first logit there is nothing to spread`() {
    let softmax = RunningSoftmax()
    #expect((softmax.entropy, softmax.selectedShare) == (0, 0))
  }

  @Test func `equal logits spread as far as their number`() {
    var softmax = RunningSoftmax()
    for i in 0..<8 { softmax.add(-700, isSelected: i < 2) }
    #expect(abs(softmax.entropy - logarithm(8.0)) <= 1e-15)
    #expect(softmax.selectedShare == 0.25)
  }
}
