import Bytes
import Diagnostics
import GGUF
import Safetensors

/// A matrix in a file, of which rows are read and decoded as they are needed; a vector is a matrix of one row.
package struct StoredMatrix {
  /// Longest row that is read, so that memory does not follow a sparse file; hidden states have some ten thousand
  /// elements.
  static let maximumWidth = 1 << 20

  /// The tensor's name.
  package let name: String
  package let rowCount: Int
  /// Elements of a row, which stand side by side in the file.
  package let width: Int
  package let encoding: WeightEncoding

  private let source: any ByteSource
  /// First byte of the first row in the file.
  private let start: UInt64
  private let bytesPerRow: Int

  /// Describes a tensor of a GGUF; dimensions beyond the second are further rows.
  ///
  /// - Throws: `weights-encoding` for a type that is not decoded here and for big-endian files, `weights-shape` for
  ///   sizes that no row has.
  package init(_ tensor: GGUFTensorInfo, of file: GGUFFile, in source: any ByteSource) throws(FileError) {
    let place = SourceLocation(path: file.path, byteOffset: tensor.infoRange.lowerBound, key: tensor.name)
    guard file.byteOrder == .little else {
      throw Self.unreadable("big-endian \(tensor.type.name)", at: place)
    }
    try self.init(
      shape: tensor.dimensions.reversed(), typeName: tensor.type.name, bytes: tensor.byteCount ?? 0,
      start: file.dataOffset + tensor.offset, at: place, in: source)
  }

  /// Describes a tensor of a safetensors file.
  ///
  /// - Throws: As for a GGUF.
  package init(_ tensor: SafetensorsTensor, of file: SafetensorsFile, in source: any ByteSource) throws(FileError) {
    try self.init(
      shape: tensor.shape, typeName: tensor.dtype, bytes: tensor.end - tensor.begin,
      start: file.dataOffset + tensor.begin,
      at: SourceLocation(path: file.path, byteOffset: file.dataOffset + tensor.begin, key: tensor.name), in: source)
  }

  private init(
    shape: [UInt64], typeName: String, bytes: UInt64, start: UInt64, at place: SourceLocation, in source: any ByteSource
  ) throws(FileError) {
    guard let encoding = WeightEncoding(rawValue: typeName) else { throw Self.unreadable(typeName, at: place) }
    // The containers' readers have compared the product of the sizes with the bytes; here it is only divided.
    guard let last = shape.last, let width = Int(exactly: last), 1...Self.maximumWidth ~= width,
      width.isMultiple(of: encoding.blockSize),
      case let bytesPerRow = width / encoding.blockSize * encoding.bytesPerBlock, bytes > 0,
      bytes.isMultiple(of: UInt64(bytesPerRow)), let rowCount = Int(exactly: bytes / UInt64(bytesPerRow))
    else {
      throw FileError(
        .weightsShape, at: place, found: "a tensor of shape \(shape.prefix(8)) in \(typeName)",
        expected: "rows of whole blocks, of at most \(Self.maximumWidth) elements",
        remedy: "download or convert the model again")
    }
    name = place.key ?? ""
    self.rowCount = rowCount
    self.width = width
    self.encoding = encoding
    self.source = source
    self.start = start
    self.bytesPerRow = bytesPerRow
  }

  /// The numbers of some rows, one row after the other.
  ///
  /// - Parameter range: Within `0..<rowCount`; memory is taken for these rows alone.
  /// - Throws: `weights-not-finite` with the place of the first number that is none; what the source throws.
  package func rows(_ range: Range<Int>) throws(FileError) -> [Float] {
    precondition(range.lowerBound >= 0 && range.upperBound <= rowCount)
    let first = start + UInt64(range.lowerBound) * UInt64(bytesPerRow)
    let bytes = try source.bytes(in: first..<first + UInt64(range.count) * UInt64(bytesPerRow))
    var values = [Float](repeating: 0, count: range.count * width)
    var span = values.mutableSpan
    encoding.decode(bytes.span.bytes, into: &span)
    if let wrong = values.firstIndex(where: { !$0.isFinite }) {
      throw FileError(
        .weightsNotFinite,
        at: SourceLocation(
          path: source.path, byteOffset: first + UInt64(wrong / encoding.blockSize * encoding.bytesPerBlock), key: name),
        found: "element \(wrong % width) of row \(range.lowerBound + wrong / width) is \(values[wrong])",
        expected: "finite weights", remedy: "download the file again, or convert the model again")
    }
    return values
  }

  /// An error about this tensor.
  func error(_ code: FileError.Code, found: String, expected: String) -> FileError {
    FileError(
      code, at: SourceLocation(path: source.path, byteOffset: start, key: name), found: found, expected: expected,
      remedy: "download or convert the model again; the other checks need no weights")
  }

  private static func unreadable(_ type: String, at place: SourceLocation) -> FileError {
    FileError(
      .weightsEncoding, at: place, found: "the values are of type \(type)",
      expected: "one of \(WeightEncoding.allCases.map(\.rawValue).joined(separator: ", "))",
      remedy: "convert the model to one of these; the other checks need no weights")
  }
}
