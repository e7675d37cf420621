import Attention
import Diagnostics
import GGUF
import ModelConfig
import PatchPlanning
import Safetensors

/// A model as seen from the files a path leads to.
public struct Model: Sendable {
  public enum Kind: String, Sendable { case gguf, safetensors, config, folder }

  /// The path as the user gave it.
  public let path: String
  public let kind: Kind
  /// The files that declare something, config.json first.
  public internal(set) var files: [ModelFile]
  /// The safetensors files with their headers, in name order.
  public let weights: [SafetensorsFile]
  /// Shards that an index names, whether present or not; as many as ``weights`` without an index.
  public let shardCount: Int
  /// Inverse-frequency tables that the weights store.
  public let storedTables: [StoredTable]
  /// What is worth knowing although nothing is wrong: weights that are only pointers, files that were passed over.
  public let notes: [String]

  /// The file whose declaration speaks for the model: config.json where there is one.
  public var primary: ModelFile? { files.first }

  /// Number of weights, where a header tells.
  public var parameterCount: UInt64? {
    let shards = files.lazy.compactMap(\.gguf).first?.shards ?? []
    let hasTensors =
      weights.isEmpty ? shards.contains { !$0.tensors.isEmpty } : weights.contains { !$0.tensors.isEmpty }
    guard hasTensors else { return nil }
    return weights.isEmpty
      ? shards.reduce(0) { $1.tensors.reduce($0) { $0 &+ $1.elementCount } }
      : weights.reduce(0) { $0 &+ $1.elementCount }
  }
}

/// One file, or one split set, that declares RoPE settings.
public struct ModelFile: Sendable {
  public enum Contents: Sendable {
    case config(HuggingFaceConfig)
    case gguf(GGUFSet)
  }

  public let path: String
  public let contents: Contents
  /// What the weights beside a config.json say about its heads.
  var shapes = TensorShapes()
  /// One for each kind of layer, full attention first.
  public internal(set) var declarations: [RoPEDeclaration]
  /// Values that no equation can use; empty unless they were asked for.
  var problems: [FileError] = []

  /// The declaration of the layers that a longer window concerns.
  public var declaration: RoPEDeclaration? { declarations.first }

  public var gguf: GGUFSet? { if case .gguf(let set) = contents { set } else { nil } }
  public var config: HuggingFaceConfig? { if case .config(let config) = contents { config } else { nil } }

  /// `model_type` of a config.json, `general.architecture` of a GGUF.
  public var family: String? {
    switch contents {
    case .config(let config): config.modelType
    case .gguf(let set): set.first.architecture
    }
  }

  /// The file as the planner sees it; `nil` when it declares nothing.
  var subject: PatchSubject? {
    declaration.map { PatchSubject(declaration: $0, family: family, shape: shape, path: path) }
  }

  /// Width and depth of the language model, when the file states both.
  var shape: ModelShape? {
    switch contents {
    case .config(let config): config.shape
    case .gguf(let set): set.first.shape
    }
  }
}

extension ModelFile {
  /// Which elements of a head rotate together; both layouts have the same frequencies.
  var pairing: RotaryPairing {
    guard let architecture = gguf?.first.architecture else { return .halves }
    return LlamaCppArchitecture(architecture).rotatesAdjacentPairs ? .adjacent : .halves
  }
}

/// A GGUF, as one file or as a split set whose metadata stands in the first shard.
public struct GGUFSet: Sendable {
  public let shards: [GGUFFile]
  /// Values of the tensors that divide frequencies, by name.
  var rotaryTensors: RotaryTensors = [:]
  public var first: GGUFFile { shards[0] }

  init(first: GGUFFile, others: [GGUFFile] = []) { shards = [first] + others }
}
