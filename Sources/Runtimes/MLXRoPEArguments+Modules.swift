import RoPE

extension MLXRoPEArguments {
  /// `initialize_rope`: the module for the dictionary's kind.
  ///
  /// - Throws: `KeyError` for a missing member, `TypeError`, `ValueError` (unknown kind), `ZeroDivisionError`,
  ///   `AssertionError` (mrope sections that are not three).
  func initializeRoPE(_ options: RuntimeOptions) throws(RuntimeRefusal) -> MLXScaling {
    let kind = try kind()
    let members = scaling ?? PythonDictionary()
    switch kind {
    case "default": return MLXScaling(kind: kind)
    case "linear": return try linear(members)
    case "dynamic": return try dynamic(members, options)
    case "llama3": return try llama3(members)
    case "yarn", "deepseek_yarn", "telechat3-yarn": return try yarn(kind: kind)
    case "longrope":
      let original = try members.requiredNumber("original_max_position_embeddings")
      guard members["short_factor"] != nil else { throw Self.missing("short_factor") }
      guard let window else { throw RuntimeRefusal("TypeError", "max_position_embeddings is None") }
      return try longrope(members, original: original, window: window)
    case "proportional":
      let factor = members["factor"] == nil ? 1 : try members.requiredNumber("factor")
      return MLXScaling(
        kind: kind, scaling: .proportional(factor: factor, headDimension: dimension), factor: factor,
        read: ["type", "rope_type", "factor", "partial_rotary_factor"])
    case "mrope":
      guard members["mrope_section"]?.list?.count == 3 else {
        throw RuntimeRefusal("AssertionError", "MRoPE currently only supports 3 sections")
      }
      return MLXScaling(kind: kind, read: ["type", "rope_type", "mrope_section"])
    default: throw RuntimeRefusal("ValueError", "Unsupported RoPE type \(kind)")
    }
  }

  /// YaRN with DeepSeek's two magnitudes for every model, a default length of 4096 and bounds that are always rounded.
  func yarn(kind: String) throws(RuntimeRefusal) -> MLXScaling {
    let members = scaling ?? PythonDictionary()
    func number(_ key: String, _ value: Double) throws(RuntimeRefusal) -> Double {
      members[key] == nil ? value : try members.requiredNumber(key)
    }
    let factor = try members.requiredNumber("factor")
    let yarn = YaRN(
      factor: factor, originalContextLength: try number("original_max_position_embeddings", 4096),
      betaFast: try number("beta_fast", 32), betaSlow: try number("beta_slow", 1))
    // A factor of at most 1 returns before the magnitudes are looked at.
    let mscale = factor <= 1 ? 1 : try number("mscale", 1)
    let all = factor <= 1 ? 0 : try number("mscale_all_dim", 0)
    let divisor = yarnMagnitude(factor: factor, mscale: all)
    guard divisor != 0 else { throw RuntimeRefusal("ZeroDivisionError", "mscale_all_dim gives a magnitude of 0") }
    _ = try CorrectionRange(python: yarn, base: base, rotaryDimension: dimension)
    var result = MLXScaling(
      kind: kind, scaling: .yarn(yarn), attentionFactor: yarnMagnitude(factor: factor, mscale: mscale) / divisor,
      factor: factor, original: yarn.originalContextLength)
    result.read.formUnion([
      "factor", "original_max_position_embeddings", "beta_fast", "beta_slow", "mscale", "mscale_all_dim",
    ])
    if members["original_max_position_embeddings"] == nil { result.notes.append(defaultLength(4096)) }
    return result
  }

  private func linear(_ members: PythonDictionary) throws(RuntimeRefusal) -> MLXScaling {
    let factor = try members.requiredNumber("factor")
    guard factor != 0 else { throw RuntimeRefusal("ZeroDivisionError", "factor is 0") }
    return MLXScaling(
      kind: "linear", scaling: .linear(factor: factor), factor: factor, read: ["type", "rope_type", "factor"])
  }

  /// The base follows the longest position of each call.
  private func dynamic(_ members: PythonDictionary, _ options: RuntimeOptions) throws(RuntimeRefusal) -> MLXScaling {
    let factor = try members.requiredNumber("factor")
    guard let window else { throw RuntimeRefusal("TypeError", "max_position_embeddings is None") }
    guard window != 0 else { throw RuntimeRefusal("ZeroDivisionError", "max_position_embeddings is 0") }
    guard dimension != 2 else { throw RuntimeRefusal("ZeroDivisionError", "the exponent d/(d-2) for d = 2") }
    let length = max(Double(options.sequenceLength ?? 0), window)
    return MLXScaling(
      kind: "dynamic",
      scaling: .dynamicNTK(factor: factor, originalContextLength: window, sequenceLength: length),
      factor: factor, read: ["type", "rope_type", "factor"])
  }

  private func llama3(_ members: PythonDictionary) throws(RuntimeRefusal) -> MLXScaling {
    var notes: [RuntimeNote] = []
    func number(_ key: String, _ value: Double) throws(RuntimeRefusal) -> Double {
      if members[key] != nil { return try members.requiredNumber(key) }
      notes.append(RuntimeNote("default-used", key: "\(pointer)/\(key)", "\(key) is absent: \(value)"))
      return value
    }
    let factor = try members.requiredNumber("factor")
    let low = try number("low_freq_factor", 1)
    let high = try number("high_freq_factor", 4)
    let original = try number("original_max_position_embeddings", 8192)
    guard low != 0, high != 0 else { throw RuntimeRefusal("ZeroDivisionError", "a frequency factor is 0") }
    return MLXScaling(
      kind: "llama3",
      scaling: .llama3(
        factor: factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalContextLength: original),
      factor: factor, original: original,
      read: ["type", "rope_type", "factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"],
      notes: notes)
  }

  /// `SuScaledRoPE`: the long list whatever the length, with the magnitude of window over original length.
  private func longrope(
    _ members: PythonDictionary, original: Double, window: Double, magnitude: Double? = nil
  ) throws(RuntimeRefusal) -> MLXScaling {
    guard members["long_factor"] != nil else { throw Self.missing("long_factor") }
    let factors =
      if let list = members.numbers("long_factor") { list } else { [try members.requiredNumber("long_factor")] }
    // One number serves every pair, as a scalar does.
    guard factors.count == 1 || factors.count == dimension / 2 else {
      throw RuntimeRefusal("ValueError", "long_factor has \(factors.count) numbers for \(dimension / 2) pairs")
    }
    guard original != 0 else { throw RuntimeRefusal("ZeroDivisionError", "the original length is 0") }
    let factor = window / original
    let automatic = magnitude == nil ? try pythonLongropeMagnitude(factor: factor, original: original) : 1
    return MLXScaling(
      kind: "longrope",
      scaling: .longrope(factors: factors.count == 1 ? Array(repeating: factors[0], count: dimension / 2) : factors),
      attentionFactor: magnitude ?? automatic,
      factor: factor, original: original,
      read: ["type", "rope_type", "original_max_position_embeddings", "long_factor"])
  }

  /// phi3 wants `type` by that name and knows three kinds; another one is announced and then not scaled. phimoe takes
  /// every dictionary for LongRoPE, with magnitudes of its own.
  func phi(requiresType: Bool) throws(RuntimeRefusal) -> MLXScaling {
    guard let scaling, !(requiresType && scaling.isEmpty) else { return MLXScaling(kind: "default") }
    let kind = scaling.string("type") ?? "None"
    if requiresType, kind == "linear" { return try linearOrPlain() }
    guard !requiresType || ["longrope", "su"].contains(kind) else {
      let warning = "rope_scaling 'type' currently only supports 'linear', 'su', and 'longrope'"
      return MLXScaling(kind: "default", notes: [RuntimeNote("warning", key: "\(pointer)/type", warning)])
    }
    guard scaling["short_factor"] != nil else { throw Self.missing("short_factor") }
    guard let window, let topOriginal else { throw RuntimeRefusal("TypeError", "max_position_embeddings is None") }
    var magnitude: Double?
    if !requiresType {
      guard scaling["short_mscale"] != nil else { throw Self.missing("short_mscale") }
      let long = try scaling.number("long_mscale")
      guard scaling["long_mscale"] != nil else { throw Self.missing("long_mscale") }
      magnitude = long == 0 ? nil : long
    }
    var result = try longrope(scaling, original: topOriginal, window: window, magnitude: magnitude)
    result.read.remove("original_max_position_embeddings")
    if !requiresType { result.read.insert("long_mscale") }
    return result
  }

  /// Linear by the name `type` or unscaled, whatever else the dictionary says.
  ///
  /// - Throws: `KeyError` without `type`, `AssertionError` for a factor that is not a float.
  func linearOrPlain() throws(RuntimeRefusal) -> MLXScaling {
    guard let scaling, !scaling.isEmpty else { return MLXScaling(kind: "default") }
    guard scaling["type"] != nil else { throw Self.missing("type") }
    guard scaling.string("type") == "linear" else { return MLXScaling(kind: "default") }
    let result = try linear(scaling)
    guard scaling["factor"]?.isFloat == true else {
      throw RuntimeRefusal("AssertionError", "factor is not a float")
    }
    return result
  }

  /// A static NTK scaling by `alpha`; `factor` is demanded and not used.
  func hunyuan(required: Bool) throws(RuntimeRefusal) -> MLXScaling {
    let members = scaling ?? PythonDictionary()
    guard !required || scaling != nil else { throw RuntimeRefusal("TypeError", "rope_scaling is None") }
    guard dimension != 2 else { throw RuntimeRefusal("ZeroDivisionError", "the exponent d/(d-2) for d = 2") }
    let alpha = required || members["alpha"] != nil ? try members.requiredNumber("alpha") : 1
    return MLXScaling(
      kind: scaling == nil ? "default" : "dynamic", scaling: .ntkAware(alpha: alpha),
      read: ["type", "rope_type", "alpha"])
  }

  private func defaultLength(_ value: Double) -> RuntimeNote {
    let key = "\(pointer)/original_max_position_embeddings"
    return RuntimeNote("default-used", key: key, "the original length is absent: \(value), whatever the window")
  }

  private static func missing(_ key: String) -> RuntimeRefusal {
    RuntimeRefusal("KeyError", missing: key, "\(key) is missing")
  }
}
