import RoPE

/// What the user of llama.cpp sets beside the model: the command line's rotary options. `nil` leaves it to the file.
public struct LlamaCppContext: Sendable {
  /// llama.cpp's scaling types, as a file and `--rope-scaling` name them.
  public enum Scaling: String, Sendable {
    /// `none`; that name would be taken for an absent option.
    case unscaled = "none"
    case linear, yarn, longrope
  }

  /// `--rope-scaling`
  public var scaling: Scaling?
  /// `--rope-freq-base`
  public var base: Double?
  /// `--rope-freq-scale`, one over the scaling factor.
  public var frequencyScale: Double?
  /// `--yarn-orig-ctx`
  public var originalContext: Int?
  /// `--yarn-ext-factor`
  public var extrapolationFactor: Double?
  /// `--yarn-attn-factor`: without effect while YaRN is active.
  public var attentionFactor: Double?
  /// `--yarn-beta-fast`
  public var betaFast: Double?
  /// `--yarn-beta-slow`
  public var betaSlow: Double?

  public init() {}
}

/// The rotary part of `llama_cparams`: the file's values under those of the user.
///
/// - Source: `src/llama-context.cpp:114-214,290,3891-3894`.
struct LlamaCppParameters {
  let scaling: LlamaCppContext.Scaling
  let originalContext: UInt32
  /// What ggml gets for full layers, without dimension and divisors.
  let rotation: GGMLRotation
  /// Tokens of one sequence, a multiple of 256.
  let sequenceContext: UInt32
  /// `n_ctx_train` once the context exists.
  let trainedContext: UInt32

  init(_ file: LlamaCppHyperparameters, sequenceLength: Int?, _ user: LlamaCppContext) {
    let scaling = user.scaling ?? file.scaling
    /// Of the numbers, 0 or a negative one stands for "not set".
    func chosen(_ value: Double?, _ other: Float, where isSet: (Float) -> Bool) -> Float {
      value.map { Float($0) }.flatMap { isSet($0) ? $0 : nil } ?? other
    }
    func length(_ value: Int?) -> UInt32? { value.flatMap { UInt32(exactly: $0) }.flatMap { $0 == 0 ? nil : $0 } }

    let frequencyScale =
      scaling == .unscaled ? 1 : chosen(user.frequencyScale, file.frequencyScale) { $0 != 0 }
    let original =
      length(user.originalContext) ?? (file.originalContext != 0 ? file.originalContext : file.trainedContext)
    var extrapolation = chosen(user.extrapolationFactor, file.yarn.extrapolation) { $0 >= 0 }
    if extrapolation < 0 { extrapolation = scaling == .yarn ? 1 : 0 }
    var attention = chosen(user.attentionFactor, file.yarn.attentionFactor) { $0 >= 0 }
    if extrapolation != 0 { attention = Self.yarnAttentionFactor(file, factor: 1 / frequencyScale) }

    self.scaling = scaling
    originalContext = original
    rotation = GGMLRotation(
      dimension: 0, originalContext: original,
      base: chosen(user.base, file.base) { $0 != 0 }, frequencyScale: frequencyScale, extrapolation: extrapolation,
      attentionFactor: attention * file.attentionFactor,
      betaFast: chosen(user.betaFast, file.yarn.betaFast) { $0 >= 0 },
      betaSlow: chosen(user.betaSlow, file.yarn.betaSlow) { $0 >= 0 })
    let context = length(sequenceLength) ?? file.trainedContext
    sequenceContext = (context &+ 255) / 256 * 256
    // Only a scale that is not the file's own moves the window.
    let isCustom = scaling == .yarn && frequencyScale != file.frequencyScale
    trainedContext =
      isCustom ? UInt32(exactly: (Float(original) / frequencyScale).rounded(.towardZero)) ?? .max : file.trainedContext
  }

  /// The quotient of YaRN's magnitudes, divided by what ggml will multiply back.
  ///
  /// The key and the option of this name are overwritten. Below a factor of 1 the two do not cancel by themselves.
  private static func yarnAttentionFactor(_ file: LlamaCppHyperparameters, factor: Float) -> Float {
    func magnitude(_ mscale: Float) -> Float {
      factor <= 1 ? 1 : Float(1).addingProduct(0.1 * mscale, logarithm(factor))
    }
    let all = file.yarn.logMultiplier
    // The code takes 1 for mscale, which it does not read; for DeepSeek-V2's files mscale_all_dim itself.
    let mscale: Float = file.architecture.takesMscaleAllDimTwice && all != 1 ? all : 1
    let quotient = all == 0 ? magnitude(1) : magnitude(mscale) / magnitude(all)
    return quotient * (1 / GGMLRotation.automaticMagnitude(factor: factor))
  }
}
