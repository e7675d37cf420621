/// Families whose files state a window that is not the length they were trained on.
package struct KnownLength: Sendable {
  package var families: Set<String>
  package var statedWindow: Int
  package var trainedLength: Int
  package var source: String

  /// - Source: the model cards named in each entry.
  package static let all = [
    KnownLength(
      families: ["qwen3", "qwen3_moe", "qwen3moe"], statedWindow: 40960, trainedLength: 32768,
      source: "Qwen3 model cards: 32768 tokens trained, 8192 more reserved for output")
  ]

  package static func of(family: String?, statedWindow: Int?) -> KnownLength? {
    guard let family, let statedWindow else { return nil }
    return all.first { $0.families.contains(family) && $0.statedWindow == statedWindow }
  }
}
