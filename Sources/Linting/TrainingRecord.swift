import Diagnostics
import LosslessJSON
import ModelConfig
import Safetensors

/// What the files beside a model say about the RoPE settings that it was trained with.
struct TrainingRecord {
  /// The file and the place in it, as a phrase.
  var source: String
  /// Scaling kind in one spelling; `nil` where none is recorded, and for plain RoPE, which YaRN may follow.
  var kind: String?
  var factor: Double?
  var base: Double?
}

extension LintedModel {
  /// Members of `args.json` and `training_args.json`, and of the first safetensors file with such metadata.
  ///
  /// They are named as in config.json: `rope_scaling` or `rope_parameters`, an object or the name of a kind, and
  /// `rope_theta`.
  var trainingRecords: [TrainingRecord] {
    let arguments = ["args.json", "training_args.json"].compactMap { name in
      siblings[name].flatMap { document in
        TrainingRecord(name) { key in document[JSONPointer.child(key, of: "")]?.value }
      }
    }
    let metadata = weights.lazy.compactMap { file -> TrainingRecord? in
      guard let entries = file.metadata else { return nil }
      return TrainingRecord("__metadata__") { key in
        entries.first { $0.key == key }.map { .string($0.value) }
      }
    }
    return arguments + [metadata.first].compactMap(\.self)
  }

  /// In metadata and in some programs' arguments an object or a number stands as the text of its JSON.
  fileprivate static func value(of text: String) -> JSONValue? {
    guard text.utf8.count <= 1 << 16 else { return nil }
    return (try? JSONDocument(Array(text.utf8), path: ""))?.root.value ?? .string(text)
  }
}

extension TrainingRecord {
  /// - Returns: `nil` when nothing is recorded; a null is no record, since programs write it for "as the model has it".
  fileprivate init?(_ source: String, _ member: (String) -> JSONValue?) {
    func recorded(_ key: String) -> JSONValue? {
      let value = member(key)
      return value?.string.flatMap(LintedModel.value) ?? value
    }
    self.source = source
    for key in [ConfigKey.ropeScaling, ConfigKey.ropeParameters] where kind == nil {
      switch recorded(key) {
      case .string(let name): kind = Self.kind(name)
      case .object(let members):
        func value(_ key: String) -> JSONValue? { members.last { $0.key == key }?.node.value }
        kind = (value(ConfigKey.ropeType) ?? value(ConfigKey.type))?.string.flatMap(Self.kind)
        factor = value(ConfigKey.factor)?.number?.double
        base = value(ConfigKey.ropeTheta)?.number?.double
      default: continue
      }
    }
    base = base ?? recorded(ConfigKey.ropeTheta)?.number?.double
    if kind == nil && base == nil { return nil }
  }

  private static func kind(_ name: String) -> String? {
    var declaration = RoPEDeclaration()
    declaration.kind = Declared(name, at: SourceLocation(path: ""))
    return declaration.scalingKind
  }
}
