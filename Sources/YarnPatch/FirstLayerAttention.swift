/// How a model's first layer attends without its scaling and as declared, from the queries and keys that its weights
/// form.
///
/// What it shows: the true geometry of these heads at any length, for the tokens of the sequence. What it does not: later
/// layers, whose queries and keys depend on all text before them; and, with seeded tokens, language, in which equal
/// tokens stand together and far ones matter.
public struct FirstLayerAttention: Sendable {
  /// Positions that are looked at, whatever window is stated.
  public static let longestSequence = 1 << 20
  /// Tokens are pseudo-random from this seed unless they are given.
  public static let seed: UInt64 = 0x5eed
  /// Keys at a distance below this are near.
  public static let nearDistance = 32

  /// The file that declares the settings and has the weights in it or beside it.
  public var source: String
  /// Positions of the sequence.
  public var tokenCount: Int
  public var distinctTokenCount: Int
  public var hasGivenTokens: Bool
  /// Tokens that the model was trained on, as the file states it.
  public var originalContext: Int
  /// Query heads of the layer, and the sampled ones among them.
  public var headCount: Int
  public var heads: [Int]
  /// Without scaling, then as declared; one where the file declares no scaling.
  public var settings: [Setting]
  /// What limits this result further.
  public var notes: [String]

  /// The heads under one frequency table.
  public struct Setting: Sendable {
    /// `unscaled` or `declared`.
    public var name: String
    public var attentionFactor: Double
    public var softmaxScaleMultiplier: Double
    /// One for each sampled head.
    public var profiles: [AttentionProfile]
  }
}

/// Attention of sampled queries by the length that they look back on, and their logits by distance.
///
/// Logits are scaled and capped as the softmax sees them; entropies and shares are means over the queries.
public struct AttentionProfile: Sendable, Equatable {
  /// The last queries of a sequence.
  public struct Length: Sendable, Equatable {
    /// Keys that the last query sees.
    public var length: Int
    /// In nats; equal weights have `log length`.
    public var entropy: Double
    /// Weight of the keys closer than ``FirstLayerAttention/nearDistance``, 0 to 1.
    public var nearShare: Double
  }

  /// Logits of keys within a range of distances, from all queries.
  public struct Distance: Sendable, Equatable {
    public var range: Range<Int>
    public var mean: Double
    public var largest: Double
  }

  public var lengths: [Length]
  /// Doubling ranges, with an edge at the original length.
  public var distances: [Distance]
  /// Largest logit at a distance below the original length.
  public var largestInside: Double
  /// Largest logit at any other distance, `nil` when there is none.
  public var largestBeyond: Double?

  /// Means of means, and the largest of the largest.
  ///
  /// - Parameter profiles: Of the same queries, at least one.
  public init?(of profiles: [AttentionProfile]) {
    guard var result = profiles.first else { return nil }
    let count = Double(profiles.count)
    for i in result.lengths.indices {
      result.lengths[i].entropy = profiles.reduce(0) { $0 + $1.lengths[i].entropy } / count
      result.lengths[i].nearShare = profiles.reduce(0) { $0 + $1.lengths[i].nearShare } / count
    }
    for i in result.distances.indices {
      result.distances[i].mean = profiles.reduce(0) { $0 + $1.distances[i].mean } / count
      result.distances[i].largest = profiles.reduce(-.infinity) { max($0, $1.distances[i].largest) }
    }
    result.largestInside = profiles.reduce(-.infinity) { max($0, $1.largestInside) }
    result.largestBeyond = profiles.compactMap(\.largestBeyond).max()
    self = result
  }

  init(lengths: [Length], distances: [Distance], originalContext: Int) {
    (self.lengths, self.distances) = (lengths, distances)
    let beyond = distances.drop { $0.range.upperBound <= originalContext }
    largestInside = distances.dropLast(beyond.count).reduce(-.infinity) { max($0, $1.largest) }
    largestBeyond = beyond.map(\.largest).max()
  }
}
