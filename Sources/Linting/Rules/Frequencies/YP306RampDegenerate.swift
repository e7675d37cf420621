import ModelConfig
import RoPE
import Runtimes

extension Rule {
  static let rampDegenerate = Rule(
    "YP306", "ramp degenerate", severity: "warning",
    checks: """
      Whether some pair is fast enough for YaRN's ramp to leave it alone, some slow enough to be interpolated fully, and \
      the bounds of the ramp differ.
      """,
    why: """
      Without a kept pair YaRN is plain interpolation, without an interpolated one it extends nothing; both come from a \
      wrong original length or base, seldom from the betas. A sound ramp for base 1000000, head 128 and original length \
      32768 keeps 24 pairs, blends 16 and interpolates 24.
      """,
    example: """
      {"rope_theta": 1000000.0,
       "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128}}
      """,
    remedy: """
      Check the original length and the base against the original model: `yarn-patch patch MODEL --factor F \
      --original-context N`; `yarn-patch inspect MODEL` prints the counts.
      """,
    exceptions: """
      Factor 1, betas in the wrong order (YP305), and weights that were trained with their YaRN by the table of \
      published models. Every runtime keeps the first pair when none is fast enough, so the count in the message may be 1.
      """,
    sources: ["transformers modeling_rope_utils.py _compute_yarn_parameters", "arXiv 2309.00071"]
  ) { model in
    model.files.flatMap { file -> [Finding] in
      guard file.declarations.contains(where: { $0.scalingKind == "yarn" }), !model.isTrainedScaling(of: file) else {
        return []
      }
      return file.readings(of: .formula).compactMap { reading in
        guard let parameters = reading.parameters, case .yarn(let yarn) = parameters.scaling, yarn.factor != 1,
          yarn.betaFast >= yarn.betaSlow,
          let declaration = file.declarations.first(where: { $0.layerType == reading.layerType }),
          let place = (declaration.originalContext ?? declaration.contextLength)?.place
        else { return nil }
        let range = CorrectionRange(yarn, base: parameters.base, rotaryDimension: parameters.rotaryDimension)
        let fastest = CorrectionRange.index(
          rotations: yarn.betaFast, yarn, base: parameters.base, rotaryDimension: parameters.rotaryDimension)
        let ramp = range.ramp(pairCount: parameters.pairCount)
        let (kept, interpolated) = (ramp.count { $0 == 0 }, ramp.count { $0 == 1 })
        guard
          fastest < 0 || kept == 0 || interpolated == 0 || abs(range.high - range.low) <= 0.001
        else {
          return nil
        }
        return Finding(
          .warning, at: place,
          """
          \(kept) of \(ramp.count) pairs keep their frequency, \(ramp.count - kept - interpolated) are blended, \
          \(interpolated) interpolated: check original length \(plain(yarn.originalContextLength)) and base \
          \(plain(parameters.base)) against the original model. Then type `yarn-patch patch \(model.path.shellWord) --factor \
          \(plain(yarn.factor)) --original-context N`.
          """,
          expected: "some pairs of each", actual: plain(yarn.originalContextLength))
      }
    }
  }
}
