import Attention
import ModelConfig
import RoPE
import Runtimes

/// What attention comes to by distance and by length, before scaling and after, for one kind of layer of one file.
public struct AttentionCurves: Sendable, Equatable {
  /// Logit of a key that equals the query, of what it is without rotation and scaling.
  public struct Logit: Sendable, Equatable {
    /// In tokens.
    public var distance: Int
    public var unscaled, scaled: Double
  }

  /// Entropy of attention over that many keys, in nats; see ``AttentionSpread`` for the keys.
  public struct Entropy: Sendable, Equatable {
    public var length: Int
    public var unscaled, withoutFactor, scaled: Double
  }

  /// The file, with the kind of layer where it has several.
  public var place: String
  /// In tokens; what the model saw in training, and what it is to serve.
  public var trainedLength, window: Int
  public var logits: [Logit] = []
  /// Up to a million tokens.
  public var entropies: [Entropy] = []
  /// `nil` where the table does not depend on the sequence's length.
  public var cachedKeys: CachedKeys?

  /// - Parameter longestSequence: Keys over which entropies are taken at most.
  init?(
    _ reading: RuntimeReading, _ declaration: RoPEDeclaration, window: Int, place: String,
    longestSequence: Int = AttentionSpread.longestSequence
  ) {
    guard let table = reading.table, let parameters = reading.parameters, let head = declaration.headDimension?.value
    else { return nil }
    self.place = place
    self.window = window
    // Dynamic and linear scaling state the trained window alone.
    trainedLength = min(
      reading.originalContext.flatMap { Int(exactly: $0) } ?? declaration.contextLength?.value ?? window, window)
    let plain = FrequencyTable(parameters.unscaled)
    let scale = table.attentionFactor * table.attentionFactor * table.softmaxScaleMultiplier
    let pairs = Double(table.inverseFrequencies.count)
    logits = Self.distances(upTo: window - 1).map { distance in
      Logit(
        distance: distance, unscaled: plain.similarity(at: distance) / pairs,
        scaled: scale * table.similarity(at: distance) / pairs)
    }
    let spread = AttentionSpread(
      table, unscaled: plain, headDimension: head,
      lengths: Self.lengths(
        upTo: min(window, longestSequence, AttentionSpread.longestSequence), with: trainedLength))
    entropies = (spread?.points ?? []).map {
      Entropy(length: $0.length, unscaled: $0.unscaled, withoutFactor: $0.withoutFactor, scaled: $0.scaled)
    }
    cachedKeys = CachedKeys(reading, declaration)
  }

  /// Eight to each doubling.
  private static func distances(upTo limit: Int) -> [Int] {
    let steps = stride(from: 0.0, through: 30, by: 0.125).map {
      Int(exponential($0 * logarithm(2 as Double)).rounded())
    }
    return Set([0, limit] + steps.filter { $0 <= limit }).sorted()
  }

  /// Powers of two from 128 on, the trained length and the window: 16 at most, as the kernel takes them.
  private static func lengths(upTo limit: Int, with trained: Int) -> [Int] {
    let powers = (7...20).map { 1 << $0 }.filter { $0 < limit }
    return Set(powers + [min(trained, limit), limit]).sorted()
  }

  /// The entropy at the window with and without the attention factor, against the trained length's.
  var dilution: String? {
    guard let last = entropies.last, let trained = entropies.first(where: { $0.length == trainedLength }),
      last.length > trained.length
    else { return nil }
    func nats(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
    return "attention over \(last.length) independent keys has an entropy of \(nats(last.scaled)) nats,"
      + " \(nats(last.withoutFactor)) without the attention factor; over the trained \(trained.length) of"
      + " \(nats(trained.unscaled))"
  }
}
