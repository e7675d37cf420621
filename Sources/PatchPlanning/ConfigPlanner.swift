import Agreement
import Diagnostics
import LosslessJSON
import ModelConfig
import RoPE

extension FileError.Code {
  package static let noFullAttention: Self = "no-full-attention"
}

/// Settings to edits of a config.json, in the layout that the file already uses and what a spelling adds to it.
///
/// Numbers that are fractions by nature keep a
/// decimal point, the original length stands inside the dictionary, and the window is stated as original × factor.
package struct ConfigPlanner {
  let config: HuggingFaceConfig
  let settings: RoPESettings
  let spelling: ConfigSpelling
  let declaration: RoPEDeclaration
  private var editor: JSONEditor
  private var changes: [PlannedChange] = []

  /// - Parameter declaration: What the file says for the layers that are patched.
  /// - Throws: `jsonDisagreement` when the document reads differently in two JSON readers.
  package static func plan(
    _ config: HuggingFaceConfig, _ declaration: RoPEDeclaration, _ settings: RoPESettings,
    _ spelling: ConfigSpelling = ConfigSpelling()
  ) throws(FileError) -> FilePlan {
    var planner = ConfigPlanner(
      config: config, settings: settings, spelling: spelling, declaration: declaration,
      editor: try JSONEditor(config.document))
    try planner.checkLayers()
    try planner.planDictionaries()
    try planner.planOtherDictionary()
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
  var targets: [String] {
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
      if spelling.repeatsAtTop, let truncate = settings.truncate, target.hasSuffix("/\(Self.patchedLayers)") {
        // transformers 5 looks for it beside the layers' dictionaries, not inside them.
        let outer = String(target.dropLast(Self.patchedLayers.count + 1))
        try set("\(outer)/\(ConfigKey.truncate)", .bool(truncate), after: [Self.patchedLayers])
      }
    }
  }

  private var removesScaling: Bool { settings.method == .none || settings.method == .ntk }

  func isLegacy(_ dictionary: String) -> Bool {
    dictionary.hasPrefix("\(config.section)/\(ConfigKey.ropeScaling)")
  }

  /// Members of the scaling dictionary in the order in which they are added.
  private func wantedMembers(of dictionary: String) -> [(String, JSONText)] {
    let kind = removesScaling ? "default" : settings.method.writesYaRN ? "yarn" : settings.method.rawValue
    var members: [(String, JSONText)] = [(ConfigKey.ropeType, .string(kind))]
    if spelling.namesKindTwice || config.document["\(dictionary)/\(ConfigKey.type)"] != nil {
      members.append((ConfigKey.type, .string(kind)))
    }
    guard !removesScaling else { return members }
    members.append((ConfigKey.factor, .float(settings.factor)))
    guard settings.method.writesYaRN else { return members }
    members.append((ConfigKey.original, .integer(settings.originalContext)))
    let usual: (Double?, Double?) = spelling.statesBetas ? (32, 1) : (nil, nil)
    if let beta = settings.betaFast ?? usual.0 { members.append((ConfigKey.betaFast, .float(beta))) }
    if let beta = settings.betaSlow ?? usual.1 { members.append((ConfigKey.betaSlow, .float(beta))) }
    if let truncate = settings.truncate { members.append((ConfigKey.truncate, .bool(truncate))) }
    return members + magnitudeMembers(of: dictionary).map { ($0.key, .float($0.value)) }
  }

  private func magnitudeMembers(of dictionary: String) -> [(key: String, value: Double)] {
    switch settings.magnitude {
    case .final(let value):
      switch spelling.magnitude {
      case .plain: return [(ConfigKey.attentionFactor, value)]
      case .everyMember: return MagnitudeSpelling(value, factor: settings.factor).members
      case .ratio:
        // Latent attention without the divisor has no correction of its softmax scale, and is to get none.
        let allDim = declaration.mscaleAllDim?.value ?? (declaration.usesLatentAttention ? 0 : 1)
        return MagnitudeSpelling(value, factor: settings.factor, mscaleAllDim: allDim).members
      }
    case .mscale(let mscale, let allDim):
      return [(ConfigKey.mscale, mscale), (ConfigKey.mscaleAllDim, allDim)]
    case .automatic:
      // A file that spells the automatic value out keeps doing so.
      guard config.document["\(dictionary)/\(ConfigKey.attentionFactor)"] != nil else { return [] }
      return [(ConfigKey.attentionFactor, declaration.automaticMagnitude(factor: settings.factor))]
    }
  }

  /// The dictionary of the other layout, for runtimes that look only there.
  private mutating func planOtherDictionary() throws(FileError) {
    guard spelling.fillsBothDictionaries, !removesScaling, config.dictionaries.count < 2, let source = targets.first
    else { return }
    let other = "\(config.section)/\(isLegacy(source) ? ConfigKey.ropeParameters : ConfigKey.ropeScaling)"
    var members = wantedMembers(of: source)
    if !isLegacy(other) { members.append((ConfigKey.ropeTheta, .float(settings.base))) }
    // What the first one holds beside the scaling goes along: readers of the second do not look there.
    let dropped = staleMembers(of: source, wanted: []) + [ConfigKey.ropeTheta] + members.map(\.0)
    for key in keys(of: source) where !dropped.contains(key) {
      if let node = config.document["\(source)/\(key)"] { members.append((key, .raw(text(of: node)))) }
    }
    try set(other, .object(members), after: [String(source.split(separator: "/").last ?? ""), ConfigKey.maximum])
  }

  private mutating func planMembers(of dictionary: String) throws(FileError) {
    let wanted = removesScaling && isUnscaled(dictionary) ? [] : wantedMembers(of: dictionary)
    let stale = staleMembers(of: dictionary, wanted: wanted.map(\.0))
    guard !(stale.isEmpty && wanted.isEmpty) else { return }
    if removesScaling, isLegacy(dictionary), leavesOnlyKind(dictionary, stale), !installsOwnScaling,
      !spelling.namesKindTwice
    {
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
      case .final:
        [ConfigKey.attnFactor, ConfigKey.attentionFactor]
          + (declaration.usesLatentAttention ? [] : [ConfigKey.mscale, ConfigKey.mscaleAllDim])
      case .mscale: [ConfigKey.attentionFactor, ConfigKey.attnFactor]
      case .automatic: spelling.magnitude == .plain ? [] : strayMagnitudes(in: dictionary)
      }
    let going = keepsKind ? replaced : ConfigKey.scalingOnly
    return keys(of: dictionary).filter { going.contains($0) && !wanted.contains($0) }
  }

  /// Members that change the magnitude for some runtimes where the automatic one is meant.
  private func strayMagnitudes(in dictionary: String) -> [String] {
    let isComplete = declaration.mscale != nil && declaration.mscaleAllDim != nil
    return [ConfigKey.attnFactor] + (isComplete ? [] : [ConfigKey.mscale, ConfigKey.mscaleAllDim])
  }

  private func leavesOnlyKind(_ dictionary: String, _ stale: [String]) -> Bool {
    keys(of: dictionary).allSatisfy { stale.contains($0) || [ConfigKey.ropeType, ConfigKey.type].contains($0) }
  }

  /// Classes that put their own YaRN parameters in when the dictionary is null or missing.
  private var installsOwnScaling: Bool { ["gpt_oss", "ministral3"].contains(config.modelType ?? "") }

  // MARK: edits

  /// Gives a member a value; one that already has it stays as it is spelled.
  mutating func set(_ pointer: String, _ value: JSONText, after siblings: [String], tolerance: Double = 0)
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

  mutating func remove(_ pointer: String) throws(FileError) {
    guard let node = config.document[pointer] else { return }
    try editor.remove(pointer)
    changes.append(PlannedChange(at: pointer, before: text(of: node), after: nil))
  }

  func text(of node: JSONNode) -> String {
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
