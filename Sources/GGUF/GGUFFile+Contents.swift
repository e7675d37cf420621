import Bytes
import Diagnostics

extension GGUFFile {
  /// The first `limit` elements of an array, read from the file.
  ///
  /// - Throws: `truncated` when the file has become shorter, `gguf-bool`, `gguf-encoding` or `gguf-text-length` for
  ///   elements that are refused now that they are looked at.
  package func elements(
    of array: GGUFArray, in source: any ByteSource, limit: Int
  ) throws(FileError) -> [GGUFValue] {
    var reader = try HeaderReader(source, byteOrder: byteOrder, at: array.elements.lowerBound)
    var values: [GGUFValue] = []
    for _ in 0..<min(array.count, UInt64(max(limit, 0))) { values.append(try reader.value(array.elementType)) }
    return values
  }

  /// The numbers of a small `F32`, `F16` or `F64` tensor, such as the frequency factors of a model.
  ///
  /// - Throws: `gguf-tensor-values` for other types and for more than a million elements.
  package func floatValues(of tensor: GGUFTensorInfo, in source: any ByteSource) throws(FileError) -> [Double] {
    let isFloat = [.float32, .float16, .float64].contains(tensor.type)
    guard isFloat, tensor.elementCount <= GGUFLimit.floatValues else {
      throw FileError(
        .ggufTensorValues, at: SourceLocation(path: path, byteOffset: tensor.infoRange.lowerBound, key: tensor.name),
        found: "\(tensor.elementCount) elements of \(tensor.type.name)",
        expected: "at most \(GGUFLimit.floatValues) of F32, F16 or F64", remedy: GGUFRemedy.convert)
    }
    var reader = ByteReader(source)
    reader.byteOrder = byteOrder
    try reader.skip(dataOffset + tensor.offset, for: "the data of \(tensor.name)")
    var values: [Double] = []
    for _ in 0..<tensor.elementCount {
      switch tensor.type {
      case .float16: values.append(Double(Float16(bitPattern: try reader.integer(UInt16.self))))
      case .float32: values.append(Double(Float(bitPattern: try reader.integer(UInt32.self))))
      default: values.append(Double(bitPattern: try reader.integer(UInt64.self)))
      }
    }
    return values
  }
}
