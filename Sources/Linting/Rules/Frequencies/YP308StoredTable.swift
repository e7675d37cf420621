import Diagnostics
import ModelConfig
import RoPE
import Runtimes

extension Rule {
  static let storedTable = Rule(
    "YP308", "stored frequency buffer contradicts the config",
    severity: "error; note when it matches only the table before scaling, or only the one after it",
    checks: """
      Whether the buffers in the weights, inverse frequencies (`…rotary_emb.inv_freq`) or the first rows of cosines and \
      sines (`…rotary_emb.cos_cached`, `sin_cached`), are those of the declared base, with or without the declared scaling.
      """,
    why: """
      Old loaders take the stored buffer, new ones compute their own: with different values the model depends on who \
      loads it. A buffer that was never initialised is finite and wrong.
      """,
    example: "model.layers.0.self_attn.rotary_emb.inv_freq made for base 10000 beside {\"rope_theta\": 1000000.0}",
    remedy: """
      Find out which base the weights were trained with and state it (`yarn-patch patch MODEL --base B --factor F`); save \
      the weights again with a current transformers to drop the buffers.
      """,
    exceptions: """
      Weights without such buffers; buffers of vision and audio towers. Differences within the stored type's rounding do \
      not count. Of caches the first 16 positions are compared, of the first 64 caches.
      """,
    sources: ["EleutherAI/gpt-neox PR 1168", "huggingface/transformers issue 45902", "pytorch/torchtitan issue 4783"]
  ) { model in
    let stored = (model.storedTables.map(Stored.init) + model.storedCaches.map(Stored.init))
      .filter { !TensorShapes.isOfTower($0.place.key ?? "") }
    guard !stored.isEmpty else { return [] }
    return model.configs.compactMap { config in
      // Without a base or a width there is nothing to compare with, which YP301 and YP303 say.
      let tables = config.readings(of: .formula).compactMap { reading in
        reading.table.map { (scaled: $0, plain: reading.unscaledTable) }
      }
      guard !tables.isEmpty else { return nil }
      let wrong = stored.filter { stored in !tables.contains { stored.matches($0.plain) || stored.matches($0.scaled) } }
      if let first = wrong.first { return neither(first, wrong.count, config) }
      let half = stored.filter { stored in !tables.contains { stored.matches($0.plain) && stored.matches($0.scaled) } }
      return half.first.map { first in one(first, half.count, isPlain: tables.contains { first.matches($0.plain) }) }
    }
  }

  /// A buffer of either kind.
  private struct Stored {
    let place: SourceLocation
    let matches: (FrequencyTable) -> Bool
    let contents: String
    var table: StoredTable?

    init(_ table: StoredTable) {
      (place, matches, self.table) = (table.inverseFrequencies.place, table.matches, table)
      contents = "\(table.inverseFrequencies.value.count) stored frequencies"
    }

    init(_ cache: StoredCache) {
      (place, matches, contents) = (cache.values.place, cache.matches, "stored cosines or sines")
    }
  }

  private static func neither(_ stored: Stored, _ count: Int, _ config: LintedConfig) -> Finding {
    let tables = [stored.table].compactMap(\.self)
    let problems = config.declaration.map { BaseReport($0, stored: tables, path: config.path).problems } ?? []
    let difference =
      problems.first { $0.code == .storedTableDisagrees }
      .map { ": \($0.found), expected \($0.expected)" } ?? ""
    return finding(
      .error, stored, count,
      """
      matches neither the declared frequencies nor those before scaling\(difference). Old loaders take the buffer, new \
      ones config.json: find out which one the weights were trained with, and drop the buffers by saving the weights again
      """)
  }

  private static func one(_ stored: Stored, _ count: Int, isPlain: Bool) -> Finding {
    finding(
      .note, stored, count,
      """
      holds the frequencies \(isPlain ? "before" : "after") scaling: old loaders that take it run \
      \(isPlain ? "unscaled" : "scaled, or scale twice"). Save the weights again with a current transformers to drop it
      """)
  }

  private static func finding(_ severity: Severity, _ stored: Stored, _ count: Int, _ text: String) -> Finding {
    let others = count > 1 ? " (and \(count - 1) other\(count > 2 ? "s" : ""))" : ""
    return Finding(
      severity, at: stored.place,
      "The stored buffer \(stored.place.key ?? "")\(others) \(text).",
      expected: "the declared frequencies, or no buffer",
      actual: stored.contents)
  }
}
