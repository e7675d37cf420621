import Diagnostics
import LosslessJSON
import ModelConfig
import RoPE

extension FileError.Code {
  package static let noFullAttention: Self = "no-full-attention"
}

/// Settings to edits of a config.json, in the layout that the file already uses.
///
/// Source of the written form: section 10 of the runtimes' documentation. `rope_scaling` names its kind under both
/// spellings, numbers that are fractions by nature keep a decimal point, the original length stands inside the
/// dictionary, and the window is stated as original × factor.
package struct ConfigPlanner {
  private let config: HuggingFaceConfig
  private let settings: RoPESettings
  private let declaration: RoPEDeclaration
  private var editor: JSONEditor
  private var changes: [PlannedChange] = []

  /// - Parameter declaration: What the file says for the layers that are patched.
  /// - Throws: `jsonDisagreement` when the document reads differently in two JSON readers.
  package static func plan(
    _ config: HuggingFaceConfig, _ declaration: RoPEDeclaration, _ settings: RoPESettings
  ) throws(FileError) -> FilePlan {
    var planner = ConfigPlanner(
      config: config, settings: settings, declaration: declaration, editor: try JSONEditor(config.document))
    try planner.checkLayers()
    try planner.planDictionaries()
    try planner.planBase()
    try planner.planLengths()
    return FilePlan(
      path: config.document.path, changes: planner.changes, edits: try planner.editor.edits(),
      oldText: config.document.bytes)
  }

  // MARK: scaling dictionaries

  /// Of dictionaries for each kind of layer only the one for full attention is patched: the others do not look far back.
  private func checkLayers() throws(FileError) {
    for dictionary in config.dictionaries {
      let labels = config.layerTypes(of: dictionary)
      guard !labels.isEmpty, !labels.contains(Self.patchedLayers) else { continue }
      throw FileError(
        .noFullAttention, at: config.document.location(of: dictionary),
        found: "there are settings for \(labels.joined(separator: ", "))", expected: "some for \(Self.patchedLayers)",
        remedy: "patch by hand the layers that see the whole window")
    }
  }

  private static let patchedLayers = "full_attention"

  /// JSON pointers of the dictionaries that are to state the scaling, there or not yet.
  private var targets: [String] {
    let present = config.dictionaries.map { dictionary in
      config.layerTypes(of: dictionary).isEmpty ? dictionary : "\(dictionary)/\(Self.patchedLayers)"
    }
    return present.isEmpty && !removesScaling ? ["\(config.section)/\(emptyDictionary)"] : present
  }

  /// The dictionary to fill where none says anything: `rope_scaling`, unless the file has only the other one.
  private var emptyDictionary: String {
    func isThere(_ key: String) -> Bool { config.document["\(config.section)/\(key)"] != nil }
    return !isThere(ConfigKey.ropeScaling) && isThere(ConfigKey.ropeParameters)
      ? ConfigKey.ropeParameters : ConfigKey.ropeScaling
  }

  private mutating func planDictionaries() throws(FileError) {
    for target in targets {
      if case .object? = config.document[target]?.value {
        try planMembers(of: target)
      } else {
        let members = wantedMembers(of: target)
        try set(target, .object(members), after: [ConfigKey.ropeTheta, ConfigKey.maximum])
      }
    }
  }

  private var removesScaling: Bool { settings.method == .none || settings.method == .ntk }

  private func isLegacy(_ dictionary: String) -> Bool {
    dictionary.hasPrefix("\(config.section)/\(ConfigKey.ropeScaling)")
  }

  /// Members of the scaling dictionary in the order in which they are added.
  private func wantedMembers(of dictionary: String) -> [(String, JSONText)] {
    let kind = removesScaling ? "default" : settings.method.writesYaRN ? "yarn" : settings.method.rawValue
    var members: [(String, JSONText)] = [(ConfigKey.ropeType, .string(kind))]
    if isLegacy(dictionary) || config.document["\(dictionary)/\(ConfigKey.type)"] != nil {
      members.append((ConfigKey.type, .string(kind)))
    }
    guard !removesScaling else { return members }
    members.append((ConfigKey.factor, .float(settings.factor)))
    guard settings.method.writesYaRN else { return members }
    members.append((ConfigKey.original, .integer(settings.originalContext)))
    if let beta = settings.betaFast { members.append((ConfigKey.betaFast, .float(beta))) }
    if let beta = settings.betaSlow { members.append((ConfigKey.betaSlow, .float(beta))) }
    if let truncate = settings.truncate { members.append((ConfigKey.truncate, .bool(truncate))) }
    switch settings.magnitude {
    case .final(let value): members.append((ConfigKey.attentionFactor, .float(value)))
    case .mscale(let mscale, let allDim):
      members += [(ConfigKey.mscale, .float(mscale)), (ConfigKey.mscaleAllDim, .float(allDim))]
    case .automatic:
      // A file that spells the automatic value out keeps doing so.
      if config.document["\(dictionary)/\(ConfigKey.attentionFactor)"] != nil {
        members.append((ConfigKey.attentionFactor, .float(declaration.automaticMagnitude(factor: settings.factor))))
      }
    }
    return members
  }

  private mutating func planMembers(of dictionary: String) throws(FileError) {
    let wanted = removesScaling && isUnscaled(dictionary) ? [] : wantedMembers(of: dictionary)
    let stale = staleMembers(of: dictionary, wanted: wanted.map(\.0))
    guard !(stale.isEmpty && wanted.isEmpty) else { return }
    if removesScaling, isLegacy(dictionary), leavesOnlyKind(dictionary, stale), !installsOwnScaling {
      try set(dictionary, .null, after: [])
      return
    }
    for key in stale { try remove("\(dictionary)/\(key)") }
    var previous: [String] = []
    for (key, value) in wanted {
      try set("\(dictionary)/\(key)", value, after: previous)
      previous.insert(key, at: 0)
    }
  }

  /// Whether the kind that a dictionary names is no scaling; `mrope` is a layout of positions.
  private func isUnscaled(_ dictionary: String) -> Bool {
    let kinds = [ConfigKey.ropeType, ConfigKey.type].compactMap { config.document["\(dictionary)/\($0)"]?.value }
    return kinds.allSatisfy { kind in
      if case .string(let name) = kind { ["default", "none", "mrope"].contains(name) } else { false }
    }
  }

  private func keys(of dictionary: String) -> [String] {
    guard case .object(let members)? = config.document[dictionary]?.value else { return [] }
    return members.map(\.key)
  }

  /// Members that belong to the scaling that goes, or to a magnitude that is replaced.
  private func staleMembers(of dictionary: String, wanted: [String]) -> [String] {
    let keepsKind = declaration.scalingKind == "yarn" && settings.method.writesYaRN
    let replaced: [String] =
      switch settings.magnitude {
      // The pair also steers the softmax correction of latent attention, so there it stays beside the final value.
      case .final: declaration.usesLatentAttention ? [] : [ConfigKey.mscale, ConfigKey.mscaleAllDim]
      case .mscale: [ConfigKey.attentionFactor]
      case .automatic: []
      }
    let going = keepsKind ? replaced : ConfigKey.scalingOnly
    return keys(of: dictionary).filter { going.contains($0) && !wanted.contains($0) }
  }

  private func leavesOnlyKind(_ dictionary: String, _ stale: [String]) -> Bool {
    keys(of: dictionary).allSatisfy { stale.contains($0) || [ConfigKey.ropeType, ConfigKey.type].contains($0) }
  }

  /// Classes that put their own YaRN parameters in when the dictionary is null or missing.
  private var installsOwnScaling: Bool { ["gpt_oss", "ministral3"].contains(config.modelType ?? "") }

  // MARK: base and lengths

  private mutating func planBase() throws(FileError) {
    let places = Set(declaration.bases.compactMap(\.place.key))
    guard declaration.base?.value != settings.base || places.count > 1 else { return }
    for place in places.sorted() { try set(place, baseText(inPlaceOf: place), after: [], tolerance: 1e-12) }
    guard places.isEmpty else { return }
    // The new layout has the base inside, the old one beside the dictionary.
    let inner = config.dictionaries.isEmpty ? [] : targets.filter { !isLegacy($0) }
    let isInnerOnly = !inner.isEmpty && inner.count == targets.count
    for owner in (isInnerOnly ? [] : [config.section]) + inner {
      try set("\(owner)/\(ConfigKey.ropeTheta)", .float(settings.base), after: [ConfigKey.maximum])
    }
  }

  /// The base, without a fraction where the old one has none and the new one needs none.
  private func baseText(inPlaceOf pointer: String) -> JSONText {
    if case .number(let old)? = config.document[pointer]?.value, old.isInteger { return .number(settings.base) }
    return .float(settings.base)
  }

  private mutating func planLengths() throws(FileError) {
    // Linear and dynamic windows are multiplied by the servers themselves; the file states the length before scaling.
    let window = [.linear, .dynamic].contains(settings.method) ? settings.originalContext : settings.window
    let stated = declaration.contextLength?.value
    let present = ConfigKey.windows.map { "\(config.section)/\($0)" }.filter { config.document[$0] != nil }
    for pointer in present {
      guard case .number(let number)? = config.document[pointer]?.value, number.integer == stated else { continue }
      try set(pointer, .integer(window), after: [])
    }
    if present.isEmpty {
      try set("\(config.section)/\(ConfigKey.maximum)", .integer(window), after: [ConfigKey.ropeTheta])
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

  // MARK: edits

  /// Gives a member a value; one that already has it stays as it is spelled.
  private mutating func set(_ pointer: String, _ value: JSONText, after siblings: [String], tolerance: Double = 0)
    throws(FileError)
  {
    guard let node = config.document[pointer] else {
      let cut = pointer.lastIndex(of: "/") ?? pointer.startIndex
      try editor.insert(
        String(pointer[pointer.index(after: cut)...]), value, into: String(pointer[..<cut]), after: siblings)
      changes.append(PlannedChange(at: pointer, before: nil, after: value.compact))
      return
    }
    guard !node.value.means(value, tolerance: tolerance) else { return }
    try editor.replace(pointer, with: value)
    changes.append(PlannedChange(at: pointer, before: text(of: node), after: value.compact))
  }

  private mutating func remove(_ pointer: String) throws(FileError) {
    guard let node = config.document[pointer] else { return }
    try editor.remove(pointer)
    changes.append(PlannedChange(at: pointer, before: text(of: node), after: nil))
  }

  private func text(of node: JSONNode) -> String {
    String(decoding: config.document.bytes[node.range], as: UTF8.self)
  }
}

extension JSONValue {
  /// Whether the value already says what `text` would write.
  fileprivate func means(_ text: JSONText, tolerance: Double) -> Bool {
    switch (self, text) {
    case (.null, .null): true
    case (.bool(let mine), .bool(let other)): mine == other
    case (.string(let mine), .string(let other)): mine == other
    case (.number(let mine), .integer(let other)): mine.integer == other
    case (.number(let mine), .float(let other)), (.number(let mine), .number(let other)):
      abs(mine.double - other) <= abs(other) * tolerance
    default: false
    }
  }
}
