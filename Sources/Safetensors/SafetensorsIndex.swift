import Diagnostics
import LosslessJSON

/// A shard index, `model.safetensors.index.json`: which file holds which tensor.
public struct SafetensorsIndex: Sendable {
  /// The index's own name, for messages.
  public let path: String
  /// Tensors in the order of the index.
  public let weightMap: [SafetensorsShardEntry]
  /// Names of the shards, each once, in the order in which the index first names them.
  public let shards: [String]
  /// `metadata.total_size`: bytes of all tensors together, when the index tells.
  public let totalSize: Int?

  /// Takes an index from its document.
  ///
  /// - Throws: `safetensorsIndex` when `weight_map` is missing or is not an object of strings;
  ///   `safetensorsDuplicateName` when a tensor occurs twice; `safetensorsShardName` for a shard that is not a plain
  ///   file name, since an index must not lead out of its folder.
  package init(document: JSONDocument) throws(FileError) {
    path = document.path
    func error(_ code: FileError.Code, _ pointer: String, _ found: String, _ expected: String) -> FileError {
      FileError(
        code, at: document.location(of: pointer), found: found, expected: expected,
        remedy: "download the index again")
    }
    guard let members = document["/weight_map"]?.value.members else {
      throw error(.safetensorsIndex, "/weight_map", "it is missing or is not an object", "tensor names with files")
    }
    var weightMap: [SafetensorsShardEntry] = []
    var shards: [String] = []
    var names: Set<ExactKey> = []
    var files: Set<ExactKey> = []
    for member in members {
      func wrong(_ code: FileError.Code, _ found: String, _ expected: String) -> FileError {
        error(code, JSONPointer.child(member.key, of: "/weight_map"), found, expected)
      }
      guard let shard = member.node.value.string else {
        throw wrong(.safetensorsIndex, "the value is not a string", "a file name")
      }
      guard Self.isPlainFileName(shard) else {
        throw wrong(.safetensorsShardName, "the shard is \"\(shard)\"", "a file beside the index")
      }
      guard names.insert(ExactKey(member.key)).inserted else {
        throw wrong(.safetensorsDuplicateName, "the tensor occurs a second time", "each tensor once")
      }
      weightMap.append(SafetensorsShardEntry(tensor: member.key, shard: shard))
      if files.insert(ExactKey(shard)).inserted { shards.append(shard) }
    }
    self.weightMap = weightMap
    self.shards = shards
    totalSize = document["/metadata/total_size"]?.value.number?.integer
  }

  private static func isPlainFileName(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".."
      && name.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\\") }
  }
}

/// A line of a shard index.
public struct SafetensorsShardEntry: Sendable, Equatable {
  /// The tensor's name.
  public var tensor: String
  /// A file beside the index.
  public var shard: String
}
