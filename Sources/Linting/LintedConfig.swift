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
  package let input: RuntimeInput
  package var cache: [String: [RuntimeReading]] = [:]

  package init(_ config: HuggingFaceConfig, _ surroundings: RuntimeInput.Surroundings) {
    document = config.document
    self.config = config
    let read = config.ropeDeclarations(shapes: surroundings.shapes)
    declarations = read.declarations
    problems = read.problems
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
  package var scalings: [(dictionary: ScalingDictionary, declaration: RoPEDeclaration)] {
    guard let active = config.dictionaries.first else { return [] }
    return dictionaries.filter { $0.pointer == active || $0.pointer.hasPrefix("\(active)/") }.compactMap { dictionary in
      let layer = dictionary.layerType
      let declaration = declarations.first { $0.layerType == layer } ?? (layer == nil ? declarations.first : nil)
      return declaration.map { (dictionary, $0) }
    }
  }

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

  /// JSON pointer of a member, there or not.
  package func pointer(to key: String) -> String { JSONPointer.child(key, of: pointer) }

  /// The kind as it is spelled, under either name.
  package var kind: String? {
    self[ConfigKey.ropeType]?.value.string ?? self[ConfigKey.type]?.value.string
  }
}
