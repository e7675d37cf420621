import Diagnostics
import GGUF
import ModelConfig
import Runtimes

/// A GGUF, or a split set, as rules look at it.
package final class LintedGGUF: LintedFile {
  /// The shards that could be read, the first one first.
  package let shards: [GGUFFile]
  package let keys: GGUFKeys
  /// Values of the tensors that divide frequencies, by name.
  package let tensors: RotaryTensors
  package let declarations: [RoPEDeclaration]
  /// Values that no equation can use.
  package let problems: [FileError]
  package var cache: [String: [RuntimeReading]] = [:]

  /// - Parameter shards: At least one.
  package init(_ shards: [GGUFFile], tensors: RotaryTensors) {
    self.shards = shards
    self.tensors = tensors
    keys = GGUFKeys(shards[0].architecture ?? "")
    let read = shards[0].ropeDeclarations(tensors: tensors)
    declarations = read.declarations
    problems = read.problems
  }

  /// The shard that holds the metadata.
  package var file: GGUFFile { shards[0] }
  package var path: String { file.path }
  package var family: String? { file.architecture }
  package var shape: ModelShape? { file.shape }
  package var traits: ModelTraits? { declarations.first.map { ModelTraits($0, shape: shape) } }
  package var input: RuntimeInput { .gguf(file, tensors) }

  /// A finding at a key of this file.
  package func finding(
    _ severity: Severity, at key: String, _ message: String, expected: String? = nil, actual: String? = nil,
    runtimes: [String] = ["llama.cpp"], fix: Fix? = nil
  ) -> Finding {
    Finding(
      severity, at: file.place(key), message, expected: expected, actual: actual ?? file[key]?.phrase,
      runtimes: runtimes, fix: fix)
  }

  /// A value to give a key of this file, `nil` to take it out.
  package func change(_ key: String, _ value: GGUFValue?) -> SettingChange {
    SettingChange(path, key, value.map { .gguf($0) } ?? .absent)
  }
}

extension LintedGGUF {
  /// What llama.cpp makes of the layers that see the whole window.
  package var llamaCpp: RuntimeReading? { readings(of: .llamaCpp).first }

  /// The same if a key had another value, or none, and perhaps with other rotary tensors: a question, not an edit.
  package func llamaCpp(
    imagining key: String, _ value: GGUFValue?, tensors: RotaryTensors? = nil
  ) -> RuntimeReading? {
    Runtime.llamaCpp.read(.gguf(file.imagining(key, value), tensors ?? self.tensors)).first
  }

  /// A key's number, `nil` when it is absent, of another type or not finite.
  package func number(_ key: String) -> Double? { file[key]?.doubleValue.flatMap { $0.isFinite ? $0 : nil } }
}
