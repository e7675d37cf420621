import GGUF
import ModelConfig
import RoPE

/// What llama.cpp is given of a model: metadata by key and rotary tensors by name, from a GGUF or from the converter.
struct LlamaCppModel {
  var architecture: String
  var metadata: [String: GGUFValue]
  var tensors: [String: [Float]]
}

/// Reads metadata as `llama_model_loader::get_key` does: an absent key is fine, a value of another type is not.
struct StrictMetadata {
  let values: [String: GGUFValue]
  /// Keys that were asked for, present or not.
  private(set) var read: Set<String> = []

  init(_ values: [String: GGUFValue]) { self.values = values }

  mutating func float32(_ key: String) throws(RuntimeRefusal) -> Float? {
    try value(key, .float32) { if case .float32(let value) = $0 { value } else { nil } }
  }

  mutating func uint32(_ key: String) throws(RuntimeRefusal) -> UInt32? {
    try value(key, .uint32) { if case .uint32(let value) = $0 { value } else { nil } }
  }

  mutating func bool(_ key: String) throws(RuntimeRefusal) -> Bool? {
    try value(key, .bool) { if case .bool(let value) = $0 { value } else { nil } }
  }

  mutating func string(_ key: String) throws(RuntimeRefusal) -> String? {
    try value(key, .string) { $0.stringValue }
  }

  mutating func required(_ key: String) throws(RuntimeRefusal) -> UInt32 {
    guard let value = try uint32(key) else { throw .loadFailed(missing: key, "\(key) is missing") }
    return value
  }

  private mutating func value<Value>(
    _ key: String, _ type: GGUFValueType, _ extract: (GGUFValue) -> Value?
  ) throws(RuntimeRefusal) -> Value? {
    read.insert(key)
    guard let stated = values[key] else { return nil }
    guard let result = extract(stated) else {
      throw .loadFailed("\(key) is \(stated.type.name), llama.cpp reads only \(type.name)")
    }
    return result
  }
}

extension RuntimeRefusal {
  /// The loader throws, and the program says that the model could not be loaded.
  static func loadFailed(missing key: String? = nil, _ reason: String) -> RuntimeRefusal {
    RuntimeRefusal("load failed", missing: key, reason)
  }

  /// An assertion ends the process.
  static func aborted(_ reason: String) -> RuntimeRefusal { RuntimeRefusal("process aborted", reason) }
}

/// The rotary part of `llama_hparams` after loading.
///
/// - Source: `src/llama-model.cpp:1321,1406-1475` and `load_arch_hparams` of `src/models/*.cpp`.
struct LlamaCppHyperparameters {
  let architecture: LlamaCppArchitecture
  let trainedContext: UInt32
  let originalContext: UInt32
  let base: Float
  let scaling: LlamaCppContext.Scaling
  let frequencyScale: Float
  /// `rope.scaling.attn_factor`: multiplies the magnitude of every kind.
  let attentionFactor: Float
  /// `nil` where each layer has its own.
  let headDimension: UInt32?
  let rotaryDimension: UInt32
  let yarn: YaRNKeys
  let sliding: Sliding?
  /// Base of deepseek4's compressed layers.
  let compressedBase: Float?
  let tensors: [String: [Float]]
  /// Keys that this architecture asks for.
  let readKeys: Set<String>

  /// Keys that only some architectures read, with their values elsewhere.
  struct YaRNKeys {
    /// Negative: not stated.
    var extrapolation: Float = -1
    var attentionFactor: Float = 1
    var betaFast: Float = 32
    var betaSlow: Float = 1
    /// mscale_all_dim; 0: not stated.
    var logMultiplier: Float = 0
  }

  /// Sliding-window layers.
  struct Sliding {
    var base: Float
    var frequencyScale: Float
    var rotaryDimension: UInt32
    var isPlain: Bool
  }

  init(_ model: LlamaCppModel) throws(RuntimeRefusal) {
    tensors = model.tensors
    let keys = GGUFKeys(model.architecture)
    architecture = keys.architecture
    var file = StrictMetadata(model.metadata)

    trainedContext = try file.required(keys.contextLength)
    let width = try file.required(keys.embeddingLength)
    // One count for each layer is read by another route; the first of them is not at hand here.
    let heads = try model.metadata[keys.headCount]?.type == .array ? nil : file.required(keys.headCount)
    _ = try file.bool(keys.finetuned)
    originalContext = try file.uint32(keys.original) ?? trainedContext
    let statedBase = try file.float32(keys.base) ?? 10_000
    scaling = try Self.scaling(keys, &file)
    // The older key counts only where the newer one is absent; a factor of 0 does not make room for it.
    var factor = try file.float32(keys.factor)
    if factor == nil { factor = try file.float32(keys.oldFactor) }
    frequencyScale = factor.flatMap { $0 == 0 ? nil : 1 / $0 } ?? 1
    attentionFactor = try file.float32(keys.attentionFactor) ?? 1
    let alpha = try file.float32(keys.alpha) ?? 0

    let head = try file.uint32(keys.headDimension) ?? heads.flatMap { $0 == 0 ? nil : width / $0 }
    guard let rotary = try file.uint32(keys.rotaryDimension) ?? head else {
      throw .loadFailed(missing: keys.rotaryDimension, "neither a rotary dimension nor a head size can be told")
    }
    headDimension = head
    rotaryDimension = rotary
    if architecture.refusesPartialRotation, let head, rotary != head {
      throw .loadFailed("\(keys.rotaryDimension) is \(rotary), \(architecture.name) wants the head size, \(head)")
    }
    if ["hunyuan_vl", "hunyuan-dense"].contains(architecture.name), alpha > 0, let head {
      base = statedBase * power(alpha, Float(head) / (Float(head) - 2))
    } else {
      base = statedBase
    }
    yarn = try Self.yarn(keys, &file)
    sliding = try Self.sliding(
      keys, &file,
      main: Sliding(
        base: base, frequencyScale: frequencyScale, rotaryDimension: rotary, isPlain: false))
    compressedBase = try architecture.name == "deepseek4" ? file.float32(keys.compressedBase) : nil
    readKeys = file.read
    if architecture.name == "deepseek4", compressedBase == nil {
      throw .loadFailed(missing: keys.compressedBase, "\(keys.compressedBase) is missing")
    }
    try checkTensors()
    try checkRotation(keys)
  }

  private static func scaling(
    _ keys: GGUFKeys, _ file: inout StrictMetadata
  ) throws(RuntimeRefusal) -> LlamaCppContext.Scaling {
    let name = try file.string(keys.type) ?? "linear"
    guard let scaling = LlamaCppContext.Scaling(rawValue: name) else {
      throw .aborted("\(keys.type) is \"\(name)\", llama.cpp knows none, linear, yarn and longrope")
    }
    return scaling
  }

  private static func yarn(_ keys: GGUFKeys, _ file: inout StrictMetadata) throws(RuntimeRefusal) -> YaRNKeys {
    var yarn = YaRNKeys()
    if keys.architecture.readsMix {
      yarn.extrapolation = try file.float32(keys.extrapolationFactor) ?? -1
      yarn.attentionFactor = try file.float32(keys.yarnAttentionFactor) ?? 1
      yarn.betaFast = Float(keys.architecture.defaultBetaFast)
    }
    if keys.architecture.readsBetas {
      yarn.betaFast = try file.float32(keys.betaFast) ?? yarn.betaFast
      yarn.betaSlow = try file.float32(keys.betaSlow) ?? yarn.betaSlow
    }
    if let unit = keys.architecture.logMultiplierUnit {
      yarn.logMultiplier = (try file.float32(keys.logMultiplier) ?? 0) / Float(unit)
    }
    return yarn
  }

  private static func sliding(
    _ keys: GGUFKeys, _ file: inout StrictMetadata, main: Sliding
  ) throws(RuntimeRefusal) -> Sliding? {
    let rotary = try file.uint32(keys.slidingRotaryDimension) ?? main.rotaryDimension
    guard let rules = keys.architecture.slidingLayers, let window = try file.uint32(keys.slidingWindow), window > 0
    else {
      return nil
    }
    let stated = try rules.readsBase ? file.float32(keys.slidingBase) : nil
    return Sliding(
      base: stated ?? (rules.inheritsBase ? main.base : 10_000),
      frequencyScale: rules.inheritsScale ? main.frequencyScale : 1, rotaryDimension: rotary, isPlain: rules.isPlain)
  }

  /// Tensors are created with a fixed shape, and the file may hold no other ones.
  private func checkTensors() throws(RuntimeRefusal) {
    for (name, values) in tensors.sorted(by: { $0.key < $1.key }) {
      guard architecture.loads(name, isLongrope: scaling == .longrope) else {
        throw .loadFailed("\(architecture.name) with scaling \(scaling.rawValue) does not load the tensor \(name)")
      }
      guard values.count == rotaryDimension / 2 else {
        throw .loadFailed("\(name) has \(values.count) elements, llama.cpp wants \(rotaryDimension / 2)")
      }
    }
  }

  /// The assertions of graph and operation. Wider heads than ours are beyond every model and beyond our memory.
  private func checkRotation(_ keys: GGUFKeys) throws(RuntimeRefusal) {
    for width in [rotaryDimension, sliding?.rotaryDimension].compactMap(\.self) {
      guard width % 2 == 0, width <= UInt32(RoPEParameters.maximumDimension) else {
        throw .aborted("\(keys.rotaryDimension) is \(width), ggml rotates an even number of elements")
      }
    }
    guard let headDimension else { return }
    let isSeparate = architecture.rotatesSeparatePart
    if architecture.assertsWholeRotation
      ? rotaryDimension != headDimension : rotaryDimension > headDimension && !isSeparate
    {
      throw .aborted("\(keys.rotaryDimension) is \(rotaryDimension) of a head of \(headDimension)")
    }
  }
}
