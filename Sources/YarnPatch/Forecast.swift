import Agreement
import Diagnostics
import FileStore
import LosslessJSON
import ModelConfig
import Runtimes

/// What runtimes compute from a model's files, one entry for each runtime and kind of layer.
///
/// - Parameters:
///   - runtimes: Whose readings.
///   - sequenceLength: For kinds whose table depends on it, in tokens.
///   - layerType: Restricts the answer to one kind of layer. A runtime that has one table for all layers, or refuses the
///     file, answers for it too.
/// - Throws: ``FileError`` when the files cannot be read or no runtime has layers of that kind. A runtime's own refusal is
///   part of its reading.
public func tables(
  _ path: String, runtimes: RuntimeChoice = .named([.formula]), sequenceLength: Int? = nil, layerType: String? = nil
) throws(FileError) -> [RuntimeReading] {
  let fileSystem = POSIXFileSystem()
  var loader = ModelLoader(fileSystem, keepsProblems: runtimes.readPastProblems)
  let forecast = Forecast(try loader.load(path), in: fileSystem)
  let readings = forecast.readings(
    of: forecast.runtimes(runtimes), RuntimeOptions(sequenceLength: sequenceLength))
  guard let layerType else {
    guard readings.isEmpty else { return readings }
    throw forecast.noTable("a file that states RoPE settings", remedy: "name a model with a config.json or a GGUF")
  }
  let known = readings.compactMap(\.layerType)
  guard known.contains(layerType) else {
    throw forecast.noTable(
      known.isEmpty ? "one table for all layers" : "one of \(known.uniqued().joined(separator: ", "))",
      remedy: "leave out --layer-type, or name one that the file declares")
  }
  return readings.filter { $0.layerType == nil || $0.layerType == layerType }
}

/// The runtimes a question is about.
public enum RuntimeChoice: Sendable {
  /// Every one that reads a file of the model.
  case all
  case named([Runtime])

  /// Whether one of them may have a table where the equations have none.
  var readPastProblems: Bool {
    switch self {
    case .all: true
    case .named(let runtimes): runtimes.contains { $0.name != Runtime.formula.name }
    }
  }
}

/// A model as runtimes are given it.
struct Forecast {
  let model: Model
  private let fileSystem: any FileSystem

  init(_ model: Model, in fileSystem: any FileSystem) {
    self.model = model
    self.fileSystem = fileSystem
  }

  func runtimes(_ choice: RuntimeChoice) -> [Runtime] {
    switch choice {
    case .all: Runtime.all.filter { file(for: $0) != nil }
    case .named(let runtimes): runtimes
    }
  }

  /// Each runtime with the file it runs from, or with the model's first one, which it will refuse.
  func subjects(_ runtimes: [Runtime]) -> [RuntimeSubject] {
    runtimes.compactMap { runtime in
      (file(for: runtime) ?? model.primary).map { RuntimeSubject(runtime, input($0)) }
    }
  }

  func readings(of runtimes: [Runtime], _ options: RuntimeOptions) -> [RuntimeReading] {
    subjects(runtimes).flatMap { $0.runtime.read($0.input, options) }
  }

  /// The file a runtime runs from: llama.cpp takes a GGUF where there is one, the others config.json.
  func file(for runtime: Runtime) -> ModelFile? {
    runtime.formats.lazy.compactMap { format in model.files.first { $0.format == format } }.first
  }

  func input(_ file: ModelFile) -> RuntimeInput {
    switch file.contents {
    case .gguf(let set): return .gguf(set.first, set.rotaryTensors)
    case .config(let config):
      var surroundings = RuntimeInput.Surroundings()
      surroundings.shapes = file.shapes
      surroundings.tokenizerLimit = tokenizerLimit(beside: file.path)
      return .config(config, surroundings)
    }
  }

  /// `model_max_length` of the tokenizer; `nil` where the file is missing or not readable as JSON.
  private func tokenizerLimit(beside config: String) -> Double? {
    let path = Path.joined(Path.folder(of: config), "tokenizer_config.json")
    guard let source = try? FileSource(path, in: fileSystem),
      (try? JSONDocument.checkSize(source.size, path: path)) != nil,
      let bytes = try? source.bytes(in: 0..<source.size), let document = try? JSONDocument(bytes, path: path)
    else { return nil }
    return document["/model_max_length"]?.value.number?.double
  }

  func noTable(_ expected: String, remedy: String) -> FileError {
    FileError(
      .notAModel, at: SourceLocation(path: model.path), found: "no layers of this kind are declared",
      expected: expected, remedy: remedy)
  }
}

extension ModelFile {
  fileprivate var format: RuntimeInput.Format { gguf == nil ? .config : .gguf }
}
