import Diagnostics
import LosslessJSON

/// What one file declares, and what is wrong with it.
public struct FileDeclarations: Sendable {
  /// One entry for each kind of layer, full attention first. Empty when the model has no RoPE.
  public var declarations: [RoPEDeclaration] = []
  /// Values that no runtime can use, in file order, one for each place. A command that computes or writes throws the
  /// first one.
  public var problems: [FileError] = []

  package init(declarations: [RoPEDeclaration] = [], problems: [FileError] = []) {
    self.declarations = declarations
    // A member that several layers or members depend on is read more than once.
    var places: Set<SourceLocation> = []
    self.problems = problems.filter { places.insert($0.location).inserted }.sorted {
      $0.location.byteOffset ?? 0 < $1.location.byteOffset ?? 0
    }
  }
}

extension HuggingFaceConfig {
  /// Reads every layout: `rope_scaling` beside a top-level base, `rope_parameters` flat or per layer type, both.
  ///
  /// - Parameter shapes: Head size found in the weights, used where the file is silent.
  public func ropeDeclarations(shapes: TensorShapes = TensorShapes()) -> FileDeclarations {
    if let refusal = withoutRotation { return FileDeclarations(problems: [refusal]) }
    var reader = SettingReader(self)
    for key in [ConfigKey.ropeScaling, ConfigKey.ropeParameters] { reader.expectDictionary("\(section)/\(key)") }
    let window = ConfigKey.windows.compactMap { self.node($0)?.pointer }.compactMap { reader.length($0) }.first
    let topBases = baseMembers.compactMap { reader.base($0) }
    let active = dictionaries.first
    let labels = active.map(layerTypes) ?? []

    var declarations: [RoPEDeclaration] = []
    for label in labels.isEmpty ? [nil] : labels.map(Optional.some) {
      var declaration = RoPEDeclaration(layerType: label)
      declaration.contextLength = window
      if let active {
        readScaling(at: label.map { "\(active)/\($0)" } ?? active, outer: active, into: &declaration, with: &reader)
      }
      if label == nil {
        for other in dictionaries.dropFirst() where layerTypes(of: other).isEmpty {
          if let base = reader.base("\(other)/\(ConfigKey.ropeTheta)") { declaration.bases.append(base) }
        }
      }
      if label == nil || declaration.bases.isEmpty { declaration.bases.insert(contentsOf: topBases, at: 0) }
      declaration.base = declaration.bases.first
      // Layers that slide are unscaled by their own words; for the others it may be the trace of a static NTK change.
      let takesOuter =
        declaration.kind == nil || declaration.scalingKind != nil || [nil, "full_attention"].contains(label)
      if declaration.originalContext == nil, takesOuter {
        declaration.originalContext = node(ConfigKey.original).flatMap { reader.length($0.pointer) }
      }
      readDimensions(label: label, shapes: shapes, into: &declaration, with: &reader)
      declarations.append(declaration)
    }
    if labels.isEmpty, let local = ConfigKey.localBases.lazy.compactMap({ self.node($0)?.pointer }).first,
      let base = reader.base(local), var sliding = declarations.first
    {
      sliding = sliding.unscaled(base: base)
      declarations[0].layerType = "full_attention"
      declarations.append(sliding)
    }
    declarations.sort { $0.layerType == "full_attention" && $1.layerType != "full_attention" }
    return FileDeclarations(declarations: declarations, problems: reader.problems)
  }

  /// Pointers of members outside the scaling dictionaries that state the base.
  package var baseMembers: [String] {
    ConfigKey.baseAliases.compactMap { node($0)?.pointer }
      + ["\(section)/attn_config/\(ConfigKey.ropeTheta)"].filter { document[$0] != nil }
  }

  /// Pointers of every member that states the base of the layers a patch concerns, usable or not.
  package var patchedBases: [String] {
    let inner = dictionaries.map { layerTypes(of: $0).isEmpty ? $0 : "\($0)/full_attention" }
    let isPerLayer = inner.contains { $0.hasSuffix("/full_attention") }
    let places = inner.map { "\($0)/\(ConfigKey.ropeTheta)" }.filter { document[$0] != nil }
    // Where the layers have bases of their own, one beside them is for those that have none.
    return isPerLayer && !places.isEmpty ? places : baseMembers + places
  }

  /// Whether a scaling dictionary, a base or a rotary width is stated anywhere in the language section.
  private var statesRotation: Bool {
    !dictionaries.isEmpty || !baseMembers.isEmpty
      || (ConfigKey.partialFactors + ["rotary_dim", "qk_rope_head_dim"]).contains { node($0) != nil }
  }

  private var withoutRotation: FileError? {
    for key in ["alibi", "use_alibi", "attn_config", "alibi_starting_size", "position_embedding_type"] {
      guard var (pointer, node) = node(key) else { continue }
      if key == "attn_config" {
        guard let inner = node.child("alibi") else { continue }
        (pointer, node) = ("\(pointer)/alibi", inner)
      }
      switch node.value {
      // MosaicBERT and its kin keep the model type of BERT; this number alone tells them apart.
      case .number where key == "alibi_starting_size", .bool(true), .string("alibi"):
        return PositionEncoding.alibi.refusal(of: modelType ?? "this model", at: place(pointer))
      default: continue
      }
    }
    guard let family = modelType, !statesRotation else { return nil }
    if let encoding = PositionEncoding.families[family] {
      return encoding.refusal(of: family, at: place(node("model_type")?.pointer ?? section))
    }
    // Baichuan's 13B code uses ALiBi, its 7B code RoPE; the class name with a capital C and the width 4096 are the
    // 7B's, as vLLM decides it.
    if family == "baichuan", architecture != "BaiChuanForCausalLM",
      case .number(let width)? = node("hidden_size")?.node.value, width.integer != 4096
    {
      return PositionEncoding.alibi.refusal(of: "baichuan 13B", at: place("\(section)/hidden_size"))
    }
    return nil
  }

  private func readScaling(
    at pointer: String, outer: String, into declaration: inout RoPEDeclaration, with reader: inout SettingReader
  ) {
    func member(_ key: String) -> String { "\(pointer)/\(key)" }
    declaration.kind = reader.text(member(ConfigKey.ropeType)) ?? reader.text(member(ConfigKey.type))
    if let base = reader.base(member(ConfigKey.ropeTheta)) { declaration.bases.append(base) }
    declaration.factor = reader.factor(member(ConfigKey.factor))
    declaration.originalContext =
      reader.length(member(ConfigKey.original))
      ?? (pointer == outer ? nil : reader.length("\(outer)/\(ConfigKey.original)"))
    declaration.betaFast = reader.positive(member(ConfigKey.betaFast))
    declaration.betaSlow = reader.positive(member(ConfigKey.betaSlow))
    declaration.attentionFactor = reader.number(
      member(ConfigKey.attentionFactor), expected: "a finite number of at least 0"
    ) { $0 >= 0 }
    declaration.mscale = reader.number(member(ConfigKey.mscale), expected: "a finite number") { _ in true }
    declaration.mscaleAllDim = reader.number(member(ConfigKey.mscaleAllDim), expected: "a finite number") { _ in true }
    declaration.truncate = reader.flag(member(ConfigKey.truncate))
    declaration.lowFrequencyFactor = reader.positive(member("low_freq_factor"))
    declaration.highFrequencyFactor = reader.positive(member("high_freq_factor"))
    declaration.shortFactors = reader.numbers(member("short_factor"))
    declaration.longFactors = reader.numbers(member("long_factor"))
    declaration.mropeSection = reader.numbers(
      member("mrope_section"), expected: "a whole number of at least 0", where: { $0 >= 0 && Int(exactly: $0) != nil }
    )?.map { $0.compactMap { Int(exactly: $0) } }
  }

  /// Head size and how much of it rotates.
  private func readDimensions(
    label: String?, shapes: TensorShapes, into declaration: inout RoPEDeclaration, with reader: inout SettingReader
  ) {
    func length(_ keys: [String]) -> Declared<Int>? {
      keys.compactMap { self.node($0)?.pointer }.compactMap { reader.length($0) }.first
    }
    /// Families with latent attention state parts of size 0 for models that have ordinary heads.
    func latentPart(_ key: String) -> Declared<Int>? {
      node(key)?.node.value.number?.double == 0 ? nil : length([key])
    }
    if let rotary = latentPart("qk_rope_head_dim") {
      let plain = latentPart("qk_nope_head_dim")
      declaration.usesLatentAttention = true
      declaration.headDimension = plain.map { Declared($0.value + rotary.value, at: $0.place) } ?? rotary
      reader.problems += declaration.refuseLongHead()
      declaration.rotaryDimension = rotary
    } else {
      let global = label == "full_attention" ? length(["global_head_dim"]) : nil
      declaration.headDimension =
        global ?? length(["head_dim", "kv_channels", "attention_head_dim"])
        ?? shapes.headDimension(
          heads: length(["num_attention_heads", "n_head", "n_heads"])?.value,
          keyHeads: length(["num_key_value_heads", "num_kv_heads", "n_head_kv"])?.value)
        ?? quotient(
          length(ConfigKey.widths), length(["num_attention_heads", "n_head", "n_heads"]))
      let rotatesWholly = !ConfigKey.partlyRotatingFamilies.contains(modelType ?? "")
      reader.problems += declaration.refuseLongHead()
      declaration.rotaryDimension =
        length(["rotary_dim"]) ?? partialRotary(of: declaration.headDimension, label: label, with: &reader)
        ?? (rotatesWholly ? declaration.headDimension : nil) ?? shapes.rotaryDimension
    }
    guard let rotary = declaration.rotaryDimension else { return }
    let head = declaration.headDimension?.value ?? rotary.value
    if rotary.value < 2 || rotary.value % 2 != 0 || rotary.value > head {
      reader.problems.append(
        FileError(
          .badRotaryDimension, at: rotary.place, found: "the rotary dimension is \(rotary.value) of a head of \(head)",
          expected: "an even number from 2 to the head size",
          remedy: "correct head_dim or the rotary share; pairs of elements rotate together"))
      declaration.rotaryDimension = nil
    }
  }

  /// What the hidden size leaves over when it is divided by the heads; 0 where the file need not be divided.
  package var headDimensionRemainder: Int {
    guard
      integer([ConfigKey.headDimension, "kv_channels", "attention_head_dim", ConfigKey.latentRotaryDimension]) == nil,
      let width = integer(ConfigKey.widths), let heads = integer(["num_attention_heads", "n_head", "n_heads"]),
      heads > 0
    else { return 0 }
    return width % heads
  }

  private func quotient(_ width: Declared<Int>?, _ heads: Declared<Int>?) -> Declared<Int>? {
    guard let width, let heads, width.value >= heads.value else { return nil }
    return Declared(width.value / heads.value, at: width.place)
  }

  /// The head size times a partial rotary factor, which stands in the scaling dictionary or beside it.
  private func partialRotary(
    of head: Declared<Int>?, label: String?, with reader: inout SettingReader
  ) -> Declared<Int>? {
    guard let head else { return nil }
    let inner = dictionaries.first.map { dictionary in label.map { "\(dictionary)/\($0)" } ?? dictionary }
    let places = inner.map { inner in ConfigKey.partialFactors.map { "\(inner)/\($0)" } } ?? []
    for pointer in places + ConfigKey.partialFactors.compactMap({ node($0)?.pointer }) {
      let share = reader.number(pointer, code: .badRotaryDimension, expected: "a share above 0 and at most 1") {
        $0 > 0 && $0 <= 1
      }
      if let share { return share.map { Int(Double(head.value) * $0) } }
    }
    return nil
  }
}

extension RoPEDeclaration {
  /// The same layers' dimensions and window with another base and no scaling.
  fileprivate func unscaled(base: Declared<Double>) -> RoPEDeclaration {
    var result = RoPEDeclaration(layerType: "sliding_attention")
    result.base = base
    result.bases = [base]
    result.contextLength = contextLength
    result.headDimension = headDimension
    result.rotaryDimension = rotaryDimension
    return result
  }
}
