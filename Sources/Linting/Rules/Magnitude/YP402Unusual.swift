import Agreement
import Diagnostics
import GGUF
import ModelConfig
import RoPE
import Runtimes

extension Rule {
  static let magnitudeUnusual = Rule(
    "YP402", "magnitude unusual",
    severity: "error when not above 0 or not finite; warning outside 0.5 to 2; note when it is not the automatic value",
    checks: """
      What a target multiplies cos and sin with under YaRN, after its own rules: not above 0, outside 0.5 to 2, or not \
      0.1 ln s + 1.
      """,
    why: """
      The attention scores grow with the square of the magnitude. A value of 1 switches the correction off, which some \
      publishers trained with; in other files it is left over from another factor or another model.
      """,
    example: """
      {"rope_scaling": {"rope_type": "yarn", "factor": 64.0, "original_max_position_embeddings": 4096, "attention_factor": 1.0}}
      """,
    remedy: """
      Compare with the publisher's config. For the automatic value remove `attention_factor`, `attn_factor`, `mscale` \
      and `mscale_all_dim`, or `rope.scaling.attn_factor` of a GGUF.
      """,
    exceptions: """
      Latent attention (MLA) with `mscale_all_dim` moves the correction into the softmax scale, so that another \
      magnitude is no news there; the same where the magnitude times the root of that scale is the automatic value.
      """,
    sources: ["YaRN, arXiv 2309.00071, section 3.4", "ggml-org/llama.cpp src/llama-context.cpp"]
  ) { model in
    model.configs.flatMap { config in
      config.yarnScalings.compactMap { dictionary, declaration in
        // Without a member that states it every runtime takes the formula's, but for kinds of a vendor's own.
        let spelled = MagnitudeSpelling.keys.filter { dictionary[$0] != nil }
        guard dictionary.kind != "yarn" || !spelled.isEmpty else { return nil }
        return unusual(config.readings(of: model.deployment.targets, for: dictionary), declaration) { _ in
          spelled.isEmpty
            ? "compare it with the publisher's config.json" : "remove \(spelled.map { "`\($0)`" }.listed)"
        }
      }
    }
      + model.ggufs.compactMap { gguf in
        gguf.declaration.flatMap { declaration in
          unusual(gguf.readings(of: model.deployment.targets), declaration) { automatic in
            let factor = plain(declaration.factor?.value ?? 1)
            return "type \(gguf.patching("--factor \(factor) --attention-factor \(plain(automatic))"))"
          }
        }
      }
  }

  /// - Parameter remedy: What to do for the automatic magnitude.
  private static func unusual(
    _ readings: [RuntimeReading], _ declaration: RoPEDeclaration, remedy: (Double) -> String
  ) -> Finding? {
    let judged = readings.compactMap { reading in
      severity(of: reading).map { (reading: reading, severity: $0) }
    }.filter { $0.severity > .note || declaration.mscaleAllDim == nil || !declaration.usesLatentAttention }
    guard let worst = judged.map(\.severity).max(),
      let reading = judged.first(where: { $0.severity == worst })?.reading,
      let place = place(of: declaration)
    else { return nil }
    let automatic = yarnMagnitude(factor: reading.factor ?? 1)
    let remedy = remedy(automatic)
    let verdict =
      switch worst {
      case .error: "No model can attend with that: \(remedy)"
      case .warning:
        "Attention scores become far too \((reading.table?.attentionFactor ?? 1) > 1 ? "sharp" : "flat"): \(remedy)"
      case .note: "Unless the publisher states it, \(remedy)"
      }
    return Finding(
      worst, at: place,
      "The magnitude is not the formula's \(rounded(automatic)) (\(judged.map(\.reading).magnitudes)). \(verdict).",
      expected: rounded(automatic), actual: judged.map(\.reading).magnitudes, runtimes: judged.map(\.reading).names())
  }

  private static func severity(of reading: RuntimeReading) -> Severity? {
    guard reading.kind.contains("yarn"), let table = reading.table, let factor = reading.factor else { return nil }
    let magnitude = table.attentionFactor
    guard magnitude.isFinite, magnitude > 0 else { return .error }
    let effective = magnitude * max(0, table.softmaxScaleMultiplier).squareRoot()
    guard !effective.isMagnitude(yarnMagnitude(factor: factor)) else { return nil }
    return 0.5...2 ~= magnitude ? .note : .warning
  }

  private static func place(of declaration: RoPEDeclaration) -> SourceLocation? {
    let keys = [declaration.attentionFactor, declaration.mscale, declaration.mscaleAllDim, declaration.factor]
    return keys.lazy.compactMap { $0?.place }.first
  }
}
