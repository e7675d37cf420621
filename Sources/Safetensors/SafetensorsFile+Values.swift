import Bytes
import Diagnostics

extension SafetensorsFile {
  /// Largest tensor whose values are read, in bytes: inverse frequencies take a few kilobytes at most.
  package static let maximumValueSize: UInt64 = 1 << 20

  /// The values of a small tensor of type F16, BF16, F32 or F64, such as a stored table of inverse frequencies.
  ///
  /// - Parameter count: How many of the first values are wanted; all if `nil`.
  /// - Returns: The values in the order of the file, each converted without loss.
  /// - Throws: `safetensorsValues` for another type or a tensor above ``maximumValueSize``; what the source throws.
  package func floatValues(
    of tensor: SafetensorsTensor, first count: Int? = nil, in source: any ByteSource
  ) throws(FileError) -> [Double] {
    let decode: (UInt64) -> Double
    let width: Int
    switch tensor.dtype {
    case "F16": (width, decode) = (2, { Double(Float16(bitPattern: UInt16(truncatingIfNeeded: $0))) })
    case "BF16": (width, decode) = (2, { Double(Float(bitPattern: UInt32(truncatingIfNeeded: $0) << 16)) })
    case "F32": (width, decode) = (4, { Double(Float(bitPattern: UInt32(truncatingIfNeeded: $0))) })
    case "F64": (width, decode) = (8, { Double(bitPattern: $0) })
    default: throw unreadable(tensor, "the values are of type \(tensor.dtype)", "F16, BF16, F32 or F64")
    }
    let size = min(tensor.end - tensor.begin, count.map { UInt64(max($0, 0)) * UInt64(width) } ?? .max)
    guard size <= Self.maximumValueSize else {
      throw unreadable(
        tensor, "the tensor has \(tensor.end - tensor.begin) bytes", "at most \(Self.maximumValueSize)")
    }
    let bytes = try source.bytes(in: dataOffset + tensor.begin..<dataOffset + tensor.begin + size)
    return stride(from: 0, to: bytes.count, by: width).map { start in
      decode(bytes[start..<start + width].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
  }

  private func unreadable(_ tensor: SafetensorsTensor, _ found: String, _ expected: String) -> FileError {
    FileError(
      .safetensorsValues, at: SourceLocation(path: path, byteOffset: dataOffset + tensor.begin, key: tensor.name),
      found: found, expected: expected, remedy: "leave this tensor out of the comparison")
  }
}
