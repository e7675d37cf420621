import Bytes
import Diagnostics
import GGUF
import Safetensors

/// The tensors of a model's files by name, and which of them were asked for.
struct StoredTensors {
  private enum Place {
    case gguf(GGUFTensorInfo, GGUFFile)
    case safetensors(SafetensorsTensor, SafetensorsFile)
  }

  private let places: [String: (place: Place, source: any ByteSource)]
  /// The model's config.json or first file, for what is missing.
  let path: String
  private(set) var asked: Set<String> = []

  init(_ shards: [(file: GGUFFile, source: any ByteSource)], path: String) {
    self.path = path
    places = Dictionary(
      shards.flatMap { file, source in file.tensors.map { ($0.name, (Place.gguf($0, file), source)) } }
    ) { first, _ in first }
  }

  init(_ shards: [(file: SafetensorsFile, source: any ByteSource)], path: String) {
    self.path = path
    places = Dictionary(
      shards.flatMap { file, source in file.tensors.map { ($0.name, (Place.safetensors($0, file), source)) } }
    ) { first, _ in first }
  }

  var names: some Collection<String> { places.keys }

  func contains(_ name: String) -> Bool { places[name] != nil }

  /// A tensor, or `nil` when the files hold none of that name.
  mutating func matrix(_ name: String) throws(FileError) -> StoredMatrix? {
    asked.insert(name)
    guard let (place, source) = places[name] else { return nil }
    switch place {
    case .gguf(let tensor, let file): return try StoredMatrix(tensor, of: file, in: source)
    case .safetensors(let tensor, let file): return try StoredMatrix(tensor, of: file, in: source)
    }
  }

  /// A tensor whose rows have a known width.
  mutating func matrix(_ name: String, width: Int) throws(FileError) -> StoredMatrix {
    guard let matrix = try matrix(name) else { throw missing(name) }
    guard matrix.width == width else {
      throw matrix.error(.weightsShape, found: "rows of \(matrix.width) elements", expected: "rows of \(width)")
    }
    return matrix
  }

  /// The numbers of a vector, or none when the files hold none of that name.
  mutating func vector(_ name: String, count: Int) throws(FileError) -> [Float] {
    guard contains(name) else { return [] }
    let matrix = try matrix(name, width: count)
    guard matrix.rowCount == 1 else {
      throw matrix.error(.weightsShape, found: "\(matrix.rowCount) rows", expected: "one of \(count) elements")
    }
    return try matrix.rows(0..<1)
  }

  func missing(_ name: String) -> FileError {
    FileError(
      .weightsMissing, at: SourceLocation(path: path, key: name), found: "no file holds this tensor",
      expected: "the tensors of the first layer's attention",
      remedy: "put all files of the model side by side; packed quantisations cannot be read here")
  }
}
