import ModelConfig
import RoPE

/// A magnitude of YaRN's own in every spelling that some runtime reads, so that all of them arrive at it.
///
/// `attention_factor` is final (transformers, vLLM), `attn_factor` multiplies the automatic value (SGLang), a lone
/// `mscale` stands in `0.1 mscale ln s + 1` (mlx-lm), where `mscale_all_dim` must be absent.
/// - Source: what `yarn-patch rules YP401` says of each key.
package struct MagnitudeSpelling {
  /// The members in which some runtime looks for a magnitude.
  package static let keys = [
    ConfigKey.attentionFactor, ConfigKey.attnFactor, ConfigKey.mscale, ConfigKey.mscaleAllDim,
  ]

  /// Members of the scaling dictionary with their values.
  package let members: [(key: String, value: Double)]

  /// - Parameters:
  ///   - magnitude: What multiplies cos and sin in the end.
  ///   - factor: The scaling factor, above 1.
  package init(_ magnitude: Double, factor: Double) {
    let automatic = yarnMagnitude(factor: factor)
    members = [
      (ConfigKey.attentionFactor, magnitude), (ConfigKey.attnFactor, magnitude / automatic),
      (ConfigKey.mscale, (magnitude - 1) / (automatic - 1)),
    ]
  }
  /// A ratio of two magnitudes, which classes of latent attention read as well; without a divisor the final value stands
  /// beside it, since transformers ignore an mscale alone.
  ///
  /// - Parameter mscaleAllDim: The divisor's, 0 for none.
  package init(_ magnitude: Double, factor: Double, mscaleAllDim: Double) {
    let divisor = yarnMagnitude(factor: factor, mscale: mscaleAllDim)
    let mscale = (magnitude * divisor - 1) / (yarnMagnitude(factor: factor) - 1)
    members =
      mscaleAllDim == 0
      ? [(ConfigKey.attentionFactor, magnitude), (ConfigKey.mscale, mscale)]
      : [(ConfigKey.mscale, mscale), (ConfigKey.mscaleAllDim, mscaleAllDim)]
  }
}
