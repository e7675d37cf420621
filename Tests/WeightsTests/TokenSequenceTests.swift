import Testing

@testable import Weights

@Suite struct TokenSequenceTests {
  @Test func `each token is listed once, in the order of first use`() {
    let sequence = TokenSequence([5, 2, 5, 9, 2])
    #expect(sequence.distinct == [5, 2, 9])
    #expect(sequence.indices == [0, 1, 0, 2, 1])
  }

  @Test(arguments: [(0, 10), (1, 1), (1000, 7), (20_000, 128_256)])
  func `a seed gives the same tokens each time, within the vocabulary`(count: Int, vocabulary: Int) {
    let sequence = TokenSequence(seed: 1, count: count, vocabularySize: vocabulary)
    #expect(sequence.indices.count == count)
    #expect(sequence.distinct.allSatisfy { 0..<vocabulary ~= $0 })
    #expect(sequence.distinct.count <= min(TokenSequence.seededVariety, vocabulary, max(count, 1)))
    #expect(count < 1000 || sequence.distinct.count >= min(vocabulary, 3500))
    #expect(TokenSequence(seed: 1, count: count, vocabularySize: vocabulary).distinct == sequence.distinct)
    #expect(
      count < 1000 || TokenSequence(seed: 2, count: count, vocabularySize: vocabulary).indices != sequence.indices)
  }
}
