import Diagnostics
import FileStore
import GGUF
import Linting
import LosslessJSON
import ModelConfig
import Runtimes
import Safetensors

/// Reads a model's files for the rules: what cannot be read becomes a refusal to report and never stops the rest.
struct LintLoader {
  let fileSystem: any FileSystem
  let deployment: Deployment
  var distances = DistanceMemo()
  /// Changes to see as made.
  var draft = FixDraft()

  init(_ fileSystem: any FileSystem, _ deployment: Deployment) {
    self.fileSystem = fileSystem
    self.deployment = deployment
  }

  /// The model that some files in one folder make up.
  func load(_ found: FoundModel) -> LintedModel {
    let refusals = Refusals()
    let files = found.files
    let folder = files.first.map(Path.folder(of:)) ?? found.path
    func allNames() -> [String] {
      refusals.keeping { () throws(FileError) in try fileSystem.sortedNames(in: folder) } ?? []
    }
    let names = found.folder?.names ?? allNames()
    var siblings: [String: JSONDocument] = [:]
    for name in LintedModel.siblingNames where names.contains(name) {
      siblings[name] = refusals.keeping { () throws(FileError) in try document(Path.joined(folder, name), refusals) }
    }
    let (weights, index) = loadWeights(files, refusals)
    var surroundings = RuntimeInput.Surroundings()
    surroundings.shapes = weights.shapes
    surroundings.tokenizerLimit = siblings["tokenizer_config.json"]?["/model_max_length"]?.value.number?.double
    var (configs, unusable): ([LintedConfig], [JSONDocument]) = ([], [])
    for file in files where isConfig(file, among: files) {
      guard let document = refusals.keeping({ () throws(FileError) in try document(file, refusals) }) else { continue }
      let config = refusals.keeping { () throws(FileError) in try HuggingFaceConfig(document) }
      if let config { configs.append(LintedConfig(config, surroundings)) } else { unusable.append(document) }
    }
    let ggufs = loadGGUFs(files, refusals)
    let model = LintedModel(
      path: found.path, configs: configs, unusable: unusable, ggufs: ggufs, siblings: siblings, weights: weights.files,
      index: index, names: index == nil ? [] : Set(allNames()), storedTables: weights.storedTables,
      storedCaches: weights.storedCaches, refusals: refusals.all,
      unreadTexts: refusals.unreadTexts, deployment: deployment, distances: distances)
    model.previous = configs.first.flatMap { previous($0.path, names) }
    return model
  }

  /// Whether a file is to be read for its settings: config.json, or a JSON file of any name that was named alone.
  private func isConfig(_ path: String, among files: [String]) -> Bool {
    switch ModelFileName(Path.name(of: path)) {
    case .config: true
    case .gguf, .weights: false
    case .settings, nil: files.count == 1 && path.hasSuffix(".json")
    }
  }

  private func document(_ path: String, _ refusals: Refusals) throws(FileError) -> JSONDocument {
    let text: [UInt8]
    if let drafted = draft.text(of: path) {
      text = drafted
    } else {
      text = try ModelLoader(fileSystem).jsonText(of: path)
    }
    do throws(FileError) { return try JSONDocument(text, path: path) } catch {
      refusals.unreadTexts[path] = text
      throw error
    }
  }

  /// A JSON file as it was before its newest patch, when the record is there and the file is as the patch left it.
  private func previous(_ path: String, _ names: [String]) -> JSONDocument? {
    guard names.contains(where: UndoRecord.isRecord) else { return nil }
    let folder = Path.folder(of: path)
    for place in UndoRecord.candidates(forFile: path) where names.contains(Path.name(of: place)) {
      let record = try? UndoRecord.read(at: place, in: fileSystem)
      guard let step = record?.steps.last, step.state == .done,
        let file = step.files.first(where: { Path.joined(folder, $0.path) == path }),
        let text = try? ModelLoader(fileSystem).jsonText(of: path), let old = file.edits.inverse.apply(to: text)
      else { continue }
      return try? JSONDocument(old, path: path)
    }
    return nil
  }

  private func loadWeights(_ files: [String], _ refusals: Refusals) -> (ModelLoader.Weights, SafetensorsIndex?) {
    var loader = ModelLoader(fileSystem)
    loader.readsCaches = true
    var weights = ModelLoader.Weights()
    if let path = files.first(where: { $0.hasSuffix(".index.json") }) {
      let index = refusals.keeping { () throws(FileError) in
        try SafetensorsIndex(document: try document(path, refusals))
      }
      if index != nil {
        refusals.keeping { () throws(FileError) in weights = try loader.readWeights(index: path) }
      }
      return (weights, index)
    }
    for path in files where path.hasSuffix(".safetensors") {
      refusals.keeping { () throws(FileError) in try loader.addWeights(path, to: &weights) }
    }
    return (weights, nil)
  }

  /// Split sets are read once, through any of their shards; of a set that is not complete, what is here.
  private func loadGGUFs(_ files: [String], _ refusals: Refusals) -> [LintedGGUF] {
    let loader = ModelLoader(fileSystem)
    var ggufs: [LintedGGUF] = []
    var seen: Set<String> = []
    for path in files where !path.hasSuffix(".json") && !path.hasSuffix(".safetensors") && !seen.contains(path) {
      if ModelFileName.isCompanion(Path.name(of: path)), files.count > 1 { continue }
      let set =
        refusals.keeping { () throws(FileError) in try loader.loadSet(path) }
        ?? (try? GGUFFile(FileSource(path, in: fileSystem))).map { GGUFSet(first: $0) }
      guard let set else { continue }
      seen.formUnion(set.shards.map(\.path))
      let read = refusals.keeping { () throws(FileError) in try loader.readRotaryTensors(of: set) } ?? set
      ggufs.append(LintedGGUF(read.shards.map(draft.imagining), tensors: read.rotaryTensors))
    }
    return ggufs
  }
}

/// What could not be read, in the order in which it was tried.
private final class Refusals {
  private(set) var all: [FileError] = []
  /// Texts of JSON files that do not parse, by path.
  var unreadTexts: [String: [UInt8]] = [:]

  /// What a reader gives; `nil` when it throws, and the error is kept.
  @discardableResult
  func keeping<Value>(_ read: () throws(FileError) -> Value) -> Value? {
    do throws(FileError) { return try read() } catch {
      all.append(error)
      return nil
    }
  }
}
