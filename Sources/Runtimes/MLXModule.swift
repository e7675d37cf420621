import RoPE

/// The rotary module that a model file builds.
enum MLXModule: Sendable {
  /// `initialize_rope` of `rope_utils.py`.
  case ropeUtils
  /// `nn.RoPE` without looking at the scaling dictionary.
  case plain
  /// `nn.RoPE`, whose scale is `1 / factor` when `type` is linear and the factor a float.
  case linearOnly
  /// phi3's and phimoe's own choice of `SuScaledRoPE`.
  case longrope(requiresType: Bool)
  /// Hunyuan's: a base raised by `alpha`.
  case alpha(required: Bool)
  /// `DeepseekV2YarnRotaryEmbedding`, which needs a dictionary.
  case deepseekV2
}

/// A kind in mlx-lm's words with what the formulas need, and which members of the dictionary were looked at.
struct MLXScaling {
  var kind: String
  var scaling = RoPEScaling.none
  var attentionFactor = 1.0
  var factor: Double?
  var original: Double?
  var read: Set<String> = ["type", "rope_type"]
  var notes: [RuntimeNote] = []
}

extension MLXModule {
  /// The finished reading of one kind of layer.
  func reading(
    of arguments: MLXRoPEArguments, _ options: RuntimeOptions, into empty: RuntimeReading, from source: MLXConfig
  ) throws(RuntimeRefusal) -> RuntimeReading {
    if let demand = source.file.demand, let scaling = arguments.scaling { try demand.check(scaling) }
    guard arguments.dimension <= RoPEParameters.maximumDimension else {
      throw RuntimeRefusal("MemoryError", "a head of \(arguments.dimension) elements")
    }
    let made = try scaling(arguments, options)
    var parameters = RoPEParameters(
      base: arguments.base, rotaryDimension: arguments.dimension, scaling: made.scaling,
      attentionFactor: made.attentionFactor)
    if case .proportional(_, let head) = made.scaling {
      let share = try arguments.scaling?.number("partial_rotary_factor") ?? 1
      guard let width = Int(exactly: (Double(head) * share).rounded(.towardZero)), width >= 0, width <= head else {
        throw RuntimeRefusal("ValueError", "rotated_dims should be smaller than dims")
      }
      parameters.rotaryDimension = width
    }
    parameters.softmaxScaleMultiplier = try source.file.softmax.multiplier(arguments)

    var reading = empty
    reading.kind = made.kind
    reading.base = arguments.base
    reading.rotaryDimension = parameters.rotaryDimension
    reading.factor = made.factor
    reading.originalContext = made.original
    reading.parameters = parameters.problems.isEmpty ? parameters : nil
    reading.table = FrequencyTable(
      inverseFrequencies: FrequencyTable.mlxInverseFrequencies(parameters).map(Double.init),
      attentionFactor: parameters.attentionFactor, softmaxScaleMultiplier: parameters.softmaxScaleMultiplier)
    reading.notes = source.notes + made.notes + source.ignored(besides: made.read, arguments)
    return reading
  }

  private func scaling(
    _ arguments: MLXRoPEArguments, _ options: RuntimeOptions
  ) throws(RuntimeRefusal) -> MLXScaling {
    switch self {
    case .ropeUtils: return try arguments.initializeRoPE(options)
    case .plain: return MLXScaling(kind: "default", read: [])
    case .linearOnly: return try arguments.linearOrPlain()
    case .longrope(let requiresType): return try arguments.phi(requiresType: requiresType)
    case .alpha(let required): return try arguments.hunyuan(required: required)
    case .deepseekV2:
      guard arguments.scaling != nil else { throw RuntimeRefusal("AttributeError", "rope_scaling is None") }
      return try arguments.yarn(kind: "yarn")
    }
  }
}

extension MLXModelFile.Demand {
  /// - Throws: `ValueError`, as `__post_init__` does for a dictionary that is not empty.
  func check(_ scaling: PythonDictionary) throws(RuntimeRefusal) {
    guard !scaling.isEmpty else { return }
    if let missing = keys.first(where: { scaling[$0] == nil }) {
      throw RuntimeRefusal("ValueError", missing: missing, "rope_scaling must contain keys \(keys)")
    }
    guard let key = kindKeys.first(where: scaling.isTruthy) ?? kindKeys.last else { return }
    guard let kind = scaling.string(key), kinds.contains(kind) else {
      throw RuntimeRefusal("ValueError", "rope_scaling '\(key)' currently only supports \(kinds)")
    }
  }
}

extension MLXModelFile.Softmax {
  /// `m(factor, mscale_all_dim)` squared where the model file applies it.
  func multiplier(_ arguments: MLXRoPEArguments) throws(RuntimeRefusal) -> Double {
    guard self != .never, let scaling = arguments.scaling, scaling.isTruthy("mscale_all_dim") else { return 1 }
    if self == .unlessDefault, try arguments.kind() == "default" { return 1 }
    let isOptional = self == .unlessDefault && scaling["factor"] == nil
    let factor = isOptional ? 1 : try scaling.requiredNumber("factor")
    let magnitude = yarnMagnitude(factor: factor, mscale: try scaling.requiredNumber("mscale_all_dim"))
    return magnitude * magnitude
  }
}

extension MLXConfig {
  /// Members about rotation that mlx-lm did not look at.
  func ignored(besides read: Set<String>, _ arguments: MLXRoPEArguments) -> [RuntimeNote] {
    var notes: [RuntimeNote] = []
    for key in arguments.scaling?.keys ?? [] where !read.contains(key) && !isRead(key, in: arguments) {
      notes.append(RuntimeNote("ignored-key", key: "\(arguments.pointer)/\(key)", "mlx-lm does not read \(key) here"))
    }
    for key in ["rope_scaling", "rope_parameters"] where !arguments.pointer.contains(key) {
      if let members = section[key]?.dictionary, !members.isEmpty {
        notes.append(RuntimeNote("ignored-key", key: "\(pointer)/\(key)", "the model file does not read \(key)"))
      }
    }
    if section["original_max_position_embeddings"] != nil, arguments.topOriginal == nil {
      let key = "\(pointer)/original_max_position_embeddings"
      notes.append(RuntimeNote("ignored-key", key: key, "the original length is read from the scaling dictionary only"))
    }
    if section["partial_rotary_factor"] != nil, !file.hasShare {
      notes.append(
        RuntimeNote("ignored-key", key: "\(pointer)/partial_rotary_factor", "the model file rotates whole heads"))
    }
    if section[file.baseKey] == nil, file.base == arguments.base, arguments.layerType == nil {
      notes.append(
        RuntimeNote(
          "default-used", key: "\(pointer)/\(file.baseKey)", "no base where it is looked for: \(arguments.base)"))
    }
    return notes
  }

  /// Members that the model file itself takes out of the scaling dictionary.
  private func isRead(_ key: String, in arguments: MLXRoPEArguments) -> Bool {
    switch file.source {
    case .legacy: false
    case .legacyThenNew: key == "rope_theta" && section["rope_theta"] == nil
    case .new(let required): required.contains(key)
    case .newOverLegacy: key == "rope_theta" || (key == "partial_rotary_factor" && file.hasShare)
    case .baseFromNew: false
    case .perLayer(let layout): key == "rope_theta" || (key == "partial_rotary_factor" && layout.hasShare)
    }
  }
}
