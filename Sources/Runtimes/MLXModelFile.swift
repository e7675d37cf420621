/// How one model file of mlx-lm takes the arguments of its rotary module from config.json.
///
/// - Source: the dataclasses and attention classes of mlx-lm 0.32.2's `models/*.py`.
struct MLXModelFile: Sendable {
  /// Width of a head. A field without a default must be given.
  enum Head: Sendable {
    case quotient
    case declared(Double?)
    case declaredOrQuotient
    /// The rotating slice of latent attention, `qk_rope_head_dim`.
    case latent(Double?)
  }

  /// How much of a head rotates.
  enum Share: Sendable {
    case whole
    case factor(String = "partial_rotary_factor", default: Double?)
    /// `rotary_dim` where the file states it; else the partial factor where the model file has one.
    case width(orFactor: Double?)
  }

  /// Which dictionary is read.
  enum Source: Sendable {
    /// Top-level `rope_theta` and `rope_scaling` only; a file that states `rope_parameters` alone runs with defaults.
    case legacy
    /// What `rope_parameters` states fills in for absent legacy members.
    case legacyThenNew
    /// `rope_parameters`, whose missing members are a KeyError.
    case new(requires: [String])
    /// `rope_parameters` where there is one, with a default base of its own; else as legacy.
    case newOverLegacy(base: Double)
    /// `rope_theta` from `rope_parameters` where it is there; the scaling is legacy.
    case baseFromNew
    /// One dictionary per layer type in `rope_parameters`.
    case perLayer(PerLayer)
  }

  struct PerLayer: Sendable {
    /// The dictionary when the file has none.
    var defaults: PythonDictionary?
    /// A layer type without a dictionary is a KeyError, and so is a dictionary without a base.
    var isRequired = false
    /// Width of full-attention heads.
    var globalHead: (key: String, default: Double)?
    /// The rotating share is read from each dictionary.
    var hasShare = false
    /// Only `rope_type` is looked at, and linear is read as unscaled.
    var ignoresLinear = false
  }

  /// Members that `__post_init__` demands of a dictionary that is not empty.
  struct Demand: Sendable {
    var keys: [String]
    var kindKeys: [String] = []
    var kinds: [String] = []
  }

  /// When the softmax scale is multiplied by `m(factor, mscale_all_dim)` squared.
  enum Softmax: Sendable { case never, always, unlessDefault }

  var head = Head.declaredOrQuotient
  /// Default base; without one it must be given.
  var base: Double?
  var baseKey = "rope_theta"
  var share = Share.whole
  var source = Source.legacy
  var module = MLXModule.ropeUtils
  /// Default of `max_position_embeddings`.
  var window: Double?
  /// Whether the window is handed to the module.
  var passesWindow = true
  var softmax = Softmax.never
  /// Base of sliding-window layers, which are never scaled, where there are such layers.
  var sliding: (baseKey: String, default: Double?)?
  var demand: Demand?
  /// A proportional kind is built over the whole head, with the share in its dictionary.
  var placesShare = false

  /// Whether a partial rotary factor at the top level counts.
  var hasShare: Bool {
    switch share {
    case .whole: if case .perLayer(let layout) = source { layout.hasShare } else { false }
    case .factor, .width: true
    }
  }
}

extension MLXConfig {
  typealias Layer = (arguments: MLXRoPEArguments, module: MLXModule)

  /// The arguments of each kind of layer's module, full attention first.
  func layers() throws(RuntimeRefusal) -> [Layer] {
    if case .perLayer(let layout) = file.source { return try layers(in: layout) }
    let (scaling, key) = try scaling()
    var full = MLXRoPEArguments(
      base: try base(), dimension: 0, scaling: scaling, pointer: "\(pointer)/\(key)", window: try window())
    if file.placesShare, try full.kind() == "proportional" {
      full.dimension = try rotating(of: try headWidth(), share: .whole)
      if scaling?["partial_rotary_factor"] == nil {
        full.scaling?["partial_rotary_factor"] = section["partial_rotary_factor"]
      }
    } else {
      full.dimension = try rotating(of: try headWidth(), share: file.share)
    }
    if case .longrope = file.module { full.topOriginal = try needed("original_max_position_embeddings", default: 4096) }
    guard let (slidingKey, slidingBase) = file.sliding else { return [(full, file.module)] }
    var sliding = full
    full.layerType = "full_attention"
    sliding.layerType = "sliding_attention"
    sliding.base = try needed(slidingKey, default: slidingBase)
    sliding.scaling = nil
    return [(full, file.module), (sliding, .ropeUtils)]
  }

  private func window() throws(RuntimeRefusal) -> Double? {
    guard file.passesWindow else { return nil }
    return section["max_position_embeddings"] == nil ? file.window : try section.number("max_position_embeddings")
  }

  private func base() throws(RuntimeRefusal) -> Double {
    switch file.source {
    case .legacyThenNew:
      if let base = try section.number(file.baseKey) { return base }
      guard let base = try dictionary("rope_parameters")?.number("rope_theta") else {
        throw RuntimeRefusal("ValueError", "rope_theta is missing from the model config.")
      }
      return base
    case .new:
      guard let new = try dictionary("rope_parameters") else {
        throw RuntimeRefusal("TypeError", "rope_parameters is None")
      }
      return try new.requiredNumber("rope_theta")
    case .newOverLegacy(let value):
      guard let new = try dictionary("rope_parameters"), !new.isEmpty else { break }
      return new["rope_theta"] == nil ? value : try new.requiredNumber("rope_theta")
    case .baseFromNew:
      guard let new = try dictionary("rope_parameters"), new["rope_theta"] != nil else { break }
      return try new.requiredNumber("rope_theta")
    case .legacy, .perLayer: break
    }
    return try needed(file.baseKey, default: file.base)
  }

  /// The scaling dictionary and the key under which it stands. A plain module's file looks at none.
  private func scaling() throws(RuntimeRefusal) -> (PythonDictionary?, key: String) {
    switch file.source {
    case .legacyThenNew:
      if let legacy = try dictionary("rope_scaling") { return (legacy, "rope_scaling") }
      if let new = try dictionary("rope_parameters"), !new.isEmpty { return (new, "rope_parameters") }
    case .new(let required):
      let new = try dictionary("rope_parameters")
      for key in required where new?[key] == nil {
        throw RuntimeRefusal("KeyError", missing: key, "\(key) is missing")
      }
      return (new, "rope_parameters")
    case .newOverLegacy:
      if let new = try dictionary("rope_parameters"), !new.isEmpty { return (new, "rope_parameters") }
    case .legacy, .baseFromNew, .perLayer: break
    }
    if case .plain = file.module { return (PythonDictionary(section["rope_scaling"]), "rope_scaling") }
    return (try dictionary("rope_scaling"), "rope_scaling")
  }

  private func layers(in layout: MLXModelFile.PerLayer) throws(RuntimeRefusal) -> [Layer] {
    let outer = try dictionary("rope_parameters") ?? layout.defaults
    var labels = ["full_attention", "sliding_attention"]
    if let declared = section["layer_types"]?.list?.compactMap(\.string), !declared.isEmpty {
      labels = Set(declared).sorted()
    }
    var layers: [Layer] = []
    for label in labels {
      guard !layout.isRequired || outer?[label] != nil else {
        throw RuntimeRefusal("KeyError", missing: label, "rope_parameters has no \(label)")
      }
      var inner = PythonDictionary(outer?[label])
      let base = inner["rope_theta"] == nil && !layout.isRequired ? 10_000 : try inner.requiredNumber("rope_theta")
      var head = try headWidth()
      if label == "full_attention", let (key, value) = layout.globalHead {
        let width = try number(key, default: value) ?? 0
        if width != 0 { head = width }
      }
      var share = 1.0
      if layout.hasShare {
        let outer = try section.number("partial_rotary_factor")
        share = try inner.number("partial_rotary_factor") ?? (outer ?? 1)
      }
      if layout.ignoresLinear {
        inner["type"] = inner["rope_type"]
        if inner.string("rope_type") == "linear" { inner = PythonDictionary() }
      }
      let arguments = MLXRoPEArguments(
        layerType: label, base: base, dimension: try Self.width(head * share), scaling: inner,
        pointer: "\(pointer)/rope_parameters/\(label)", window: try window())
      layers.append((arguments, file.module))
    }
    return layers
  }

  private func headWidth() throws(RuntimeRefusal) -> Double {
    switch file.head {
    case .latent(let value): return try needed("qk_rope_head_dim", default: value)
    case .declared(let value): return try needed("head_dim", default: value)
    case .declaredOrQuotient:
      let width = try section.number("head_dim") ?? 0
      if width != 0 { return width }
    case .quotient: break
    }
    let heads = try needed("num_attention_heads")
    guard heads != 0 else { throw RuntimeRefusal("ZeroDivisionError", "num_attention_heads is 0") }
    return (try needed("hidden_size") / heads).rounded(.down)
  }

  private func rotating(of head: Double, share: MLXModelFile.Share) throws(RuntimeRefusal) -> Int {
    switch share {
    case .whole:
      return try Self.width(head)
    case .factor(let key, let value):
      if case .newOverLegacy = file.source, let new = try dictionary("rope_parameters"), !new.isEmpty {
        let factor = new[key] == nil ? value ?? 1 : try new.requiredNumber(key)
        return try Self.width(head * factor)
      }
      return try Self.width(head * needed(key, default: value))
    case .width(let factor):
      if let width = try number("rotary_dim", default: factor == nil ? nil : .nan), !width.isNaN {
        return try Self.width(width)
      }
      return try Self.width(head * needed("partial_rotary_factor", default: factor))
    }
  }

  /// Python's `int(x)`, then what `mx.fast.rope` demands of its dims.
  private static func width(_ width: Double) throws(RuntimeRefusal) -> Int {
    guard let width = Int(exactly: width.rounded(.towardZero)), width > 0, width.isMultiple(of: 2) else {
      throw RuntimeRefusal("ValueError", "[rope] dims must be positive and even but got \(width)")
    }
    return width
  }
}
