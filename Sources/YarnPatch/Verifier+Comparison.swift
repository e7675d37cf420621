import Diagnostics
import FileStore
import GGUF
import LosslessJSON
import ModelConfig
import Safetensors

extension Verifier {
  /// The same weights and, RoPE settings aside, the same metadata as another model.
  mutating func compare(with other: Model, in fileSystem: any FileSystem) throws(FileError) {
    let (mine, theirs) = (model.comparable, other.comparable)
    let sameCount = mine.shards.count == theirs.shards.count && mine.weights.count == theirs.weights.count
    var compared: UInt64 = 0
    var difference: String? =
      sameCount && mine.configs.count == theirs.configs.count ? nil : "the models do not have the same kinds of files"
    var data: [(Region, Region)] = []
    for (a, b) in zip(mine.shards, theirs.shards) {
      let isWhole = !a.holdsDivisors && !b.holdsDivisors
      data +=
        isWhole ? [(Region(a.path, a.dataOffset), Region(b.path, b.dataOffset))] : Array(zip(a.regions, b.regions))
    }
    for (a, b) in zip(mine.weights, theirs.weights) {
      data.append((Region(a.path, a.dataOffset), Region(b.path, b.dataOffset)))
    }
    for (a, b) in data where difference == nil {
      let (first, second) = (try FileSource(a.path, in: fileSystem), try FileSource(b.path, in: fileSystem))
      let count = a.count ?? first.size - min(a.start, first.size)
      if count != b.count ?? second.size - min(b.start, second.size) {
        difference = "the data of \(a.path) and \(b.path) differ in length"
      } else if let offset = try first.firstDifference(from: second, at: a.start, and: b.start, count: count) {
        difference = "\(a.path) and \(b.path) differ \(offset) bytes into \(a.tensor ?? "the data")"
      }
      compared += count
    }
    checks.append(
      Check(
        "data", "the tensor data is the same", passed: difference == nil,
        detail: difference ?? "\(compared) bytes compared"))
    for (mine, theirs) in zip(mine.shards, theirs.shards) {
      append(
        "tensors", mine.path, differing: mine.comparedTensors.map(\.described),
        from: theirs.comparedTensors.map(\.described))
      append("metadata", mine.path, try Self.differingKeys(mine, theirs, in: fileSystem))
    }
    for (mine, theirs) in zip(mine.weights, theirs.weights) {
      append("tensors", mine.path, differing: mine.tensors.map(\.described), from: theirs.tensors.map(\.described))
      append("metadata", mine.path, differing: mine.metadataTexts, from: theirs.metadataTexts)
    }
    for (mine, theirs) in zip(mine.configs, theirs.configs) {
      append("metadata", mine.document.path, differing: mine.otherMembers, from: theirs.otherMembers)
    }
  }

  private mutating func append(_ id: String, _ path: String, differing mine: [String], from theirs: [String]) {
    append(id, path, Set(mine).symmetricDifference(theirs).sorted())
  }

  private mutating func append(_ id: String, _ path: String, _ wrong: [String]) {
    checks.append(
      Check(
        id, id == "tensors" ? "the tensors are the same" : "metadata outside RoPE is the same", passed: wrong.isEmpty,
        detail: wrong.isEmpty ? path : "\(path): \(wrong.prefix(8).joined(separator: ", "))"))
  }

  /// Keys whose types or bytes differ, apart from RoPE settings and the window.
  private static func differingKeys(
    _ a: GGUFFile, _ b: GGUFFile, in fileSystem: any FileSystem
  ) throws(FileError) -> [String] {
    func entries(_ file: GGUFFile) -> [String: GGUFKeyValue] {
      // A set counts the divisors as well.
      let passedOver = [GGUFFile.fillerKey, file.splitCountAfterAddition?.key]
      let entries = file.metadata.filter {
        !$0.key.contains(".rope.") && !$0.key.hasSuffix(".context_length") && !passedOver.contains($0.key)
      }
      return Dictionary(entries.map { ($0.key, $0) }) { first, _ in first }
    }
    let (mine, theirs) = (entries(a), entries(b))
    let (source, other) = (try FileSource(a.path, in: fileSystem), try FileSource(b.path, in: fileSystem))
    var wrong: [String] = []
    for key in Set(mine.keys).union(theirs.keys).sorted() {
      guard let first = mine[key], let second = theirs[key], first.value.type == second.value.type,
        first.valueRange.count == second.valueRange.count,
        try source.firstDifference(
          from: other, at: first.valueRange.lowerBound, and: second.valueRange.lowerBound,
          count: UInt64(first.valueRange.count)) == nil
      else {
        wrong.append(key)
        continue
      }
    }
    return wrong
  }
}

/// Bytes of a file that are compared: to the end, or those of one tensor.
private struct Region {
  var path: String
  var start: UInt64
  var count: UInt64?
  var tensor: String?

  init(_ path: String, _ start: UInt64, count: UInt64? = nil, of tensor: String? = nil) {
    (self.path, self.start, self.count, self.tensor) = (path, start, count, tensor)
  }
}

extension GGUFFile {
  /// Divisors are a RoPE setting in the form of a tensor.
  fileprivate var comparedTensors: [GGUFTensorInfo] { tensors.filter { $0.name != GGUFKeys.divisorsTensor } }
  fileprivate var holdsDivisors: Bool { comparedTensors.count != tensors.count }

  fileprivate var regions: [Region] {
    comparedTensors.map { Region(path, dataOffset + $0.offset, count: $0.byteCount ?? 1, of: $0.name) }
  }
}

extension Model {
  /// The files of each kind that two models are compared by.
  fileprivate var comparable: (shards: [GGUFFile], weights: [SafetensorsFile], configs: [HuggingFaceConfig]) {
    (files.compactMap(\.gguf).flatMap(\.shards), weights, files.compactMap(\.config))
  }
}

extension GGUFTensorInfo {
  fileprivate var described: String { "\(name) \(type.name) \(dimensions) at \(offset)" }
}

extension SafetensorsTensor {
  fileprivate var described: String { "\(name) \(dtype) \(shape) at \(begin)" }
}

extension SafetensorsFile {
  fileprivate var metadataTexts: [String] { (metadata ?? []).map { "\($0.key): \($0.value)" } }
}

extension HuggingFaceConfig {
  /// Every value that has nothing to do with scaling, base or window, as its pointer and its text.
  fileprivate var otherMembers: [String] { list(document.root, at: "") }

  private func list(_ node: JSONNode, at pointer: String) -> [String] {
    switch node.value {
    case .object(let members):
      members.flatMap { member in
        let place = JSONPointer.child(member.key, of: pointer)
        return isSetting(member.key, in: pointer) ? [] : list(member.node, at: place)
      }
    case .array(let elements): elements.enumerated().flatMap { list($0.element, at: "\(pointer)/\($0.offset)") }
    default: ["\(pointer): \(String(decoding: document.bytes[node.range], as: UTF8.self))"]
    }
  }

  private func isSetting(_ key: String, in owner: String) -> Bool {
    let ours = [ConfigKey.ropeScaling, ConfigKey.ropeParameters, ConfigKey.original] + ConfigKey.windows
    return owner == section && ours.contains(key) || baseMembers.contains(JSONPointer.child(key, of: owner))
  }
}
