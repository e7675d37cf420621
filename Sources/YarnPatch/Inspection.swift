import Diagnostics
import FileStore
import GGUF
import ModelConfig
import RoPE
import Runtimes

/// One metadata entry as text.
public struct MetadataEntry: Sendable {
  public var key: String
  public var text: String
  public var file: String
}

/// One tensor of either container.
public struct TensorEntry: Sendable {
  public var name: String
  public var type: String
  /// Sizes as the container states them: fastest-varying first in GGUF, last in safetensors.
  public var shape: [UInt64]
  public var file: String
}

/// A model with what was found out about its base.
public struct Inspection: Sendable {
  public var model: Model
  /// What speaks against the base or the stored tables; empty for a healthy model.
  public var problems: [FileError] = []
  /// First distance at which the effective frequencies' cosine sum turns negative, `nil` when it stays positive within
  /// the window. Information only (arXiv 2405.14591): working models fall below the bound.
  public var firstNegativeDistance: Int?
  public var information: [String] = []
  /// `nil` when they were not asked for.
  public var metadata: [MetadataEntry]?
  /// `nil` when they were not asked for.
  public var tensors: [TensorEntry]?

  package init(_ model: Model) {
    self.model = model
    guard let file = model.primary, let declaration = file.declaration else { return }
    for file in model.files {
      guard let declaration = file.declaration else { continue }
      let stored = file.config == nil ? [] : model.storedTables
      let report = BaseReport(declaration, stored: stored, path: file.path)
      problems += report.problems.filter { $0.code != .baseMissing }
    }
    let reading = Formula.read(declaration)
    guard let table = reading.table, let window = declaration.contextLength?.value else { return }
    information += Self.bands(reading).map { [$0] } ?? []
    let rotatesWholeHead = declaration.rotaryDimension?.value == declaration.headDimension?.value
    guard rotatesWholeHead, !declaration.usesLatentAttention else { return }
    firstNegativeDistance = table.firstNegativeDistance(upTo: min(window, Self.largestDistance))
    information.append(
      firstNegativeDistance.map { "the cosine sum first turns negative at distance \($0) (arXiv 2405.14591; no error)" }
        ?? "the cosine sum stays positive within the window (arXiv 2405.14591)")
  }

  /// Distances are searched this far; the sum is long negative where a window is longer.
  static let largestDistance = 1 << 20

  /// Pair counts of a YaRN table's three regions.
  static func bands(_ reading: RuntimeReading) -> String? {
    guard let table = reading.table, let parameters = reading.parameters, let bands = BandFacts(table, parameters)
    else { return nil }
    return "of \(bands.ramp.count) pairs \(bands.keptCount) are kept, \(bands.blendedCount) blended, "
      + "\(bands.interpolatedCount) divided by the factor"
  }

  /// Adds the metadata entries that `isWanted` takes; arrays are shown by their first elements.
  package mutating func listMetadata(in fileSystem: any FileSystem, where isWanted: (String) -> Bool) throws(FileError)
  {
    var entries: [MetadataEntry] = []
    for set in model.files.compactMap(\.gguf) {
      for entry in set.first.metadata where isWanted(entry.key) {
        let source = try FileSource(set.first.path, in: fileSystem)
        entries.append(
          MetadataEntry(key: entry.key, text: try text(of: entry.value, in: set.first, source), file: source.path))
      }
    }
    for file in model.weights {
      for entry in file.metadata ?? [] where isWanted(entry.key) {
        entries.append(MetadataEntry(key: entry.key, text: entry.value, file: file.path))
      }
    }
    metadata = entries
  }

  private func text(of value: GGUFValue, in file: GGUFFile, _ source: FileSource) throws(FileError) -> String {
    switch value {
    case .string(let text): return text
    case .array(let array):
      let shown = try file.elements(of: array, in: source, limit: 8)
      var texts: [String] = []
      for element in shown { texts.append(try text(of: element, in: file, source)) }
      if array.count > UInt64(shown.count) { texts.append("… \(array.count) in all") }
      return "[" + texts.joined(separator: ", ") + "]"
    default: return value.phrase
    }
  }

  package mutating func listTensors() {
    var entries: [TensorEntry] = []
    for set in model.files.compactMap(\.gguf) {
      for shard in set.shards {
        entries += shard.tensors.map {
          TensorEntry(name: $0.name, type: $0.type.name, shape: $0.dimensions, file: shard.path)
        }
      }
    }
    for file in model.weights {
      entries += file.tensors.map { TensorEntry(name: $0.name, type: $0.dtype, shape: $0.shape, file: file.path) }
    }
    tensors = entries
  }
}
