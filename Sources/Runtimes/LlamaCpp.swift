import GGUF
import ModelConfig
import RoPE

extension Runtime {
  /// llama.cpp. A config.json is read as its converter would write it, then as the loader would read that.
  public static let llamaCpp = Runtime(
    LlamaCppReading.runtime, version: LlamaCppReading.version, formats: [.gguf, .config]
  ) { input, options in
    do throws(RuntimeRefusal) {
      switch input {
      case .gguf(let file, let tensors):
        let reading = try LlamaCppReading(LlamaCppModel(file, tensors), options)
        let declared = file.ropeDeclarations(tensors: tensors)
        guard options.offersStart, declared.areExtended else { return reading.readings }
        let encoded = declared.declarations.first { $0.encodedDivisors?.value.contains { $0 != 1 } == true }
        return reading.readings.offering(
          options, encoded.map { reading.startOption(options, encoded: $0) } ?? reading.startOption(options))
      case .config(let config, _):
        let conversion = try LlamaCppConversion(config)
        let reading = try LlamaCppReading(conversion.model, options)
        return reading.readings.map { conversion.annotated($0) }
          .offering(options, config.ropeDeclarations().areExtended ? reading.startOption(options) : nil)
      }
    } catch {
      var reading = RuntimeReading(LlamaCppReading.runtime, version: LlamaCppReading.version, kind: "default")
      reading.refused = error
      return [reading]
    }
  }
}

extension LlamaCppModel {
  /// - Throws: `load failed` without an architecture, `process aborted` for rotary tensors other than F32.
  init(_ file: GGUFFile, _ tensors: [String: [Double]]) throws(RuntimeRefusal) {
    guard let architecture = file.architecture else {
      throw .loadFailed(missing: "general.architecture", "the architecture is missing")
    }
    self.init(architecture: architecture, metadata: [:], tensors: tensors.mapValues { $0.map { Float($0) } })
    for entry in file.metadata.entries(startingWith: "\(architecture).") { metadata[entry.key] = entry.value }
    for tensor in file.tensors where tensors[tensor.name] != nil && tensor.type != .float32 {
      throw .aborted("\(tensor.name) is \(tensor.type.name), ggml takes divisors as F32")
    }
  }
}

/// A loaded model with a context: one rotation for each kind of layer, and what to say about it.
struct LlamaCppReading {
  static let runtime = "llama.cpp"
  /// llama.cpp has no release numbers; this package of it (ggml 0.25.3) was read and executed.
  static let version = "llama-cpp-python-0.3.36"

  let file: LlamaCppHyperparameters
  let parameters: LlamaCppParameters
  let model: LlamaCppModel
  let keys: GGUFKeys

  init(_ model: LlamaCppModel, _ options: RuntimeOptions) throws(RuntimeRefusal) {
    self.model = model
    keys = GGUFKeys(model.architecture)
    file = try LlamaCppHyperparameters(model)
    parameters = LlamaCppParameters(file, sequenceLength: options.sequenceLength, options.llamaCpp)
  }

  /// The tensor whose divisors apply. The lists of LongRoPE are chosen once, by the context of a sequence and by the
  /// file's original length, whatever the user says about it.
  private var divisorsTensor: String? {
    guard !file.architecture.leavesTensorsUnused else { return nil }
    let longrope =
      parameters.sequenceContext > file.originalContext ? GGUFKeys.longFactorsTensor : GGUFKeys.shortFactorsTensor
    return [GGUFKeys.divisorsTensor, longrope].first { file.tensors[$0] != nil }
  }

  /// What ggml is given for each kind of layer, those of full attention first.
  var rotations: [(layerType: String?, rotation: GGMLRotation)] {
    var full = parameters.rotation
    full.dimension = Int(file.rotaryDimension)
    // Divisors that are all 1 change no bit of any angle.
    full.divisors = divisorsTensor.flatMap { file.tensors[$0] }.flatMap { $0.allSatisfy { $0 == 1 } ? nil : $0 }
    if let compressedBase = file.compressedBase {
      var plain = full
      plain.unscale()
      full.base = compressedBase
      full.attentionFactor =
        full.extrapolation == 0 ? 1 : 1 / GGMLRotation.automaticMagnitude(factor: 1 / full.frequencyScale)
      return [("compress", full), ("main", plain)]
    }
    guard let sliding = file.sliding else { return [(nil, full)] }
    var local = full
    local.dimension = Int(sliding.rotaryDimension)
    local.base = sliding.base
    local.frequencyScale = sliding.frequencyScale
    if sliding.isPlain { local.unscale() }
    if file.architecture.name.hasPrefix("gemma4") || local.pairCount != full.pairCount { local.divisors = nil }
    return local == full ? [(nil, full)] : [("full_attention", full), ("sliding_attention", local)]
  }

  /// Factor on the softmax scale of DeepSeek-style attention.
  ///
  /// - Source: `src/models/deepseek2.cpp:437-443`.
  private var softmaxScaleMultiplier: Double {
    guard file.architecture.scalesLatentSoftmax else { return 1 }
    let factor = 1 / parameters.rotation.frequencyScale
    let stated = parameters.rotation.attentionFactor * GGMLRotation.automaticMagnitude(factor: factor)
    let magnitude = stated * Float(1).addingProduct(0.1 * file.yarn.logMultiplier, logarithm(factor))
    return Double(magnitude * magnitude)
  }

  var readings: [RuntimeReading] {
    let multiplier = softmaxScaleMultiplier
    return rotations.filter { $0.rotation.dimension > 0 }.map { layerType, rotation in
      var reading = RuntimeReading(
        Self.runtime, version: Self.version, layerType: layerType, kind: kind(of: rotation))
      reading.base = Double(rotation.base)
      reading.rotaryDimension = rotation.dimension
      if rotation.frequencyScale != 1 { reading.factor = Double(1 / rotation.frequencyScale) }
      if ["yarn", "longrope"].contains(reading.kind) { reading.originalContext = Double(rotation.originalContext) }
      reading.contextLength = Int(parameters.trainedContext)
      reading.table = FrequencyTable(
        inverseFrequencies: rotation.angles().map { Double($0) }, attentionFactor: Double(rotation.magnitude),
        softmaxScaleMultiplier: multiplier)
      reading.parameters = rotation.parameters(softmaxScaleMultiplier: multiplier)
      reading.notes = notes
      return reading
    }
  }

  private func kind(of rotation: GGMLRotation) -> String {
    if rotation.extrapolation != 0 { return "yarn" }
    if rotation.divisors != nil { return divisorsTensor == GGUFKeys.divisorsTensor ? "rope_freqs" : "longrope" }
    return rotation.frequencyScale == 1 ? "default" : "linear"
  }
}

extension GGMLRotation {
  /// As the graphs call it for layers without scaling.
  fileprivate mutating func unscale() {
    frequencyScale = 1
    extrapolation = 0
    attentionFactor = 1
  }
}

extension LlamaCppReading {
  private var notes: [RuntimeNote] {
    var notes: [RuntimeNote] = []
    func ignored(_ key: String, _ reason: String) {
      guard model.metadata[key] != nil || model.tensors[key] != nil else { return }
      notes.append(RuntimeNote("ignored-key", key: key, reason))
    }
    func defaulted(_ key: String, _ value: String) {
      guard model.metadata[key] == nil else { return }
      notes.append(RuntimeNote("default-used", key: key, "\(key) is absent, \(value) is used"))
    }
    let unread = model.metadata.keys.filter {
      $0.hasPrefix("\(model.architecture).rope.") && !file.readKeys.contains($0)
    }
    for key in unread.sorted() where key != keys.sections {
      ignored(key, "\(model.architecture) does not read it")
    }
    if parameters.scaling == .unscaled { ignored(keys.factor, "the scaling type is none") }
    if parameters.rotation.extrapolation != 0 {
      if keys.architecture.readsMix { ignored(keys.yarnAttentionFactor, "overwritten while YaRN is active") }
      defaulted(keys.original, "\(keys.contextLength), \(file.trainedContext),")
    }
    for tensor in file.tensors.keys.sorted() where file.architecture.leavesTensorsUnused {
      ignored(tensor, "\(model.architecture) loads it and does not use it")
    }
    defaulted(keys.base, "10000")
    if model.metadata[keys.factor] != nil { defaulted(keys.type, "linear") }
    return notes
  }
}
