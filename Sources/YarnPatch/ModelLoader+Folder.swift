import Diagnostics
import FileStore
import GGUF
import ModelConfig

extension ModelLoader {
  mutating func loadFolder(_ folder: String) throws(FileError) -> Model {
    var names = try fileSystem.sortedNames(in: folder)
    for name in names where ModelFileName(name) != nil && fileSystem.hasAnotherName(name, in: folder) {
      notes.append("\(name): passed over, \(ModelFileName.isNoText)")
    }
    names.removeAll { fileSystem.hasAnotherName($0, in: folder) }
    var weights = Weights()
    if names.contains("model.safetensors.index.json") {
      weights = try readWeights(index: Path.joined(folder, "model.safetensors.index.json"))
    } else {
      for name in names where ModelFileName(name) == .weights && name.hasSuffix(".safetensors") {
        try addWeights(Path.joined(folder, name), to: &weights)
      }
    }
    var files: [ModelFile] = []
    var refusals: [FileError] = []
    func keep(_ load: () throws(FileError) -> ModelFile) throws(FileError) {
      do throws(FileError) { files.append(try load()) } catch  where error.code == .notRoPE { refusals.append(error) }
    }
    if names.contains("config.json") {
      try keep { () throws(FileError) in try loadConfig(Path.joined(folder, "config.json"), weights) }
    }
    for name in distinctGGUFs(names, in: folder) {
      // A set is loaded through its first shard.
      if let split = SplitName(fileName: name), split.index > 0, names.contains(split.name(of: 0)) { continue }
      if ModelFileName.isCompanion(name) {
        notes.append("\(name): passed over, it holds no language model")
        continue
      }
      try keep { () throws(FileError) in try loadGGUF(Path.joined(folder, name)) }
    }
    if files.isEmpty, let refusal = refusals.first { throw refusal }
    notes += refusals.map { "\($0.location.path): passed over, \($0.found)" }
    guard !files.isEmpty || !weights.files.isEmpty else {
      let below = modelsBelow(folder)
      throw FileError(
        .notAModel, at: SourceLocation(path: folder), found: "the folder holds no model file",
        expected: "a config.json, a GGUF or safetensors files",
        remedy: below.isEmpty ? "name the model's own folder" : "name one of \(below.joined(separator: ", "))")
    }
    return model(folder, .folder, files: files, weights: weights)
  }

  /// Some folders with a model, one or two steps down: checkpoints of a training, snapshots of a cache.
  private func modelsBelow(_ folder: String) -> [String] {
    func folders(in folder: String) -> [String] {
      let names = (try? fileSystem.sortedNames(in: folder)) ?? []
      return names.prefix(Self.mostNames).map { Path.joined(folder, $0) }.filter {
        (try? fileSystem.kind(at: $0)) == .folder && !KnownFolder.isPassedOver(Path.name(of: $0))
      }
    }
    func isModel(_ folder: String) -> Bool {
      ((try? fileSystem.sortedNames(in: folder)) ?? []).contains { ModelFileName($0)?.makesModel ?? false }
    }
    let near = folders(in: folder)
    let found = Array(near.lazy.filter(isModel).prefix(Self.mostSuggestions))
    return found.isEmpty ? Array(near.lazy.flatMap(folders).filter(isModel).prefix(Self.mostSuggestions)) : found
  }

  /// A message is to come at once, and to be read.
  private static let (mostNames, mostSuggestions) = (64, 3)

  /// The GGUFs of a folder, each file once: the rest are links to it or other names of it.
  private mutating func distinctGGUFs(_ names: [String], in folder: String) -> [String] {
    func status(_ name: String, followingLinks: Bool) -> FileStatus? {
      try? fileSystem.status(at: Path.joined(folder, name), followingLinks: followingLinks)
    }
    let ggufs = names.filter { ModelFileName($0) == .gguf }
    let links = ggufs.filter { status($0, followingLinks: false)?.kind == .symbolicLink }
    var seen: [FilePlace: String] = [:]
    var distinct: [String] = []
    // A file goes by its own name where it has one here.
    for name in ggufs.filter({ !links.contains($0) }) + links {
      // One that cannot be asked about is for its reader to complain of.
      let place = status(name, followingLinks: true)?.identity.place
      if let place, let first = seen[place] {
        notes.append("\(name): passed over, it is \(first) by another name")
        continue
      }
      if let place { seen[place] = name }
      distinct.append(name)
    }
    return distinct.sorted()
  }
}
