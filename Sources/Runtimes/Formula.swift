import ModelConfig
import RoPE

extension Runtime {
  /// The published equations, evaluated for what a file declares.
  public static let formula = Runtime(Formula.name, version: nil, formats: [.config, .gguf]) { input, options in
    let read =
      switch input {
      case .config(let config, let surroundings): config.ropeDeclarations(shapes: surroundings.shapes)
      case .gguf(let file, let tensors): file.ropeDeclarations(tensors: tensors)
      }
    if let problem = read.problems.first {
      var reading = RuntimeReading(Formula.name, version: nil, kind: "unknown")
      reading.refused = RuntimeRefusal("unusable value", problem.found)
      return [reading]
    }
    let readings = read.declarations.map { Formula.read($0, sequenceLength: options.sequenceLength) }
    guard options.offersStart, read.areExtended else { return readings }
    let startOptions = [Runtime.vllm, .sglang, .llamaCpp].filter { $0.formats.contains(input.format) }
      .flatMap { $0.read(input, options).first?.startOptions ?? [] }
    return readings.map { reading in
      var reading = reading
      if reading.table != nil { reading.startOptions = startOptions }
      return reading
    }
  }
}

/// The published equations in double precision: no defaults but those of the papers (beta 32 and 1, rounded bounds).
///
/// - Source: RoFormer arXiv 2104.09864; position interpolation arXiv 2306.15595; YaRN arXiv 2309.00071; LongRoPE arXiv
///   2402.13753; the llama3 smoothing as published with the Llama 3.1 weights.
public enum Formula {
  public static let name = "formula"

  /// - Parameter sequenceLength: For kinds whose table depends on it (dynamic, LongRoPE); the declared window if `nil`.
  public static func read(_ declaration: RoPEDeclaration, sequenceLength: Int? = nil) -> RuntimeReading {
    let kind = declaration.scalingKind ?? "default"
    var reading = RuntimeReading(name, version: nil, layerType: declaration.layerType, kind: kind)
    reading.factor = declaration.factor?.value
    reading.originalContext = declaration.originalContext.map { Double($0.value) }
    reading.contextLength = declaration.contextLength?.value
    switch parameters(declaration, kind: kind, sequenceLength: sequenceLength) {
    case .failure(let refusal): reading.refused = refusal
    case .success(let parameters):
      reading.parameters = parameters
      reading.base = parameters.base
      reading.rotaryDimension = parameters.rotaryDimension
      reading.table = FrequencyTable(parameters)
      if ["linear", "dynamic"].contains(kind), let factor = declaration.factor?.value, !declaration.absentKindIsLinear,
        declaration.layerType == nil, let window = declaration.contextLength?.value
      {
        // Both kinds state the window before scaling in config.json; a GGUF states the scaled one, and so do models that
        // scale only some of their layers (Gemma 3, which vLLM and SGLang except as well).
        reading.contextLength = Int(exactly: (Double(window) * factor).rounded(.down))
      }
    }
    return reading
  }

  private static func parameters(
    _ declaration: RoPEDeclaration, kind: String, sequenceLength: Int?
  ) -> Result<RoPEParameters, RuntimeRefusal> {
    Result { () throws(RuntimeRefusal) in
      func need<Value>(_ value: Declared<Value>?, _ what: String) throws(RuntimeRefusal) -> Value {
        guard let value else { throw RuntimeRefusal("not stated", "the file states no \(what)") }
        return value.value
      }
      let base = try need(declaration.base, "RoPE base")
      let rotary = try need(declaration.rotaryDimension, "rotary dimension, nor what it follows from")
      if let other = declaration.bases.first(where: { $0.value != base }), let first = declaration.base {
        throw RuntimeRefusal(
          "contradiction",
          "the base is \(base) at \(first.place.key ?? "?") and \(other.value) at \(other.place.key ?? "?")")
      }
      // In a config.json the member belongs to YaRN and LongRoPE, other kinds pass it over; a GGUF's is for every kind.
      let magnitude = declaration.absentKindIsLinear ? declaration.attentionFactor?.value : nil
      var result = RoPEParameters(base: base, rotaryDimension: rotary, attentionFactor: magnitude ?? 1)
      let factor = { () throws(RuntimeRefusal) in try need(declaration.factor, "scaling factor") }
      let original = { () throws(RuntimeRefusal) in
        Double(try need(declaration.originalContext, "original context length"))
      }
      switch kind {
      case "default":
        if let divisors = declaration.frequencyDivisors { result.scaling = .longrope(factors: divisors.value) }
      case "linear":
        result.scaling = .linear(factor: try factor())
      case "dynamic":
        let window = Double(try need(declaration.contextLength, "context length"))
        result.scaling = .dynamicNTK(
          factor: try factor(), originalContextLength: window, sequenceLength: max(Double(sequenceLength ?? 0), window))
      case "yarn":
        let yarn = YaRN(
          factor: try factor(), originalContextLength: try original(),
          betaFast: declaration.betaFast?.value ?? 32, betaSlow: declaration.betaSlow?.value ?? 1,
          truncate: declaration.truncate?.value ?? true)
        result.scaling = .yarn(yarn)
        result.attentionFactor =
          declaration.attentionFactor?.value ?? declaration.automaticMagnitude(factor: yarn.factor)
        if declaration.usesLatentAttention, let all = declaration.mscaleAllDim?.value, all != 0 {
          let magnitude = yarnMagnitude(factor: yarn.factor, mscale: all)
          result.softmaxScaleMultiplier = magnitude * magnitude
        }
      case "llama3":
        result.scaling = .llama3(
          factor: try factor(),
          lowFrequencyFactor: try need(declaration.lowFrequencyFactor, "low_freq_factor"),
          highFrequencyFactor: try need(declaration.highFrequencyFactor, "high_freq_factor"),
          originalContextLength: try original())
      case "longrope":
        let window = Double(try need(declaration.contextLength, "context length"))
        let trained = try original()
        let isLong = (sequenceLength.map(Double.init) ?? window) > trained
        let factors = try need(isLong ? declaration.longFactors : declaration.shortFactors, "per-pair factors")
        result.scaling = .longrope(factors: factors)
        result.attentionFactor =
          declaration.attentionFactor?.value
          ?? longropeMagnitude(factor: window / trained, originalContextLength: trained)
      case "proportional":
        let head = try need(declaration.headDimension, "head dimension")
        result.scaling = .proportional(factor: declaration.factor?.value ?? 1, headDimension: head)
      default:
        throw RuntimeRefusal("unknown kind", "\"\(kind)\" is not a scaling kind of the published equations")
      }
      try checkStoredDivisors(declaration, kind: kind)
      if let problem = result.problems.first { throw RuntimeRefusal("unusable value", "\(problem)") }
      return result
    }
  }

  /// A GGUF's divisors are the whole scaling; llama.cpp would divide once more by whatever is declared beside them.
  private static func checkStoredDivisors(_ declaration: RoPEDeclaration, kind: String) throws(RuntimeRefusal) {
    guard declaration.absentKindIsLinear else { return }
    if kind != "default", declaration.frequencyDivisors != nil {
      throw RuntimeRefusal(
        "contradiction", "the file stores per-pair divisors (rope_freqs) and declares \(kind) scaling on top")
    }
    guard (declaration.longFactors ?? declaration.shortFactors) != nil else { return }
    if kind != "longrope" {
      throw RuntimeRefusal("contradiction", "the file stores LongRoPE's factors and declares \(kind) scaling")
    }
    if let factor = declaration.factor?.value, factor != 1 {
      throw RuntimeRefusal(
        "contradiction", "the file stores LongRoPE's factors and declares a factor of \(factor) on top")
    }
  }
}
