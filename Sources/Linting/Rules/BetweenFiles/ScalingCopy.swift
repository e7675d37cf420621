import GGUF
import LosslessJSON
import ModelConfig

extension Fix {
  /// Gives a file the scaling of another one: kind, factor, original length, magnitude and window.
  ///
  /// - Returns: `nil` unless the source says all that its kind needs in the file's format, and the file has one setting
  ///   for all layers that can hold it: no table of divisors and no sections of a multimodal position.
  static func copyScaling(of source: any LintedFile, to file: any LintedFile) -> Fix? {
    guard let declaration = source.declaration, let kind = declaration.scalingKind, declaration.factor != nil,
      declaration.encodedDivisors == nil, source.declarations.count == 1, file.declarations.count == 1,
      kind == "linear" || declaration.originalContext != nil
    else { return nil }
    let changes: [SettingChange]?
    switch (file, source) {
    case (let gguf as LintedGGUF, _): changes = gguf.scalingChanges(from: declaration, kind: kind)
    case (let config as LintedConfig, let other as LintedConfig):
      changes = config.scalingChanges(from: declaration, other.statedScaling)
    case (let config as LintedConfig, _):
      changes = config.scalingChanges(from: declaration, declaration.stated(kind: kind))
    default: changes = nil
    }
    let settings = ComparedSettings(source, asConverted: false)
    return changes.map { .unsafe("state \(settings?.phrase ?? kind) as \(source.path) does", $0) }
  }
}

extension LintedGGUF {
  fileprivate func scalingChanges(from source: RoPEDeclaration, kind: String) -> [SettingChange]? {
    guard tensors.isEmpty, ["yarn", "linear"].contains(kind), let declaration,
      let factor = source.factor.map({ Float($0.value) }), factor.isFinite, factor > 0
    else { return nil }
    var changes = [
      change(keys.type, .string(kind)), change(keys.factor, .float32(factor)), change(keys.oldFactor, nil),
    ]
    for (key, length) in [(keys.original, source.originalContext), (keys.contextLength, source.contextLength)] {
      if let length = length.flatMap({ UInt32(exactly: $0.value) }) { changes.append(change(key, .uint32(length))) }
    }
    guard kind == "yarn" else { return changes }
    let wanted = source.attentionFactor?.value ?? source.automaticMagnitude(factor: Double(factor))
    let relative = Float(wanted / declaration.automaticMagnitude(factor: Double(factor)))
    let isAutomatic = abs(relative - 1) <= 1e-6 || !relative.isFinite
    return changes + [change(keys.attentionFactor, isAutomatic ? nil : .float32(relative))]
  }
}

private typealias Members = [(key: String, value: JSONText)]

extension RoPEDeclaration {
  /// Members of a scaling dictionary that says the same.
  fileprivate func stated(kind: String) -> Members {
    let numbers = [
      (ConfigKey.factor, factor), (ConfigKey.betaFast, betaFast), (ConfigKey.betaSlow, betaSlow),
      (ConfigKey.attentionFactor, attentionFactor), (ConfigKey.mscale, mscale), (ConfigKey.mscaleAllDim, mscaleAllDim),
    ].compactMap { key, value in value.map { (key: key, value: JSONText.float($0.value)) } }
    return [(ConfigKey.ropeType, .string(kind))] + numbers
      + (originalContext.map { [(ConfigKey.original, .integer($0.value))] } ?? [])
  }
}

extension LintedConfig {
  /// The scaling values as they stand in the dictionary, with the kind under its present name.
  fileprivate var statedScaling: Members {
    guard let active = dictionaries.first, let kind = active.kind else { return [] }
    var members: Members = [(ConfigKey.ropeType, .string(kind))]
    for member in active.members where ConfigKey.scalingOnly.contains(member.key) {
      members.append((member.key, .raw(text(of: member.node))))
    }
    if active[ConfigKey.original] == nil, let original = declaration?.originalContext {
      members.append((ConfigKey.original, .integer(original.value)))
    }
    return members
  }

  fileprivate func scalingChanges(from source: RoPEDeclaration, _ stated: Members) -> [SettingChange]? {
    let active = dictionaries.first
    guard active?["mrope_section"] == nil, let kind = stated.first else { return nil }
    var members = stated
    var changes: [SettingChange]
    if let active {
      if active[ConfigKey.type] != nil { members.append((ConfigKey.type, kind.value)) }
      changes = members.map { change(active.pointer(to: $0.key), $0.value, after: [ConfigKey.ropeType]) }
      let stale = ConfigKey.scalingOnly.filter { key in active[key] != nil && !members.contains { $0.key == key } }
      changes += stale.map { change(active.pointer(to: $0), nil) }
    } else {
      let pointer = "\(config.section)/\(ConfigKey.ropeScaling)"
      changes = [change(pointer, .object(members), after: [ConfigKey.ropeTheta, ConfigKey.maximum])]
    }
    if let window = source.contextLength {
      let pointer = member(ConfigKey.maximum)?.pointer ?? "\(config.section)/\(ConfigKey.maximum)"
      changes.append(change(pointer, .integer(window.value)))
    }
    return changes
  }
}
