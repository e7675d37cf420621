import LosslessJSON
import ModelConfig
import RoPE
import Runtimes

/// Changes of a config.json that may make runtimes agree: first those that say the same in a way that more of them
/// read, then those that leave something out.
struct ConfigVariations {
  private let config: HuggingFaceConfig
  private let readings: [RuntimeReading]
  /// One dictionary under both names.
  private(set) var layouts: [Variation] = []
  private(set) var all: [Variation] = []
  /// No scaling at all: what then agrees differed because of the kind as a whole.
  private(set) var lastResorts: [Variation] = []

  /// - Parameters:
  ///   - readings: What runtimes make of the file as it is; they lend values that the file does not state.
  ///   - aspect: What differs.
  init(_ config: HuggingFaceConfig, readings: [RuntimeReading], aspect: Effect.Aspect) {
    self.config = config
    self.readings = readings
    if aspect == .window { addWindow() }
    addLayouts()
    for dictionary in dictionaries {
      addSpellings(of: dictionary)
      addLengths(of: dictionary)
      addOuterMembers(of: dictionary)
      addMagnitudes(of: dictionary)
    }
    addBase()
    for dictionary in dictionaries { addOmissions(of: dictionary) }
    addOuterOmissions()
    addKinds()
  }

  // MARK: places

  private var section: String { config.section }
  private func outer(_ key: String) -> String { "\(section)/\(key)" }
  private func node(_ pointer: String) -> JSONNode? { config.document[pointer] }
  private func number(_ pointer: String) -> JSONNumber? { node(pointer)?.value.number }
  private func text(_ pointer: String) -> String? { node(pointer)?.value.string }

  /// Dictionaries that hold settings: the flat ones, and those of each kind of layer.
  private var dictionaries: [String] {
    config.dictionaries.flatMap { dictionary in
      let labels = config.layerTypes(of: dictionary).prefix(8)
      return labels.isEmpty ? [dictionary] : labels.map { "\(dictionary)/\($0)" }
    }
  }

  /// At most as many as any published dictionary has, and more.
  private func members(of dictionary: String) -> ArraySlice<JSONMember> {
    (node(dictionary)?.value.members ?? []).prefix(64)
  }

  private mutating func add(_ pointer: String, _ value: JSONText, _ cure: String) {
    all.append(Variation([(pointer, .json(value))], cure))
  }

  private mutating func leaveOut(_ pointer: String) {
    all.append(Variation([(pointer, .absent)], "leave \(pointer) out"))
  }

  // MARK: the same, said otherwise

  private mutating func addSpellings(of dictionary: String) {
    let spellings = [ConfigKey.ropeType, ConfigKey.type].map { "\(dictionary)/\($0)" }
    let kinds = spellings.map(text)
    if let kind = kinds[0] ?? kinds[1], kinds[0] != kinds[1] {
      let missing = kinds[0] == nil ? 0 : 1
      add(spellings[missing], .string(kind), "name the kind \(kind) as \(spellings[missing]) too")
      if kinds[0] != nil, let other = kinds[1] { add(spellings[0], .string(other), "name one kind, \(other), in both") }
    }
    for member in members(of: dictionary) {
      let pointer = "\(dictionary)/\(member.key)"
      if member.node.value.isNull { leaveOut(pointer) }
      if let number = member.node.value.number, number.isInteger,
        ![ConfigKey.original, ConfigKey.maximum].contains(member.key)
      {
        add(pointer, .float(number.double), "write \(pointer) as \(JSONText.float(number.double).compact)")
      }
    }
    let betas = [ConfigKey.betaFast, ConfigKey.betaSlow].map { "\(dictionary)/\($0)" }
    if let fast = number(betas[0])?.double, let slow = number(betas[1])?.double, fast < slow {
      all.append(
        Variation([(betas[0], .json(.float(slow))), (betas[1], .json(.float(fast)))], "swap beta_fast and beta_slow"))
    }
  }

  private mutating func addLengths(of dictionary: String) {
    let (inner, top) = ("\(dictionary)/\(ConfigKey.original)", outer(ConfigKey.original))
    let stated = [number(inner), number(top)].map { $0?.integer }
    let window = number(outer(ConfigKey.maximum))?.integer
    if stated[0] == nil {
      for length in [stated[1], window].compactMap(\.self) {
        add(inner, .integer(length), "write the original length into the dictionary: \(inner) \(length)")
      }
    }
    if let length = stated[0], length != stated[1] {
      add(top, .integer(length), "state one original length: \(top) \(length) as in \(inner)")
    }
    if let window, let factor = number("\(dictionary)/\(ConfigKey.factor)")?.double {
      if let original = stated[0] ?? stated[1], let product = Int(exactly: (Double(original) * factor).rounded()) {
        add(outer(ConfigKey.maximum), .integer(product), "set \(outer(ConfigKey.maximum)) to \(product)")
      }
      if let original = stated[1] ?? stated[0], original > 0 {
        let ratio = Double(window) / Double(original)
        add(
          "\(dictionary)/\(ConfigKey.factor)", .float(ratio),
          "set the factor to \(ratio), the window over the original length")
      }
    }
  }

  /// What some runtimes look for inside the dictionary and others beside it.
  private mutating func addOuterMembers(of dictionary: String) {
    let pairs = [ConfigKey.ropeTheta, ConfigKey.partialRotaryFactor].map { ("\(dictionary)/\($0)", outer($0)) }
    for (inner, top) in pairs {
      if let value = number(inner), number(top)?.double != value.double {
        add(top, .float(value.double), "state it in both places alike: \(top) \(value.double) as in \(inner)")
      } else if let value = number(top), node(inner) == nil {
        add(inner, .float(value.double), "state it in both places: \(inner) \(value.double) as in \(top)")
      }
    }
    let parent = dictionary.split(separator: "/").dropLast().map { "/\($0)" }.joined()
    if parent != section, let truncate = node("\(dictionary)/\(ConfigKey.truncate)")?.value.bool {
      add("\(parent)/\(ConfigKey.truncate)", .bool(truncate), "write truncate beside the layers' dictionaries as well")
    }
  }

  private mutating func addMagnitudes(of dictionary: String) {
    guard text("\(dictionary)/\(ConfigKey.ropeType)") ?? text("\(dictionary)/\(ConfigKey.type)") == "yarn",
      let factor = number("\(dictionary)/\(ConfigKey.factor)")?.double, factor > 1
    else { return }
    for magnitude in readings.compactMap({ $0.table?.attentionFactor }).uniqued() {
      let spelling = MagnitudeSpelling(magnitude, factor: factor)
      var changes = spelling.members.map {
        (key: "\(dictionary)/\($0.key)", value: Variation.Value.json(.float($0.value)))
      }
      changes.append(("\(dictionary)/\(ConfigKey.mscaleAllDim)", .absent))
      let key = [ConfigKey.attentionFactor, "attn_factor", ConfigKey.mscale, ConfigKey.mscaleAllDim]
        .first { node("\(dictionary)/\($0)") != nil }
      if let key { changes.sort { one, _ in one.key == "\(dictionary)/\(key)" } }
      all.append(
        Variation(
          changes,
          "state the magnitude \(magnitude) in all spellings: "
            + spelling.members.map { "\($0.key) \(JSONText.float($0.value).compact)" }.joined(separator: ", ")
            + ", without mscale_all_dim"))
    }
    let pair = [ConfigKey.mscale, ConfigKey.mscaleAllDim].map {
      (key: "\(dictionary)/\($0)", value: Variation.Value.json(.float(1)))
    }
    all.append(Variation(Array(pair.reversed()), "state mscale 1.0 and mscale_all_dim 1.0"))
  }

  /// For readers of only one of the two names.
  private mutating func addLayouts() {
    let names = [ConfigKey.ropeScaling, ConfigKey.ropeParameters].map(outer)
    for (name, other) in [(names[0], names[1]), (names[1], names[0])] where !config.dictionaries.contains(name) {
      guard config.dictionaries.contains(other), let node = node(other) else { continue }
      let copy = String(decoding: config.document.bytes[node.range], as: UTF8.self)
      var changes: [(key: String, value: Variation.Value)] = [(name, .json(.raw(copy)))]
      // The older layout has the base beside the dictionary.
      if name == names[0], let base = number("\(other)/\(ConfigKey.ropeTheta)") {
        changes.append((outer(ConfigKey.ropeTheta), .json(.float(base.double))))
      }
      layouts.append(Variation(changes, "write \(name) like \(other), for those who read only that", keys: [other]))
    }
  }

  private mutating func addBase() {
    let top = outer(ConfigKey.ropeTheta)
    guard node(top) == nil else { return }
    for base in readings.compactMap(\.base).uniqued() { add(top, .float(base), "state the base: \(top) \(base)") }
  }

  /// vLLM serves LongRoPE up to the original length unless it is told otherwise.
  private mutating func addWindow() {
    let top = outer(ConfigKey.original)
    guard node(top) != nil, let window = number(outer(ConfigKey.maximum))?.integer else { return }
    add(top, .integer(window), "start vLLM with --max-model-len \(window)")
  }

  // MARK: leaving out

  private mutating func addOmissions(of dictionary: String) {
    let kinds = [ConfigKey.ropeType, ConfigKey.type]
    for member in members(of: dictionary) where !kinds.contains(member.key) { leaveOut("\(dictionary)/\(member.key)") }
    if let long = node("\(dictionary)/long_factor") {
      let copy = String(decoding: config.document.bytes[long.range], as: UTF8.self)
      add("\(dictionary)/short_factor", .raw(copy), "choose one list for all lengths: no two runtimes switch alike")
    }
    if let window = number(outer(ConfigKey.maximum))?.integer {
      add("\(dictionary)/\(ConfigKey.original)", .integer(window), "check the original length")
    }
  }

  private mutating func addOuterOmissions() {
    for key in [ConfigKey.original, ConfigKey.partialRotaryFactor, ConfigKey.ropeTheta] + ConfigKey.windows
    where node(outer(key)) != nil { leaveOut(outer(key)) }
  }

  private mutating func addKinds() {
    let kind = [ConfigKey.ropeType, ConfigKey.type]
    let unscaled = kind.map { (key: $0, value: JSONText.string("default")) }
    for dictionary in dictionaries {
      let pointers = kind.map { "\(dictionary)/\($0)" }
      guard let name = pointers.lazy.compactMap(text).first else { continue }
      let base = number("\(dictionary)/\(ConfigKey.ropeTheta)").map {
        [(ConfigKey.ropeTheta, JSONText.float($0.double))]
      }
      lastResorts.append(
        Variation(
          [(dictionary, .json(.object(unscaled + (base ?? []))))],
          "choose another kind than \(name), which these runtimes do not implement alike",
          keys: pointers.filter { node($0) != nil }))
    }
    guard config.dictionaries.isEmpty else { return }
    lastResorts.append(
      Variation(
        [(outer(ConfigKey.ropeScaling), .json(.object(unscaled)))],
        "write the scaling that is meant: some runtimes supply one of their own where the file names none"))
  }
}
