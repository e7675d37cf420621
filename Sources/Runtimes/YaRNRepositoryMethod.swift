import RoPE

/// The computations of the repository's rotary classes, with the arguments that the classes take.
///
/// The dynamic ones keep the plain table until a sequence is longer than the cached one; `window` is the length that
/// was cached at construction.
enum YaRNRepositoryMethod: Sendable, Equatable {
  /// Arguments of the YaRN classes beside the base and the width.
  struct YaRNSettings: Sendable, Equatable {
    var yarn: YaRN
    /// Multiplies the share of the kept frequency in each pair.
    var extrapolationFactor = 1.0
    /// Multiplies the magnitude.
    var attentionFactor = 1.0
    /// The logarithm's factor over 0.1, 0.7 in Mistral's file.
    var logarithmFactor = 1.0

    init(
      _ yarn: YaRN, extrapolationFactor: Double = 1, attentionFactor: Double = 1, logarithmFactor: Double = 1
    ) {
      self.yarn = yarn
      self.extrapolationFactor = extrapolationFactor
      self.attentionFactor = attentionFactor
      self.logarithmFactor = logarithmFactor
    }

    fileprivate var magnitude: Double {
      yarnMagnitude(factor: yarn.factor, mscale: logarithmFactor) * attentionFactor
    }
  }

  /// Arguments of the NTK-by-parts classes.
  struct ByPartsSettings: Sendable, Equatable {
    var scale: Double
    var originalContextLength: Double
    /// Multiply the share of the NTK frequency in the first blend, of the kept one in the second.
    var ntkFactor = 1.0, extrapolationFactor = 1.0
  }

  case plain
  /// Positions are divided by the scale.
  case linear(scale: Double)
  /// A base raised by `alpha`, or by what dynamic NTK makes of a length.
  case ntk(RoPEScaling)
  case byParts(ByPartsSettings)
  case yarn(YaRNSettings)

  static func ntkAware(alpha: Double) -> Self { .ntk(.ntkAware(alpha: alpha)) }

  static func dynamicNTK(_ factor: Double, sequenceLength: Double, window: Double) -> Self {
    guard sequenceLength > window else { return .plain }
    return .ntk(.dynamicNTK(factor: factor, originalContextLength: window, sequenceLength: sequenceLength))
  }

  /// `LlamaDynamicScaledRotaryEmbedding` without `ntk`.
  static func dynamicLinear(sequenceLength: Double, window: Double) -> Self {
    sequenceLength > window ? .linear(scale: sequenceLength / window) : .plain
  }

  static func dynamicByParts(_ settings: ByPartsSettings, sequenceLength: Double, window: Double) -> Self {
    guard sequenceLength > window else { return .plain }
    var settings = settings
    settings.scale = sequenceLength / window
    return .byParts(settings)
  }

  /// - Parameter divisor: The sequence length over this is the scale.
  static func dynamicYaRN(
    _ settings: YaRNSettings, sequenceLength: Double, window: Double, divisor: Double
  ) -> Self {
    guard sequenceLength > window else { return .plain }
    var settings = settings
    settings.yarn.factor = sequenceLength / divisor
    return .yarn(settings)
  }
}

/// A method with the base and the width of the head.
struct YaRNRepositoryTable {
  var method: YaRNRepositoryMethod
  var base: Double
  var dimension: Int

  init(_ method: YaRNRepositoryMethod, base: Double, dimension: Int) {
    self.method = method
    self.base = base
    self.dimension = dimension
  }

  /// What the classes hold, in float32 and their order of operations.
  ///
  /// - Throws: `RuntimeError` for an odd width, `ZeroDivisionError`, `ValueError`, `OverflowError` from the arithmetic.
  func table() throws(RuntimeRefusal) -> FrequencyTable {
    guard dimension > 0, dimension.isMultiple(of: 2), dimension <= RoPEParameters.maximumDimension else {
      throw RuntimeRefusal("RuntimeError", "a head of \(dimension) elements has no pairs that fit")
    }
    let p = FrequencyTable.float32Powers(of: base, width: dimension)
    var magnitude = 1.0
    let frequencies: [Float]
    switch method {
    case .plain:
      frequencies = p.map { 1 / $0 }
    case .linear(let scale):
      guard scale != 0 else { throw RuntimeRefusal("ZeroDivisionError", "the scale is 0") }
      frequencies = p.map { 1 / $0 * Float(1 / scale) }
    case .ntk(let scaling):
      guard dimension != 2 else { throw RuntimeRefusal("ZeroDivisionError", "the exponent d/(d-2) for d = 2") }
      frequencies = ntk(scaling)
    case .byParts(let settings):
      guard dimension != 2 else { throw RuntimeRefusal("ZeroDivisionError", "the exponent d/(d-2) for d = 2") }
      frequencies = try byParts(settings, p)
    case .yarn(let settings):
      let range = try CorrectionRange(python: settings.yarn, base: base, rotaryDimension: dimension)
      let mask = range.float32Mask(pairCount: p.count).map { $0 * Float(settings.extrapolationFactor) }
      frequencies = FrequencyTable.float32YaRN(p, factor: settings.yarn.factor, mask: mask)
      magnitude = settings.magnitude
    }
    return FrequencyTable(inverseFrequencies: frequencies.map(Double.init), attentionFactor: magnitude)
  }

  private func ntk(_ scaling: RoPEScaling) -> [Float] {
    let raised = RoPEParameters(base: base, rotaryDimension: dimension, scaling: scaling).effectiveBase
    return FrequencyTable.float32Powers(of: raised, width: dimension).map { 1 / $0 }
  }

  /// Interpolated and NTK frequencies blended around one rotation, then blended with the kept ones. These constants are
  /// the published code's ("found experimentally for LLaMA"); the paper's text has others and a ramp in rotations.
  private func byParts(_ settings: YaRNRepositoryMethod.ByPartsSettings, _ p: [Float]) throws(RuntimeRefusal) -> [Float]
  {
    func mask(_ fast: Double, _ slow: Double, times factor: Double) throws(RuntimeRefusal) -> [Float] {
      let bounds = YaRN(
        factor: settings.scale, originalContextLength: settings.originalContextLength, betaFast: fast, betaSlow: slow)
      return try CorrectionRange(python: bounds, base: base, rotaryDimension: dimension)
        .float32Mask(pairCount: p.count).map { $0 * Float(factor) }
    }
    let raised = ntk(.ntkAware(alpha: settings.scale))
    let inner = try mask(1.25, 0.75, times: settings.ntkFactor)
    let outer = try mask(16, 2, times: settings.extrapolationFactor)
    return p.indices.map { pair in
      let scaled = 1 / (Float(settings.scale) * p[pair])
      let blended = scaled * (1 - inner[pair]) + raised[pair] * inner[pair]
      return blended * (1 - outer[pair]) + 1 / p[pair] * outer[pair]
    }
  }

  /// The same in the published formulas' terms; `nil` where they have none for it.
  var parameters: RoPEParameters? {
    var parameters = RoPEParameters(base: base, rotaryDimension: dimension)
    switch method {
    case .plain: break
    case .linear(let scale): parameters.scaling = .linear(factor: scale)
    case .ntk(let scaling): parameters.scaling = scaling
    case .byParts: return nil
    case .yarn(let settings):
      guard settings.extrapolationFactor == 1 else { return nil }
      parameters.scaling = .yarn(settings.yarn)
      parameters.attentionFactor = settings.magnitude
    }
    return parameters.problems.isEmpty ? parameters : nil
  }
}
