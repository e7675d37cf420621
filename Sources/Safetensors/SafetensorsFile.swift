import Bytes
import Diagnostics
import LosslessJSON

/// The header of a safetensors file. Tensor data is not read.
///
/// ```
/// 0        8                     8 + headerLength            fileSize
/// ┌────────┬─────────────────────┬───────────────────────────┐
/// │ UInt64 │ JSON object, spaces │ tensors, without any hole │
/// └────────┴─────────────────────┴───────────────────────────┘
///  headerLength                  dataOffset
/// ```
public struct SafetensorsFile: Sendable {
  /// Longest header of the format, which its reference library refuses to exceed as well.
  package static let maximumHeaderLength: UInt64 = 100_000_000
  /// Most tensors of a file. Real ones have some ten thousand; what is kept of each then stays within megabytes.
  package static let maximumTensorCount = 1 << 18

  /// The file's name, for messages.
  public let path: String
  /// Length of the whole file in bytes.
  public let fileSize: UInt64
  /// Bytes of the JSON text with the spaces behind it: the file's first eight bytes.
  public let headerLength: UInt64
  /// White space at the end of the header, by which writers align the data.
  public let headerPadding: UInt64
  /// `__metadata__` in the order of the header, `nil` when there is none.
  public let metadata: [SafetensorsMetadata]?
  /// Tensors in the order of the header.
  public let tensors: SafetensorsTensors
  /// Elements of all tensors together.
  package let elementCount: UInt64

  /// First byte of the data section, from which the tensors' offsets count.
  public var dataOffset: UInt64 { 8 + headerLength }

  /// Reads and checks a header, at most ``maximumHeaderLength`` bytes of the file.
  ///
  /// - Throws: `gitLFSPointer` or `html` for a failed download; `truncated` when the file ends before its header or its
  ///   last tensor does; `safetensorsHeaderLength`; the scanner's codes for a header that is not strict JSON; and the
  ///   codes of this module, whose location has the entry's byte offset and the tensor's name.
  package init(_ source: any ByteSource) throws(FileError) {
    path = source.path
    fileSize = source.size
    // Text comes first: read as a length, its first letters only give a confusing number.
    let start = try source.bytes(in: 0..<min(512, source.size))
    if let error = foreignContent(start, path: source.path) { throw error }
    headerLength = try source.bytes(in: 0..<8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    guard headerLength <= Self.maximumHeaderLength else {
      throw FileError(
        .safetensorsHeaderLength, at: SourceLocation(path: path, byteOffset: 0),
        found: "the first eight bytes announce a header of \(headerLength) bytes",
        expected: "at most \(Self.maximumHeaderLength), the format's limit",
        remedy: "check that this is a safetensors file, and download it again")
    }
    var reader = HeaderReader(try source.bytes(in: 8..<8 + headerLength), path: path)
    try reader.read()
    headerPadding = reader.padding
    metadata = reader.metadata
    tensors = SafetensorsTensors(reader)
    elementCount = reader.elementCount
    // Most headers have the order of the data, so that nothing is left to check.
    if reader.contiguousEnd != fileSize - dataOffset { try checkCoverage(offsets: reader.names.map(\.start)) }
  }

  /// The tensor with this exact name.
  public func tensor(named name: String) -> SafetensorsTensor? {
    tensors.first(named: name)
  }

  /// Makes sure that the tensors, put in order, fill the data section from its first byte to its last.
  ///
  /// - Parameter offsets: Where the names stand in the header.
  private func checkCoverage(offsets: [UInt32]) throws(FileError) {
    let remedy = "download the file again, or convert the model again"
    let dataSize = fileSize - dataOffset
    var position: UInt64 = 0
    for index in tensors.indicesInData {
      let tensor = tensors[Int(index)]
      func wrong(_ code: FileError.Code, _ found: String, _ expected: String) -> FileError {
        let location = SourceLocation(path: path, byteOffset: 8 + UInt64(offsets[Int(index)]), key: tensor.name)
        return FileError(code, at: location, found: found, expected: expected, remedy: remedy)
      }
      guard tensor.begin == position else {
        throw wrong(
          .safetensorsOffsets,
          "the tensor begins at \(tensor.begin) of the data, where the tensors before it end at \(position)",
          "neither hole nor overlap")
      }
      guard tensor.end <= dataSize else {
        throw wrong(
          .truncated, "the tensor ends at \(tensor.end) of the data, which has \(dataSize) bytes",
          "the whole tensor in the file")
      }
      position = tensor.end
    }
    guard position == dataSize else {
      throw FileError(
        .safetensorsNotCovered, at: SourceLocation(path: path, byteOffset: 8),
        found: "incomplete metadata, file not fully covered: the tensors end at \(position) of the data",
        expected: "\(dataSize), the end of the file", remedy: remedy)
    }
  }
}

/// A tensor as the header describes it.
public struct SafetensorsTensor: Sendable, Equatable {
  /// Unique within the file.
  public var name: String
  /// The header's word for the element type: `F32`, `BF16`, `F8_E4M3`.
  public var dtype: String
  /// Outermost dimension first; empty for a scalar.
  public var shape: [UInt64]
  /// First byte, and first byte behind, counted from ``SafetensorsFile/dataOffset``.
  public var begin: UInt64, end: UInt64
}

/// A line of `__metadata__`.
public struct SafetensorsMetadata: Sendable, Equatable {
  /// Unique within the metadata.
  public var key: String
  /// Always a string in this format.
  public var value: String
}
