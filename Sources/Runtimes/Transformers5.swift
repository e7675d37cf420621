import LosslessJSON
import ModelConfig
import RoPE

extension Runtime {
  /// Hugging Face transformers 5.23.0: one dictionary for base and scaling, flat or per layer type.
  ///
  /// - Source: `modeling_rope_utils.py`, `configuration_utils.py`, `models/*/configuration_*.py`.
  public static let transformers5 = Runtime("transformers5", version: "5.23.0") { config, _, options in
    let reader = Transformers5Reader(config: Transformers5Config(config), options: options)
    return zip(reader.config.loaded, reader.config.computed).map(reader.reading)
  }
}

extension Transformers5Config {
  /// The warnings that loading gives for a layer.
  ///
  /// - Throws: What ends the loading of the whole config.
  func validated(_ layer: Layer) throws(TransformersLoadFailure) -> [RuntimeNote] {
    guard let parameters = layer.parameters else { return [] }
    let head = headDimension(of: layer.type)
    let share = parameters["partial_rotary_factor"]?.number ?? 1
    let rotary = head.map { ($0 * share).rounded(.towardZero) }
    var validation = TransformersValidation(
      .v5, kind: kind(of: parameters), parameters, at: layer.pointer, window: window?.number, rotaryDimension: rotary,
      ignoring: ignoredKeys(parameters))
    do throws(RuntimeRefusal) {
      if section["head_dim"]?.isNone == true, TransformersFamilies.requiresHead(modelType) {
        throw RuntimeRefusal.nullHead
      }
      try validation.run()
      // The validation of this kind alone computes with the head size.
      if kind(of: parameters) == "longrope" {
        try TransformersRotary.checkHead(section, modelType, kind: "longrope", in: .v5)
      }
      try checkPhi3(parameters, rotaryDimension: rotary)
      if let head = section["head_dim"]?.number, head > 4, head.truncatingRemainder(dividingBy: 2) == 1, rotary == head
      {
        throw RuntimeRefusal("ValueError", "RoPE requires an even rotary dimension, but head_dim is \(head.shortText)")
      }
    } catch {
      throw TransformersLoadFailure(warnings: validation.warnings, refusal: error)
    }
    return validation.warnings
  }

  func kind(of parameters: PythonDictionary) -> String { parameters.string("rope_type") ?? "default" }

  private func ignoredKeys(_ parameters: PythonDictionary) -> Set<String> {
    var keys: Set<String> = parameters["mrope_section"] == nil ? [] : ["mrope_section", "mrope_interleaved"]
    if modelType == "ministral3" { keys.formUnion(["llama_4_scaling_beta", "max_position_embeddings"]) }
    return keys
  }

  private func checkPhi3(_ parameters: PythonDictionary, rotaryDimension: Double?) throws(RuntimeRefusal) {
    guard TransformersFamilies.declaredOriginalLength(modelType) != nil else { return }
    guard ["default", "longrope"].contains(kind(of: parameters)) else {
      throw RuntimeRefusal("ValueError", "the type must be longrope, not \(kind(of: parameters))")
    }
    for key in ["short_factor", "long_factor"] {
      guard let value = parameters[key], !value.isNone else { continue }
      let pairs = rotaryDimension.map { ($0 / 2).rounded(.down) }
      guard let list = value.list, list.allSatisfy({ $0.number != nil }),
        Double(list.count) == pairs ?? Double(list.count)
      else { throw RuntimeRefusal("ValueError", "\(key) must be a list of one number for each pair") }
    }
  }
}

/// A config that transformers 5 does not load.
struct TransformersLoadFailure: Error {
  var warnings: [RuntimeNote]
  var refusal: RuntimeRefusal
}

private struct Transformers5Reader {
  let config: Transformers5Config
  let options: RuntimeOptions

  func reading(_ loaded: Transformers5Config.Layer, _ computed: Transformers5Config.Layer) -> RuntimeReading {
    var reading = RuntimeReading("transformers5", version: "5.23.0", layerType: loaded.type, kind: "none")
    guard let parameters = computed.parameters else {
      reading.notes.append(RuntimeNote("no-rotation", key: loaded.pointer, "null: these layers do not rotate"))
      return reading
    }
    reading.kind = config.kind(of: parameters)
    do throws(TransformersLoadFailure) {
      // A layer that stops the loading stops it for all.
      for layer in config.loaded where layer.type != loaded.type { _ = try config.validated(layer) }
      reading.notes = try config.validated(loaded)
    } catch {
      reading.notes = error.warnings
      reading.refused = error.refusal
      return reading
    }
    do throws(RuntimeRefusal) {
      try compute(parameters, at: loaded.pointer, into: &reading)
    } catch {
      reading.refused = error
    }
    return reading
  }

  private func compute(
    _ parameters: PythonDictionary, at pointer: String?, into reading: inout RuntimeReading
  ) throws(RuntimeRefusal) {
    guard let head = config.headDimension(of: reading.layerType) else {
      reading.notes.append(RuntimeNote("not-computed", "the head size is left to the config class"))
      return
    }
    let kind = reading.kind
    try TransformersRotary.checkHead(config.section, config.modelType, kind: kind, in: .v5)
    var rotary = TransformersRotary(
      kind: kind, parameters: parameters, base: try parameters.requiredNumber("rope_theta"), headDimension: head,
      partialFactor: 1, window: config.window, sequenceLength: options.sequenceLength)
    // The unscaled kind is each model class's own code, and Llama-like ones rotate the whole head.
    if kind != "default" || TransformersFamilies.defaultKindRotatesPartially(config.modelType) {
      rotary.partialFactor = try parameters.argument("partial_rotary_factor", default: 1)
    }
    try settle(&rotary)
    note(rotary, parameters, at: pointer, in: &reading)
    var result = try rotary.computed()
    if kind != "default", TransformersFamilies.scalesSoftmax(config.modelType, in: .v5) {
      result.softmaxScaleMultiplier = try TransformersRotary.softmaxScaleMultiplier(parameters)
    }
    reading.take(result)
    reading.takeLongRoPE(
      factor: rotary.parameters["factor"]?.number,
      original: rotary.parameters["original_max_position_embeddings"]?.number)
  }

  /// A factor of None is the quotient of the two lengths; and this version reads `truncate` from the outer dictionary,
  /// so that in a nested layout a layer's own is ignored.
  private func settle(_ rotary: inout TransformersRotary) throws(RuntimeRefusal) {
    if rotary.kind == "yarn" { rotary.parameters["truncate"] = config.outer["truncate"] }
    let isNone = rotary.parameters["factor"]?.isNone ?? (rotary.kind == "longrope")
    guard isNone, ["yarn", "longrope"].contains(rotary.kind), let window = config.window?.number else { return }
    let original = try rotary.parameters.requiredNumber("original_max_position_embeddings")
    rotary.parameters["factor"] = .float(try pythonQuotient(window, original))
  }

  private func note(
    _ rotary: TransformersRotary, _ parameters: PythonDictionary, at pointer: String?, in reading: inout RuntimeReading
  ) {
    let section = config.section
    var read = TransformersRotary.keys(of: rotary.kind).union(["rope_theta"])
    if rotary.kind == "yarn", config.isNested { read.remove("truncate") }
    if rotary.kind != "default" || TransformersFamilies.defaultKindRotatesPartially(config.modelType) {
      read.insert("partial_rotary_factor")
    }
    for key in config.besideLayers where !key.hasSuffix("/truncate") {
      reading.notes.append(RuntimeNote("ignored-key", key: key, "not one of the layer types"))
    }
    let stated = Set(pointer.flatMap { _ in statedKeys(of: reading.layerType) } ?? [])
    let dictionary = PythonDictionary(parameters.members.filter { stated.contains($0.key) })
    reading.noteIgnored(in: dictionary, at: pointer, except: read)
    if !stated.contains("rope_theta"), section[TransformersFamilies.topLevelKeys(config.modelType).base] == nil {
      reading.noteDefault("the base", rotary.base)
    }
    let original = "original_max_position_embeddings"
    if ["yarn", "llama3", "longrope"].contains(rotary.kind), !stated.contains(original),
      config.isNested || section[original] == nil
    {
      reading.noteDefault("the original length", parameters[original]?.number)
    }
    if !(section["rope_scaling"]?.isTruthy ?? false) || !(section["rope_parameters"]?.isTruthy ?? false) { return }
    let key = "\(config.sectionPointer)/rope_parameters"
    reading.notes.append(RuntimeNote("ignored-key", key: key, "rope_scaling replaces it"))
  }

  /// Keys that the file has in the dictionary of a layer.
  private func statedKeys(of layerType: String?) -> [String] {
    let dictionary =
      config.section["rope_scaling"]?.dictionary.flatMap { $0.isEmpty ? nil : $0 }
      ?? config.section["rope_parameters"]?.dictionary
    guard let layerType else { return dictionary?.keys ?? [] }
    return dictionary?[layerType]?.dictionary?.keys ?? []
  }
}
