import Diagnostics
import LosslessJSON
import ModelConfig

// What stands beside the scaling dictionaries: base, rotating share, window, original length.
extension ConfigPlanner {
  mutating func planBase() throws(FileError) {
    let places = Set(declaration.bases.compactMap(\.place.key) + config.patchedBases)
    if declaration.base?.value != settings.base || places.count > 1 {
      for place in places.sorted() { try set(place, baseText(inPlaceOf: place), after: [], tolerance: 1e-12) }
    }
    // The new layout has the base inside, the old one beside the dictionary.
    let inner = config.dictionaries.isEmpty ? [] : targets.filter { !isLegacy($0) }
    let isInnerOnly = !inner.isEmpty && inner.count == targets.count
    guard places.isEmpty || spelling.repeatsAtTop else { return }
    let needsTop = spelling.repeatsAtTop || (config.baseMembers.isEmpty && !isInnerOnly)
    for owner in (needsTop ? [config.section] : []) + inner
    where config.document["\(owner)/\(ConfigKey.ropeTheta)"] == nil {
      try set("\(owner)/\(ConfigKey.ropeTheta)", .float(settings.base), after: [ConfigKey.maximum])
    }
    if spelling.repeatsAtTop { try repeatShare(inside: inner) }
  }

  /// The rotating share of a head at the top level, where it stands inside a dictionary or under another name.
  private mutating func repeatShare(inside dictionaries: [String]) throws(FileError) {
    let key = ConfigKey.partialRotaryFactor
    let shares = dictionaries.compactMap { config.document["\($0)/\(key)"].map { JSONText.raw(text(of: $0)) } }
    var share = shares.first
    if share == nil, !declaration.usesLatentAttention, let head = declaration.headDimension?.value,
      head > settings.rotaryDimension
    {
      share = .float(Double(settings.rotaryDimension) / Double(head))
    }
    guard let share, config.document["\(config.section)/\(key)"] == nil else { return }
    try set("\(config.section)/\(key)", share, after: [ConfigKey.ropeTheta, ConfigKey.maximum])
  }

  /// The base, without a fraction where the old one has none and the new one needs none.
  private func baseText(inPlaceOf pointer: String) -> JSONText {
    if case .number(let old)? = config.document[pointer]?.value, old.isInteger { return .number(settings.base) }
    return .float(settings.base)
  }

  mutating func planLengths() throws(FileError) {
    // Linear and dynamic windows are multiplied by the servers themselves; the file states the length before scaling.
    let window = [.linear, .dynamic].contains(settings.method) ? settings.originalContext : settings.window
    let stated = declaration.contextLength?.value
    let present = ConfigKey.windows.map { "\(config.section)/\($0)" }.filter { config.document[$0] != nil }
    for pointer in present {
      guard case .number(let number)? = config.document[pointer]?.value, number.integer == stated else { continue }
      try set(pointer, .integer(window), after: [])
    }
    let maximum = "\(config.section)/\(ConfigKey.maximum)"
    if present.isEmpty || (spelling.repeatsAtTop && !present.contains(maximum)) {
      try set(maximum, .integer(window), after: [ConfigKey.ropeTheta])
    }

    let outer = "\(config.section)/\(ConfigKey.original)"
    let shared = config.dictionaries.map { "\($0)/\(ConfigKey.original)" }.filter {
      config.document[$0] != nil && !config.layerTypes(of: String($0.dropLast(ConfigKey.original.count + 1))).isEmpty
    }
    for pointer in shared where settings.method.writesYaRN {
      try set(pointer, .integer(settings.originalContext), after: [])
    }
    if settings.method == .ntk {
      // The only trace of what the base was raised from; readers look at this member for other kinds only.
      try set(outer, .integer(settings.originalContext), after: [ConfigKey.maximum])
    } else if config.document[outer] != nil {
      if declaration.staticNTKFactor != nil {
        try remove(outer)
      } else {
        try set(outer, .integer(settings.originalContext), after: [])
      }
    }
  }
}
