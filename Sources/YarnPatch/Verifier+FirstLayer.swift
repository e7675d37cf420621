import Bytes
import Diagnostics
import FileStore
import GGUF
import ModelConfig
import RoPE
import Runtimes
import Safetensors
import Weights

extension Verifier {
  /// Looks at the first layer's attention, and keeps why where that cannot be done: the other checks stand by themselves.
  ///
  /// - Parameters:
  ///   - tokens: A sequence, or none for a seeded one.
  ///   - length: Positions of a seeded sequence, `nil` for the window.
  mutating func attendFirstLayer(tokens: [Int], length: Int?, in fileSystem: any FileSystem) {
    do throws(FileError) {
      firstLayer = .success(try attention(tokens: tokens, length: length, in: fileSystem))
    } catch { firstLayer = .failure(error) }
  }

  private func attention(
    tokens: [Int], length: Int?, in fileSystem: any FileSystem
  ) throws(FileError) -> FirstLayerAttention {
    let (file, layer) = try firstLayer(in: fileSystem)
    let sliding = file.declarations.first { $0.layerType == "sliding_attention" }
    guard let declaration = layer.slides ? sliding ?? file.declaration : file.declaration else {
      throw unreadable(file.path, "no RoPE settings are stated", "correct the settings; see yarn-patch inspect")
    }
    let window = Formula.read(declaration).contextLength
    let count = tokens.isEmpty ? length ?? window ?? Self.defaultLength : tokens.count
    let sequence =
      tokens.isEmpty
      ? TokenSequence(
        seed: FirstLayerAttention.seed, count: min(count, FirstLayerAttention.longestSequence),
        vocabularySize: layer.vocabularySize)
      : TokenSequence(tokens.prefix(FirstLayerAttention.longestSequence))
    let reading = Formula.read(declaration, sequenceLength: sequence.indices.count)
    guard let table = reading.table else {
      throw unreadable(
        file.path, reading.refused?.reason ?? "no table follows from the settings", "correct the settings named")
    }
    let original = reading.originalContext.flatMap { Int(exactly: $0) } ?? window ?? sequence.indices.count
    let sample = AttentionSample(layer, sequence, originalContext: max(original, 1))
    let unscaled = reading.unscaledTable
    let tables = unscaled == table ? [("declared", table)] : [("unscaled", unscaled), ("declared", table)]
    let profiles = try sample.profiles(tables.map(\.1), path: file.path)
    var notes: [String] = []
    if count > sequence.indices.count { notes.append("of \(count) tokens the first \(sequence.indices.count)") }
    if layer.slides { notes.append("this model's first layer slides: it looks back on its sliding window only") }
    if ["llama3", "longrope", "su"].contains(reading.kind) {
      notes.append("these weights were trained with their scaling; without it is only to compare")
    }
    return FirstLayerAttention(
      source: file.path, tokenCount: sequence.indices.count, distinctTokenCount: sequence.distinct.count,
      hasGivenTokens: !tokens.isEmpty, originalContext: sample.originalContext, headCount: layer.headCount,
      heads: sample.heads,
      settings: zip(tables, profiles).map { table, profiles in
        FirstLayerAttention.Setting(
          name: table.0, attentionFactor: table.1.attentionFactor,
          softmaxScaleMultiplier: table.1.softmaxScaleMultiplier, profiles: profiles)
      }, notes: notes)
  }

  /// Where no window is stated.
  private static let defaultLength = 4096

  /// The first file that states settings and has weights: safetensors belong to config.json, a GGUF has its own.
  private func firstLayer(in fileSystem: any FileSystem) throws(FileError) -> (file: ModelFile, layer: FirstLayer) {
    for file in model.files {
      switch file.contents {
      case .config(let config):
        if model.weights.isEmpty { continue }
        var shards: [(file: SafetensorsFile, source: any ByteSource)] = []
        for shard in model.weights { shards.append((shard, try FileSource(shard.path, in: fileSystem))) }
        return (file, try FirstLayer(config, shards))
      case .gguf(let set):
        if set.shards.allSatisfy(\.tensors.isEmpty) { continue }
        var shards: [(file: GGUFFile, source: any ByteSource)] = []
        for shard in set.shards { shards.append((shard, try FileSource(shard.path, in: fileSystem))) }
        return (file, try FirstLayer(shards))
      }
    }
    throw unreadable(
      model.path, "no weights are here beside RoPE settings",
      "name the folder that holds the model's safetensors, or a GGUF with its tensors")
  }

  private func unreadable(_ path: String, _ found: String, _ remedy: String) -> FileError {
    FileError(
      .weightsMissing, at: SourceLocation(path: path), found: found,
      expected: "settings and the weights of the first layer's attention", remedy: remedy)
  }
}
