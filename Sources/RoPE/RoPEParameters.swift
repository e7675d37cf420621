/// YaRN's inputs beside the base and the rotary dimension.
///
/// - Source: YaRN, arXiv 2309.00071; `truncate` from transformers `modeling_rope_utils.py`.
public struct YaRN: Sendable, Equatable {
  /// New context length over original context length, the paper's `s`.
  public var factor: Double
  /// Positions the model was trained on, the paper's `L`.
  public var originalContextLength: Double
  /// Pairs that turn more often than this within the original context keep their frequency.
  public var betaFast = 32.0
  /// Pairs that turn less often than this within the original context are interpolated.
  public var betaSlow = 1.0
  /// Whether the correction range is widened to whole pair indices.
  public var truncate = true

  public init(
    factor: Double, originalContextLength: Double, betaFast: Double = 32, betaSlow: Double = 1, truncate: Bool = true
  ) {
    self.factor = factor
    self.originalContextLength = originalContextLength
    self.betaFast = betaFast
    self.betaSlow = betaSlow
    self.truncate = truncate
  }
}

/// How the inverse frequencies `e_i = base^(-2i/d)` of the pairs are changed for a longer context.
public enum RoPEScaling: Sendable, Equatable {
  /// `e_i`
  case none
  /// Position interpolation: `e_i / factor`.
  case linear(factor: Double)
  /// A larger base: `base * alpha^(d/(d-2))`.
  case ntkAware(alpha: Double)
  /// A base that grows with the sequence: `base * (s*N/M - (s-1))^(d/(d-2))`, `M` the original context length and
  /// `N = max(sequenceLength, M)`.
  case dynamicNTK(factor: Double, originalContextLength: Double, sequenceLength: Double)
  /// The paper's text before YaRN: the share of `e_i` rises linearly from `alpha` to `beta` rotations within the
  /// original context. (The published code ramps in the pair index, see ``yarn(_:)``.)
  case ntkByParts(factor: Double, originalContextLength: Double, alpha: Double, beta: Double)
  /// A ramp in the pair index between interpolation and extrapolation, see ``CorrectionRange``.
  case yarn(YaRN)
  /// Llama 3.1: a blend between two wavelengths, `originalContextLength` over the two frequency factors.
  case llama3(factor: Double, lowFrequencyFactor: Double, highFrequencyFactor: Double, originalContextLength: Double)
  /// One divisor for each pair.
  case longrope(factors: [Double])
  /// Some pairs of a wider head rotate, with the whole head in the exponent: `base^(-2i/headDimension) / factor` for
  /// `i < rotaryDimension / 2`; the table has `headDimension / 2` entries and the others are exactly 0.
  case proportional(factor: Double, headDimension: Int)
}

/// What a runtime computes a frequency table from. Nothing is optional here: defaults are the runtime's business.
///
/// Any values can be held. ``problems`` tells whether they give a table.
public struct RoPEParameters: Sendable, Equatable {
  /// Rope base, config.json's theta.
  public var base: Double
  /// Width of the rotating part of a head, twice the number of rotating pairs.
  public var rotaryDimension: Int
  public var scaling: RoPEScaling
  /// Multiplies cos and sin, so a q·k logit over rotating dimensions is multiplied by its square.
  public var attentionFactor: Double
  /// Multiplies the softmax scale of the whole head (DeepSeek's latent attention).
  public var softmaxScaleMultiplier: Double

  public init(
    base: Double, rotaryDimension: Int, scaling: RoPEScaling = .none, attentionFactor: Double = 1,
    softmaxScaleMultiplier: Double = 1
  ) {
    self.base = base
    self.rotaryDimension = rotaryDimension
    self.scaling = scaling
    self.attentionFactor = attentionFactor
    self.softmaxScaleMultiplier = softmaxScaleMultiplier
  }

  /// Entries of the frequency table, rotating or not.
  public var pairCount: Int {
    if case .proportional(_, let headDimension) = scaling { headDimension / 2 } else { rotaryDimension / 2 }
  }

  /// The base after the scalings that change it; the others leave it alone.
  public var effectiveBase: Double {
    let d = Double(rotaryDimension)
    switch scaling {
    case .ntkAware(let alpha):
      return base * power(alpha, d / (d - 2))
    case .dynamicNTK(let factor, let originalContextLength, let sequenceLength):
      let stretch = max(sequenceLength, originalContextLength) / originalContextLength
      return base * power(factor * stretch - (factor - 1), d / (d - 2))
    default:
      return base
    }
  }
}
