import Attention
import ModelConfig
import RoPE
import Runtimes

/// What a fixed scaling changes for prompts that the model serves without it. The quality of answers is not measured:
/// these are the changes that attention sees.
public struct ShortPromptCost: Sendable, Equatable {
  /// Distances and lengths run up to the trained length, in tokens.
  public var length: Int
  /// Pairs that keep their frequency, are blended, and are divided by the factor; `nil` for scalings without a ramp.
  public var kept, blended, divided: Int?
  /// What logits are multiplied by at distance 0.
  public var logitScale: Double
  /// How far scores are off from those of the table that the weights were trained with.
  public var scoreChanges: [ScoreChange]
  /// Entropy of attention over ``entropyLength`` independent keys, in nats; `nil` for heads longer than the kernel takes.
  public var entropyBefore, entropyAfter: Double?
  public var entropyLength: Int

  /// - Parameters:
  ///   - reading: The scaled table with its parameters.
  ///   - trained: The table before.
  ///   - length: The longest prompt that it serves.
  init?(_ reading: RuntimeReading, trained: FrequencyTable, headDimension: Int?, length: Int) {
    guard let table = reading.table, let parameters = reading.parameters, length > 0 else { return nil }
    self.length = length
    logitScale = table.logitScale / trained.logitScale
    let distances = Set([0, length - 1] + stride(from: 0, through: 28, by: 4).map { 1 << $0 }.filter { $0 < length })
    scoreChanges = Self.changes(table, trained, at: distances.sorted())
    let bands = BandFacts(table, parameters)
    (kept, blended, divided) = (bands?.keptCount, bands?.blendedCount, bands?.interpolatedCount)
    entropyLength = min(length, Self.longestEntropy)
    guard let headDimension,
      let point = AttentionSpread(table, unscaled: trained, headDimension: headDimension, lengths: [entropyLength])?
        .points.first
    else { return }
    (entropyBefore, entropyAfter) = (point.unscaled, point.scaled)
  }

  /// The largest change within a length, of eight distances to each doubling.
  static func largestChange(_ table: FrequencyTable, trained: FrequencyTable, within length: Int) -> Double? {
    let steps = (0..<31).flatMap { power in (0..<8).map { (1 << power) + ($0 << power) / 8 } }
    return changes(table, trained, at: [0, length - 1] + steps.filter { $0 < length }).map(\.relative).max()
  }

  private static func changes(_ table: FrequencyTable, _ trained: FrequencyTable, at distances: [Int]) -> [ScoreChange]
  {
    distances.compactMap { distance in
      table.scoreChange(from: trained, ratio: table.logitScale / trained.logitScale, turn: distance)
        .map { ScoreChange(distance: distance, relative: $0) }
    }
  }

  /// Longer sequences take seconds and add a constant to both.
  private static let longestEntropy = 1 << 15
}
