import GGUF
import ModelConfig

extension LlamaCppReading {
  /// The options that give the same tables on the unscaled file, tried out on it; otherwise what they cannot say.
  func startOption(_ options: RuntimeOptions) -> StartOption? {
    guard let plain = try? LlamaCppHyperparameters(unscaled) else { return nil }
    let (arguments, context) = flags(over: plain)
    var started = options
    started.llamaCpp = context
    guard let reading = try? LlamaCppReading(unscaled, started),
      reading.readings.map(\.table) == readings.map(\.table)
    else {
      let unsaid = [keys.attentionFactor, keys.logMultiplier].filter {
        file.readKeys.contains($0) && model.metadata[$0] != nil
      }
      let remark =
        unsaid.isEmpty
        ? "the options do not scale every kind of layer as the file does"
        : "\(unsaid.joined(separator: " and ")) has no option, and --yarn-attn-factor no effect while YaRN is active"
      return StartOption(Self.runtime, version: Self.version, arguments: [], remark: remark)
    }
    let window = reading.parameters.trainedContext
    let remark =
      window < parameters.trainedContext
      ? "llama-server gives a request at most the \(window) tokens that the file states, whatever -c says" : nil
    return StartOption(Self.runtime, version: Self.version, arguments: arguments, remark: remark)
  }

  /// The same where divisors stand for the scaling: the options for the keys and betas that give the table, if any do.
  func startOption(_ options: RuntimeOptions, encoded declaration: RoPEDeclaration) -> StartOption? {
    var (model, options) = (model, options)
    let factor = declaration.factor?.value ?? 1
    let automatic = declaration.scalingKind == "yarn" ? declaration.automaticMagnitude(factor: factor) : 1
    model.tensors[GGUFKeys.divisorsTensor] = nil
    model.metadata[keys.type] = declaration.scalingKind.map { .string($0) }
    model.metadata[keys.factor] = .float32(Float(factor))
    model.metadata[keys.attentionFactor] = declaration.attentionFactor.map {
      .float32(Float($0.value / automatic))
    }
    options.llamaCpp.betaFast = declaration.betaFast?.value
    options.llamaCpp.betaSlow = declaration.betaSlow?.value
    guard let keyed = try? LlamaCppReading(model, options), keyed.isNearly(self) else {
      let remark = "\(GGUFKeys.divisorsTensor) has no option, and no other one gives its table"
      return StartOption(Self.runtime, version: Self.version, arguments: [], remark: remark)
    }
    return keyed.startOption(options)
  }

  /// Whether the tables differ by rounding only.
  private func isNearly(_ other: LlamaCppReading) -> Bool {
    let (mine, its) = (readings.compactMap(\.table), other.readings.compactMap(\.table))
    return mine.count == its.count
      && zip(mine, its).allSatisfy { mine, its in
        mine.largestDifference(from: its) <= 1e-5
          && abs(mine.attentionFactor - its.attentionFactor) <= 1e-5 * its.attentionFactor
      }
  }

  /// The model as the converter makes it of the unscaled files: without the keys of a scaling, and with the window that
  /// it was trained on.
  private var unscaled: LlamaCppModel {
    var model = model
    for key in [
      keys.type, keys.factor, keys.oldFactor, keys.original, keys.attentionFactor, keys.betaFast, keys.betaSlow,
      keys.logMultiplier, keys.extrapolationFactor, keys.yarnAttentionFactor,
    ] {
      model.metadata[key] = nil
    }
    var trained = parameters.originalContext
    if parameters.scaling == .linear, self.model.metadata[keys.original] == nil {
      // A file scaled linearly states the window it was stretched to, and nothing of the one before.
      let stretched = Double(file.trainedContext) * Double(file.frequencyScale)
      trained = UInt32(exactly: stretched.rounded()) ?? trained
    }
    model.metadata[keys.contextLength] = .uint32(trained)
    return model
  }

  /// The command line's rotary options with the window, and what they put into the context.
  ///
  /// `--yarn-attn-factor` is for the other kinds only: while YaRN is active llama.cpp overwrites it.
  /// - Source: `common/arg.cpp` of llama.cpp as vendored by llama-cpp-python 0.3.36.
  private func flags(over unscaled: LlamaCppHyperparameters) -> (arguments: [String], context: LlamaCppContext) {
    let rotation = parameters.rotation
    var context = LlamaCppContext()
    var arguments: [String] = []
    func add(_ name: String, _ value: Float, to option: WritableKeyPath<LlamaCppContext, Double?>) {
      context[keyPath: option] = Double(value)
      arguments += [name, value.shortText]
    }
    if rotation.frequencyScale != 1 || parameters.scaling == .yarn {
      context.scaling = parameters.scaling
      context.frequencyScale = Double(rotation.frequencyScale)
      // The factor where its reciprocal is exactly the scale.
      let factor = 1 / rotation.frequencyScale
      arguments += ["--rope-scaling", parameters.scaling.rawValue]
      arguments +=
        1 / factor == rotation.frequencyScale
        ? ["--rope-scale", factor.shortText] : ["--rope-freq-scale", rotation.frequencyScale.shortText]
    }
    if rotation.extrapolation != 0 {
      context.originalContext = Int(parameters.originalContext)
      arguments += ["--yarn-orig-ctx", "\(parameters.originalContext)"]
    }
    arguments += ["-c", "\(parameters.trainedContext)"]
    // The unscaled file may state another base; NTK scaling changes nothing else.
    add("--rope-freq-base", rotation.base, to: \.base)
    guard rotation.extrapolation != 0 else {
      if rotation.attentionFactor != 1 { add("--yarn-attn-factor", rotation.attentionFactor, to: \.attentionFactor) }
      return (arguments, context)
    }
    if rotation.extrapolation != 1 { add("--yarn-ext-factor", rotation.extrapolation, to: \.extrapolationFactor) }
    if rotation.betaFast != unscaled.yarn.betaFast { add("--yarn-beta-fast", rotation.betaFast, to: \.betaFast) }
    if rotation.betaSlow != unscaled.yarn.betaSlow { add("--yarn-beta-slow", rotation.betaSlow, to: \.betaSlow) }
    return (arguments, context)
  }
}

extension Float {
  /// The shortest text that reads back as the same float, whole numbers without a fraction.
  fileprivate var shortText: String { Int(exactly: self).map(String.init) ?? description }
}
