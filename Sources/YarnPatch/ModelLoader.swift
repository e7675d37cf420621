import Bytes
import Diagnostics
import FileStore
import GGUF
import LosslessJSON
import ModelConfig
import RoPE
import Safetensors

extension FileError.Code {
  package static let notAModel: Self = "not-a-model"
  package static let missingShard: Self = "missing-shard"
}

/// Finds out what a path is and reads the headers it leads to.
package struct ModelLoader {
  let fileSystem: any FileSystem
  let section: String?
  /// Whether values that no equation can use are left for the caller to judge; some runtimes read past them.
  let keepsProblems: Bool
  let replacesBase: Bool
  /// Whether caches of cosines and sines in the weights are read too.
  var readsCaches = false
  var notes: [String] = []

  /// - Parameters:
  ///   - section: Overrides the search for the language section.
  ///   - replacesBase: Whether the base is about to be replaced, so that an unusable one is no obstacle.
  package init(
    _ fileSystem: any FileSystem = POSIXFileSystem(), section: String? = nil, keepsProblems: Bool = false,
    replacesBase: Bool = false
  ) {
    self.fileSystem = fileSystem
    self.section = section
    self.keepsProblems = keepsProblems
    self.replacesBase = replacesBase
  }

  /// - Throws: What the readers throw, `not-a-model` when the path is none of ours, and the first value that no
  ///   equation can use.
  package mutating func load(_ path: String) throws(FileError) -> Model {
    if try fileSystem.kind(at: path) == .folder { return try loadFolder(path) }
    let source = try FileSource(path, in: fileSystem)
    let start = try source.bytes(in: 0..<min(source.size, 512))
    let name = Path.name(of: path)
    if GGUFFile.recognises(firstBytes: start) || name.hasSuffix(".gguf") {
      return model(path, .gguf, files: [try loadGGUF(path)], weights: Weights())
    }
    if name.hasSuffix(".index.json") { return try loadSafetensors(path, index: path) }
    if name.hasSuffix(".safetensors") { return try loadSafetensors(path, index: nil) }
    if name.hasSuffix(".json") || start.first(where: { !" \t\r\n".utf8.contains($0) }) == UInt8(ascii: "{") {
      return model(path, .config, files: [try loadConfig(path, Weights())], weights: Weights())
    }
    if let foreign = foreignContent(start, path: path) { throw foreign }
    if start.count > 8, start[8] == UInt8(ascii: "{") { return try loadSafetensors(path, index: nil) }
    throw FileError(
      .notAModel, at: SourceLocation(path: path, byteOffset: 0), found: "the first bytes fit no format we know",
      expected: "a GGUF, a safetensors file, its index or a config.json", remedy: "name one of those, or their folder")
  }

  func model(_ path: String, _ kind: Model.Kind, files: [ModelFile], weights: Weights) -> Model {
    Model(
      path: path, kind: kind, files: files, weights: weights.files, shardCount: weights.shardCount,
      storedTables: weights.storedTables, notes: notes)
  }

  // MARK: config.json

  func loadConfig(_ path: String, _ weights: Weights) throws(FileError) -> ModelFile {
    let config = try HuggingFaceConfig(try document(path), section: section)
    let read = config.ropeDeclarations(shapes: weights.shapes)
    return ModelFile(
      path: path, contents: .config(config), shapes: weights.shapes, declarations: read.declarations,
      problems: try problems(of: read, replaceable: config.patchedBases))
  }

  func document(_ path: String) throws(FileError) -> JSONDocument {
    try JSONDocument(try jsonText(of: path), path: path)
  }

  /// A file's bytes, of a size that a JSON text may have.
  func jsonText(of path: String) throws(FileError) -> [UInt8] {
    let source = try FileSource(path, in: fileSystem)
    try JSONDocument.checkSize(source.size, path: path)
    return try source.bytes(in: 0..<source.size)
  }

  // MARK: GGUF

  func loadGGUF(_ path: String) throws(FileError) -> ModelFile {
    let set = try readRotaryTensors(of: try loadSet(path))
    let read = set.first.ropeDeclarations(tensors: set.rotaryTensors)
    return ModelFile(
      path: set.first.path, contents: .gguf(set), declarations: read.declarations,
      problems: try problems(of: read, replaceable: [GGUFKeys(set.first.architecture ?? "").base]))
  }

  /// The set with the values of the tensors that belong to its rotary table.
  func readRotaryTensors(of set: GGUFSet) throws(FileError) -> GGUFSet {
    var set = set
    for shard in set.shards {
      for tensor in shard.tensors
      where [GGUFKeys.divisorsTensor, GGUFKeys.longFactorsTensor, GGUFKeys.shortFactorsTensor].contains(tensor.name) {
        set.rotaryTensors[tensor.name] = try shard.floatValues(
          of: tensor, in: try FileSource(shard.path, in: fileSystem))
      }
    }
    return set
  }

  /// - Throws: The first problem that is neither kept nor about to be replaced; that there is no rotation at all is
  ///   never kept.
  private func problems(of read: FileDeclarations, replaceable: [String]) throws(FileError) -> [FileError] {
    let problem = read.problems.first { problem in
      problem.code == .notRoPE
        || !keepsProblems && !(replacesBase && problem.location.key.map(replaceable.contains) ?? false)
    }
    if let problem { throw problem }
    return keepsProblems ? read.problems : []
  }

  /// Any shard leads to the whole set.
  func loadSet(_ path: String) throws(FileError) -> GGUFSet {
    let named = try GGUFFile(try FileSource(path, in: fileSystem))
    guard let split = named.split, split.count > 1 else { return GGUFSet(first: named) }
    guard let name = SplitName(fileName: Path.name(of: path)), name.count == split.count else {
      throw FileError(
        .splitMismatch, at: SourceLocation(path: path, key: "split.count"),
        found: "this is shard \(split.no + 1) of \(split.count), and its name does not say so",
        expected: "a name ending in -\(SplitName.numbered(split.no, of: split.count)).gguf",
        remedy: "give the shards their original names")
    }
    var shards: [GGUFFile] = []
    for index in 0..<split.count {
      let sibling = Path.joined(Path.folder(of: path), name.name(of: index))
      let shard = try loadShard(sibling, of: path)
      guard shard.split?.no == index, shard.split?.count == split.count else {
        throw FileError(
          .splitMismatch, at: SourceLocation(path: sibling, key: "split.no"),
          found: "the file says it is shard \(shard.split.map { $0.no + 1 } ?? 0) of \(shard.split?.count ?? 0)",
          expected: "shard \(index + 1) of \(split.count), as its name says", remedy: "download the set again")
      }
      shards.append(shard)
    }
    let tensorCount = shards.reduce(0) { $0 + $1.tensors.count }
    if let promised = shards[0].split?.tensorsCount, promised != tensorCount {
      throw FileError(
        .splitMismatch, at: SourceLocation(path: shards[0].path, key: "split.tensors.count"),
        found: "the shards hold \(tensorCount) tensors", expected: "\(promised)", remedy: "download the set again")
    }
    return GGUFSet(first: shards[0], others: Array(shards.dropFirst()))
  }

  private func loadShard(_ path: String, of named: String) throws(FileError) -> GGUFFile {
    do throws(FileError) {
      return try GGUFFile(try FileSource(path, in: fileSystem))
    } catch  where error.code == .notFound {
      throw FileError(
        .missingShard, at: SourceLocation(path: path), found: "the shard is missing",
        expected: "every shard of \(named) beside it", remedy: "download the missing shard into the same folder")
    }
  }

  // MARK: safetensors

  /// Headers of the weights and what they tell about rotation.
  struct Weights {
    var files: [SafetensorsFile] = []
    var shardCount = 0
    var shapes = TensorShapes()
    var storedTables: [StoredTable] = []
    var storedCaches: [StoredCache] = []
  }

  /// Every layer has the same caches, so those of the first do; a file can hold any number.
  private static let mostCaches = 64

  private mutating func loadSafetensors(_ path: String, index: String?) throws(FileError) -> Model {
    var weights = Weights()
    if let index {
      weights = try readWeights(index: index)
    } else {
      weights.shardCount = 1
      try read(path, into: &weights)
    }
    let config = Path.joined(Path.folder(of: path), "config.json")
    let hasConfig = (try? fileSystem.status(at: config, followingLinks: true)) != nil
    if !hasConfig { notes.append("no config.json beside it: the weights alone state no RoPE settings") }
    let files = hasConfig ? [try loadConfig(config, weights)] : []
    return model(path, .safetensors, files: files, weights: weights)
  }

  mutating func readWeights(index: String) throws(FileError) -> Weights {
    let shards = try SafetensorsIndex(document: try document(index)).shards
    var weights = Weights()
    var missing = 0
    for shard in shards {
      do throws(FileError) {
        try addWeights(Path.joined(Path.folder(of: index), shard), to: &weights)
      } catch  where error.code == .notFound {
        missing += 1
      }
    }
    if missing > 0 { notes.append("\(missing) of \(shards.count) shards that the index names are not here") }
    weights.shardCount = shards.count
    return weights
  }

  /// Reads one header; weights that are only a Git LFS pointer are noted, since config.json can be judged without.
  mutating func addWeights(_ path: String, to weights: inout Weights) throws(FileError) {
    weights.shardCount += 1
    do throws(FileError) {
      try read(path, into: &weights)
    } catch  where error.code == .gitLFSPointer {
      notes.append("\(Path.name(of: path)): a Git LFS pointer, its weights are not here")
    }
  }

  private func read(_ path: String, into weights: inout Weights) throws(FileError) {
    let source = try FileSource(path, in: fileSystem)
    let file = try SafetensorsFile(source)
    weights.files.append(file)
    weights.shapes.add(file)
    for tensor in file.tensors.inverseFrequencyBuffers {
      let values = try file.floatValues(of: tensor, in: source)
      weights.storedTables.append(
        StoredTable(
          Declared(values, at: SourceLocation(path: path, key: tensor.name)), relativeRounding: tensor.relativeRounding)
      )
    }
    guard readsCaches else { return }
    for tensor in file.tensors.rotationCaches.prefix(Self.mostCaches - weights.storedCaches.count) {
      guard let width = tensor.shape.last.flatMap({ Int(exactly: $0) }), 1...RoPEParameters.maximumDimension ~= width
      else { continue }
      let values = try file.floatValues(of: tensor, first: StoredCache.positionCount * width, in: source)
      weights.storedCaches.append(
        StoredCache(
          Declared(values, at: SourceLocation(path: path, key: tensor.name)), width: width, name: tensor.name,
          relativeRounding: tensor.relativeRounding))
    }
  }
}

extension SafetensorsTensor {
  /// Largest relative rounding of the tensor's type.
  fileprivate var relativeRounding: Double {
    ["F64": 0x1p-53, "F32": 0x1p-24, "F16": 0x1p-11, "BF16": 0x1p-8][dtype] ?? 0
  }
}
