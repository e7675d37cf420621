import Agreement
import Attention

/// How far attention by the tables of some runtimes lies from that by others' for the same queries and keys.
public struct AttentionDifference: Sendable, Equatable {
  /// Alike among themselves within rounding, as are ``others``.
  public var runtimes: [String], others: [String]
  public var layerType: String?
  /// The length at which it was seen, `nil` where the tables do not depend on it.
  public var sequenceLength: Int?
  /// In tokens; where logits are furthest apart.
  public var distance: Int
  /// Of logits whose standard deviation is 2 without any attention factor; not a number where a table holds none.
  public var logit: Double
  /// Largest difference in a lane of the output of attention over keys at many distances, with values in -1..<1.
  public var output: Double

  init(
    _ one: RuntimeAgreement.Group, _ other: RuntimeAgreement.Group, _ difference: TableDifference,
    in comparison: RuntimeAgreement.Comparison
  ) {
    (runtimes, others) = (one.runtimes, other.runtimes)
    (layerType, sequenceLength) = (comparison.layerType, comparison.sequenceLength)
    (distance, logit, output) = (difference.largest.distance, difference.largest.logit, difference.output)
  }

  /// Whether another one is of the same runtimes and layers.
  func isAlike(_ other: Self) -> Bool {
    (runtimes, others, layerType) == (other.runtimes, other.others, other.layerType)
  }

  var summary: String {
    func rounded(_ value: Double) -> Float { Float((value * 1000).rounded() / 1000) }
    let layer = layerType.map { " in \($0) layers" } ?? ""
    let names = "\(runtimes.joined(separator: ", ")) and of \(others.joined(separator: ", "))\(layer)"
    guard logit.isFinite else { return "logits of \(names) cannot be compared: some are no numbers" }
    return "logits of \(names) differ by up to \(rounded(logit)) where their spread is"
      + " \(Int(AttentionSpread.spread)), most at a distance of \(distance) tokens\(sequenceLength.map { " in a sequence of \($0)" } ?? "");"
      + " outputs by up to \(rounded(output))"
  }
}
