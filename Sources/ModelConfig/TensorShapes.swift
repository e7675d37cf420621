import Diagnostics
import Safetensors

/// What the weights' shapes and stored buffers say about rotation, gathered from a model's safetensors headers.
public struct TensorShapes: Sendable {
  /// Rows of the first layer's query and key projections, and width of its query norm, where present.
  package var queryRows: Declared<Int>?
  package var keyRows: Declared<Int>?
  package var queryNormWidth: Declared<Int>?
  /// Length of a stored inverse-frequency buffer times two.
  package var rotaryDimension: Declared<Int>?

  public init() {}

  /// Parts of a name that tell a vision or audio tower, whose heads are not the language model's.
  private static let towers = ["vision", "visual", "image", "audio"]

  /// Whether a tensor belongs to a vision or audio tower.
  package static func isOfTower(_ name: String) -> Bool {
    var name = name
    return name.withUTF8 { name in
      name.indices.contains { start in towers.contains { name[start...].starts(with: $0.utf8) } }
    }
  }

  /// What names end in that tell something.
  private static let suffixes = [queryProjection, keyProjection, queryNorm, SafetensorsTensor.inverseFrequencies]
  private static let queryProjection = "self_attn.q_proj.weight"
  private static let keyProjection = "self_attn.k_proj.weight"
  private static let queryNorm = "self_attn.q_norm.weight"

  /// Looks at the tensors of one file; several files of a model are added up.
  ///
  /// Projections that a quantiser packed into a single column tell nothing of their rows.
  package mutating func add(_ file: SafetensorsFile) {
    for tensor in file.tensors.named(endingIn: Self.suffixes)
    where !Self.isOfTower(tensor.name) {
      let place = SourceLocation(path: file.path, key: tensor.name)
      func declared(_ size: UInt64?) -> Declared<Int>? {
        size.flatMap { Int(exactly: $0) }.flatMap { $0 > 0 ? Declared($0, at: place) : nil }
      }
      let isMatrix = tensor.shape.count == 2 && tensor.shape[1] > 1
      if queryRows == nil, isMatrix, tensor.name.hasSuffix(Self.queryProjection) {
        queryRows = declared(tensor.shape.first)
      } else if keyRows == nil, isMatrix, tensor.name.hasSuffix(Self.keyProjection) {
        keyRows = declared(tensor.shape.first)
      } else if queryNormWidth == nil, tensor.name.hasSuffix(Self.queryNorm), tensor.shape.count == 1 {
        queryNormWidth = declared(tensor.shape.first)
      } else if rotaryDimension == nil, tensor.isInverseFrequencyBuffer, let pairs = declared(tensor.shape.first) {
        rotaryDimension = pairs.map { $0 > Int.max / 2 ? 0 : 2 * $0 }
      }
    }
  }

  /// Head size from the projections' rows and the head counts of config.json, or from a norm over one head.
  func headDimension(heads: Int?, keyHeads: Int?) -> Declared<Int>? {
    for (rows, count) in [(queryRows, heads), (keyRows, keyHeads)] {
      if let rows, let count, count > 0, rows.value % count == 0 { return rows.map { $0 / count } }
    }
    // OLMo-style norms run over all heads at once; only a width below the query's rows is one head's.
    if let queryNormWidth, let queryRows, queryNormWidth.value < queryRows.value { return queryNormWidth }
    return nil
  }
}

extension SafetensorsTensor {
  /// How the names of stored rotary tables end; old checkpoints have `model.layers.N.self_attn.rotary_emb.inv_freq`.
  fileprivate static let inverseFrequencies = "rotary_emb.inv_freq"

  fileprivate var isInverseFrequencyBuffer: Bool { name.hasSuffix(Self.inverseFrequencies) && shape.count == 1 }
}

extension SafetensorsTensors {
  /// The stored tables of inverse frequencies.
  package var inverseFrequencyBuffers: [SafetensorsTensor] {
    named(endingIn: [SafetensorsTensor.inverseFrequencies]).filter { $0.shape.count == 1 }
  }

  /// The stored caches of cosines and sines with positions in their rows: `[positions, width]`, whatever dimensions of 1
  /// stand before.
  package var rotationCaches: [SafetensorsTensor] {
    named(endingIn: [StoredCache.cosines, StoredCache.sines]).filter { tensor in
      tensor.shape.count >= 2 && tensor.shape.dropLast(2).allSatisfy { $0 == 1 }
    }
  }
}
