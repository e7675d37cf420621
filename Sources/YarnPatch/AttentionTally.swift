import Attention

/// Sums up the logits of one head's queries, key by key.
struct AttentionTally {
  /// Position of each query.
  let positions: [Int]
  private let originalContext: Int
  private var softmaxes: [RunningSoftmax]
  private var buckets: [(sum: Double, count: Int, largest: Double)] = []

  /// - Parameter sink: A score that takes part in each softmax beside those of the keys.
  init(positions: [Int], originalContext: Int, sink: Float?) {
    (self.positions, self.originalContext) = (positions, originalContext)
    var softmax = RunningSoftmax()
    if let sink { softmax.add(Double(sink)) }
    softmaxes = positions.map { _ in softmax }
  }

  /// - Parameter distance: From key to query, 0 for the query's own position.
  mutating func add(_ logit: Double, query: Int, distance: Int) {
    softmaxes[query].add(logit, isSelected: distance < FirstLayerAttention.nearDistance)
    let index = bucket(of: distance)
    while buckets.count <= index { buckets.append((0, 0, -.infinity)) }
    buckets[index].sum += logit
    buckets[index].count += 1
    buckets[index].largest = max(buckets[index].largest, logit)
  }

  /// - Parameter lengths: With as many queries each, in the order of ``positions``.
  func profile(lengths: [Int]) -> AttentionProfile {
    let perLength = positions.count / lengths.count
    let end = (positions.max() ?? 0) + 1
    let distances = buckets.enumerated().filter { $0.element.count > 0 }.map { index, bucket in
      AttentionProfile.Distance(
        range: firstDistance(ofBucket: index)..<min(firstDistance(ofBucket: index + 1), end),
        mean: bucket.sum / Double(bucket.count), largest: bucket.largest)
    }
    return AttentionProfile(
      lengths: lengths.enumerated().map { index, length in
        let queries = softmaxes[index * perLength..<(index + 1) * perLength]
        return AttentionProfile.Length(
          length: length, entropy: queries.reduce(0) { $0 + $1.entropy } / Double(perLength),
          nearShare: queries.reduce(0) { $0 + $1.selectedShare } / Double(perLength))
      }, distances: distances, originalContext: originalContext)
  }

  // MARK: buckets

  /// 0, 1, 2–3, 4–7, …; the one that holds the original length inside it is split there.
  private func bucket(of distance: Int) -> Int {
    Self.octave(of: distance) + (splitsOctave && distance >= originalContext ? 1 : 0)
  }

  private func firstDistance(ofBucket index: Int) -> Int {
    func start(_ octave: Int) -> Int { octave == 0 ? 0 : 1 << (octave - 1) }
    let split = Self.octave(of: originalContext)
    return splitsOctave && index > split ? index == split + 1 ? originalContext : start(index - 1) : start(index)
  }

  private var splitsOctave: Bool { originalContext & (originalContext - 1) != 0 }

  private static func octave(of distance: Int) -> Int { Int.bitWidth - distance.leadingZeroBitCount }
}
