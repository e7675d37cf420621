import Diagnostics
import LosslessJSON
import ModelConfig
import Runtimes

/// A config.json as rules look at it.
package final class LintedConfig: LintedFile {
  package let document: JSONDocument
  package let config: HuggingFaceConfig
  package let declarations: [RoPEDeclaration]
  /// Values that no equation can use.
  package let problems: [FileError]
  package let traits: ModelTraits?
  package let input: RuntimeInput
  package var cache: [String: [RuntimeReading]] = [:]

  package init(_ config: HuggingFaceConfig, _ surroundings: RuntimeInput.Surroundings) {
    document = config.document
    self.config = config
    let read = config.ropeDeclarations(shapes: surroundings.shapes)
    declarations = read.declarations
    problems = read.problems
    traits = read.declarations.first.map { ModelTraits($0, shape: config.shape) }
    input = .config(config, surroundings)
  }

  package var path: String { document.path }
  package var family: String? { config.modelType }
  package var shape: ModelShape? { config.shape }

  /// Dictionaries with scaling values, of every layout and kind of layer, in the order of readers' preference.
  package private(set) lazy var dictionaries: [ScalingDictionary] = config.dictionaries.flatMap { outer in
    let labels = config.layerTypes(of: outer)
    return labels.isEmpty
      ? [ScalingDictionary(pointer: outer, layerType: nil, in: document)]
      : labels.map { ScalingDictionary(pointer: "\(outer)/\($0)", layerType: $0, in: document) }
  }

  /// The dictionaries that most readers take, each with what it declares.
  package private(set) lazy var scalings: [(dictionary: ScalingDictionary, declaration: RoPEDeclaration)] = {
    guard let active = config.dictionaries.first else { return [] }
    return dictionaries.filter { $0.pointer == active || $0.pointer.hasPrefix("\(active)/") }.compactMap { dictionary in
      let layer = dictionary.layerType
      let declaration = declarations.first { $0.layerType == layer } ?? (layer == nil ? declarations.first : nil)
      return declaration.map { (dictionary, $0) }
    }
  }()

  /// A member of the language section, else of the whole document.
  package func member(_ key: String) -> (pointer: String, node: JSONNode)? { config.node(key) }

  /// A finding at a JSON pointer of this file.
  package func finding(
    _ severity: Severity, at pointer: String, _ message: String, expected: String? = nil, actual: String? = nil,
    runtimes: [String] = [], fix: Fix? = nil
  ) -> Finding {
    let text = actual ?? document[pointer]?.value.noun
    return Finding(
      severity, at: document.location(of: pointer), message, expected: expected, actual: text, runtimes: runtimes,
      fix: fix)
  }

  /// A value to state at a JSON pointer of this file, `nil` to take it out.
  package func change(_ pointer: String, _ value: JSONText?, after siblings: [String] = []) -> SettingChange {
    SettingChange(path, pointer, value.map { .json($0) } ?? .absent, after: siblings)
  }

  /// The text of a value as it stands there.
  package func text(of node: JSONNode) -> String { String(decoding: document.bytes[node.range], as: UTF8.self) }

  /// The file as it would be after some changes; `nil` when they do not fit.
  package func imagining(_ changes: [SettingChange]) -> LintedConfig? {
    guard case .config(_, let surroundings) = input, let edits = try? document.edits(for: changes),
      let text = edits.apply(to: document.bytes), let changed = try? JSONDocument(text, path: path)
    else { return nil }
    return (try? HuggingFaceConfig(changed)).map { LintedConfig($0, surroundings) }
  }

  /// What each of some runtimes makes of the layers that a dictionary is for.
  package func readings(of runtimes: [Runtime], for dictionary: ScalingDictionary) -> [RuntimeReading] {
    runtimes.filter { $0.formats.contains(.config) }.compactMap { runtime in
      let readings = readings(of: runtime)
      return readings.first { $0.layerType == dictionary.layerType } ?? readings.first
    }
  }
}

/// An object that holds scaling values: `rope_scaling`, `rope_parameters`, or the part of one for a kind of layer.
package struct ScalingDictionary {
  package let pointer: String
  package let layerType: String?
  package let members: [JSONMember]

  init(pointer: String, layerType: String?, in document: JSONDocument) {
    self.pointer = pointer
    self.layerType = layerType
    members = document[pointer]?.value.members ?? []
  }

  /// A member's value; the last when the key occurs twice, as readers take it.
  package subscript(key: String) -> JSONNode? { members.last { $0.key == key }?.node }

  /// A member's finite number.
  package func number(_ key: String) -> Double? {
    self[key]?.value.number.flatMap { $0.double.isFinite ? $0.double : nil }
  }

  /// Whether a member is there and is not null.
  package func states(_ key: String) -> Bool { self[key].map { !$0.value.isNull } ?? false }

  /// JSON pointer of a member, there or not.
  package func pointer(to key: String) -> String { JSONPointer.child(key, of: pointer) }

  /// The kind as it is spelled, under either name.
  package var kind: String? {
    self[ConfigKey.ropeType]?.value.string ?? self[ConfigKey.type]?.value.string
  }
}

extension JSONNode {
  /// Whether two values mean the same: numbers by value, objects without regard to order.
  func means(_ other: JSONNode) -> Bool {
    if let mine = value.number, let theirs = other.value.number {
      return mine == theirs || mine.double == theirs.double
    }
    guard let mine = value.members, let theirs = other.value.members else {
      return firstDifference(from: other) == nil
    }
    return mine.count == theirs.count && mine.allSatisfy { other.child($0.key).map($0.node.means) ?? false }
  }
}
