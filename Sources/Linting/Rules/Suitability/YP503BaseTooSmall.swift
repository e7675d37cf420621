import ModelConfig
import RoPE
import Runtimes

extension Rule {
  static let baseTooSmall = Rule(
    "YP503", "base too small for the target (theory)", severity: "note",
    checks: """
      The first distance at which the sum of cosines of the effective frequencies turns negative, against a quarter of \
      the window. Distances beyond 100000, or beyond what eight million cosines reach, are not searched.
      """,
    why: """
      Up to that distance, random attention prefers similar keys to others; beyond it the preference is lost, and a low \
      perplexity no longer means that the model finds what stands far back. It is a bound from theory: models that work \
      violate it, so this is a note and never more. Base 10000 with head 128 reaches 1707 tokens, base 1000000 reaches \
      27115, and with YaRN ×4 66234.
      """,
    example: #"{"rope_theta": 10000.0, "head_dim": 128, "max_position_embeddings": 32768}"#,
    remedy: """
      Test retrieval at the distances you serve before you rely on them. Raising the base without training helps the \
      bound and not the model.
      """,
    exceptions: """
      Heads of which only a part rotates, and latent attention: what does not rotate keeps the sum positive. A first \
      negative distance between 100000 and a quarter of a very long window goes unseen.
      """,
    sources: ["arXiv 2405.14591", "`yarn-patch verify --attention full`, which measures the distance"]
  ) { model in
    model.files.compactMap { file in
      guard let declaration = file.declaration, !declaration.usesLatentAttention, let base = declaration.base,
        let head = declaration.headDimension?.value, head == declaration.rotaryDimension?.value,
        let reading = file.readings(of: .formula).first, let table = reading.table,
        let window = reading.contextLength ?? declaration.contextLength?.value, window >= 4
      else { return nil }
      // Linting thousands of models stays fast: at most some milliseconds for each.
      let limit = min(window / 4 - 1, 100_000, (1 << 23) / max(table.inverseFrequencies.count, 1))
      guard let distance = model.distances.firstNegativeDistance(of: table, upTo: limit) else { return nil }
      return Finding(
        .note, at: base.place,
        """
        Theory suggests weak discrimination beyond about \(distance) tokens for base \(plain(base.value)) and head \
        \(head)\(declaration.scalingKind.map { " with \($0) scaling" } ?? ""), a fraction of the window of \(window). \
        Working models exceed the bound; test retrieval at the distances you serve.
        """,
        expected: "at least \(window / 4)", actual: "\(distance)")
    }
  }
}
