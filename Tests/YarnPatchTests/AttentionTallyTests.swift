import RoPE
import Testing

@testable import YarnPatch

@Suite struct AttentionTallyTests {
  /// Logits that tell their distance.
  private func profile(positions: [Int], original: Int, lengths: [Int], sink: Float? = nil) -> AttentionProfile {
    var tally = AttentionTally(positions: positions, originalContext: original, sink: sink)
    for (query, position) in positions.enumerated() {
      for distance in 0...position { tally.add(-Double(distance), query: query, distance: distance) }
    }
    return tally.profile(lengths: lengths)
  }

  @Test(arguments: [
    (1, 1, [0]), (8, 8, [0, 1, 2, 4]), (9, 8, [0, 1, 2, 4, 8]), (13, 11, [0, 1, 2, 4, 8, 11]),
    (13, 100, [0, 1, 2, 4, 8]),
    (20, 12, [0, 1, 2, 4, 8, 12, 16]), (3, 1, [0, 1, 2]), (6, 3, [0, 1, 2, 3, 4]),
  ]) func `ranges of distances double, with an edge at the original length`(
    length: Int, original: Int, starts: [Int]
  ) {
    let distances = profile(positions: [length - 1], original: original, lengths: [length]).distances
    #expect(distances.map(\.range.lowerBound) == starts)
    #expect(distances.map(\.range.upperBound) == starts.dropFirst() + [length])
    for distance in distances {
      #expect(distance.largest == -Double(distance.range.lowerBound))
      #expect(abs(distance.mean + Double(distance.range.lowerBound + distance.range.upperBound - 1) / 2) <= 1e-12)
    }
  }

  @Test func `what lies at the original length is beyond it`() {
    let profile = profile(positions: [11, 40], original: 10, lengths: [12, 41])
    #expect(profile.largestInside == 0)
    #expect(profile.largestBeyond == -10)
    #expect(self.profile(positions: [9], original: 10, lengths: [10]).largestBeyond == nil)
  }

  @Test func `entropies and near shares are means over the queries of a length`() {
    var tally = AttentionTally(positions: [62, 63], originalContext: 64, sink: nil)
    for query in 0...1 {
      // The second query sees its own position alone.
      for distance in 0..<63 { tally.add(query == 0 || distance == 0 ? 0 : -1e4, query: query, distance: distance) }
    }
    let length = tally.profile(lengths: [64]).lengths[0]
    #expect(abs(length.entropy - logarithm(63.0) / 2) <= 1e-12)
    #expect(abs(length.nearShare - (32 / 63.0 + 1) / 2) <= 1e-12)
  }

  @Test func `a sink takes its share`() {
    var tally = AttentionTally(positions: [0], originalContext: 1, sink: 2)
    tally.add(2, query: 0, distance: 0)
    let length = tally.profile(lengths: [1]).lengths[0]
    #expect(length.nearShare == 0.5)
    #expect(abs(length.entropy - logarithm(2.0)) <= 1e-15)
  }

  @Test func `a summary has the means of the heads and the largest of all`() throws {
    let heads = [10, 20].map { profile(positions: [39], original: $0, lengths: [40]) }
    let same = try #require(AttentionProfile(of: [heads[0], heads[0]]))
    #expect(same == heads[0])
    #expect(AttentionProfile(of: []) == nil)
    var other = heads[0]
    (other.lengths[0].entropy, other.distances[0].largest, other.largestBeyond) = (3, 9, 7)
    let both = try #require(AttentionProfile(of: [heads[0], other]))
    #expect(both.lengths[0].entropy == (heads[0].lengths[0].entropy + 3) / 2)
    #expect((both.distances[0].largest, both.largestBeyond) == (9, 7))
  }
}
