import Bytes

/// Writes small GGUF files for tests, right ones and wrong ones; knows nothing of the reader.
public struct GGUFBuilder: Sendable {
  /// A metadata value; `raw` writes any type number and any bytes.
  public indirect enum Value: Sendable {
    case uint8(UInt8)
    case int8(Int8)
    case uint16(UInt16)
    case int16(Int16)
    case uint32(UInt32)
    case int32(Int32)
    case float32(Float)
    case bool(Bool)
    case string(String)
    case array(type: UInt32, [Value])
    case uint64(UInt64)
    case int64(Int64)
    case float64(Double)
    case raw(type: UInt32, [UInt8])

    /// The format's number of the type.
    public var type: UInt32 {
      switch self {
      case .uint8: 0
      case .int8: 1
      case .uint16: 2
      case .int16: 3
      case .uint32: 4
      case .int32: 5
      case .float32: 6
      case .bool: 7
      case .string: 8
      case .array: 9
      case .uint64: 10
      case .int64: 11
      case .float64: 12
      case .raw(let type, _): type
      }
    }
  }

  public struct Tensor: Sendable {
    public var name: String
    public var dimensions: [UInt64]
    /// ggml's number of the type; 0 is F32.
    public var type: UInt32
    public var data: [UInt8]
    /// Instead of the next aligned offset.
    public var offset: UInt64?

    public init(_ name: String, _ dimensions: [UInt64], type: UInt32 = 0, data: [UInt8], offset: UInt64? = nil) {
      self.name = name
      self.dimensions = dimensions
      self.type = type
      self.data = data
      self.offset = offset
    }
  }

  public var magic = Array("GGUF".utf8)
  public var version: UInt32 = 3
  public var byteOrder = ByteOrder.little
  /// How data is laid out; `general.alignment` is up to ``metadata``.
  public var alignment = 32
  public var metadata: [(key: String, value: Value)]
  public var tensors: [Tensor]
  /// Instead of the true counts.
  public var metadataCount: UInt64?
  public var tensorCount: UInt64?
  /// Whether a file without tensors is padded as well.
  public var padsHeader = true

  public init(metadata: [(key: String, value: Value)] = [], tensors: [Tensor] = []) {
    self.metadata = metadata
    self.tensors = tensors
  }

  /// The file's bytes; nothing follows the last tensor's data.
  public func bytes() -> [UInt8] {
    var file = magic + encode(version)
    file += encode(tensorCount ?? UInt64(tensors.count)) + encode(metadataCount ?? UInt64(metadata.count))
    for (key, value) in metadata { file += encode(key) + encode(value.type) + encode(value) }
    var data: [UInt8] = []
    for tensor in tensors {
      pad(&data)
      file += encode(tensor.name) + encode(UInt32(tensor.dimensions.count)) + tensor.dimensions.flatMap(encode)
      file += encode(tensor.type) + encode(tensor.offset ?? UInt64(data.count))
      data += tensor.data
    }
    if padsHeader { pad(&file) }
    return file + data
  }

  private func pad(_ bytes: inout [UInt8]) {
    while !bytes.count.isMultiple(of: alignment) { bytes.append(0) }
  }

  public func encode<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: byteOrder == .little ? value.littleEndian : value.bigEndian) { Array($0) }
  }

  public func encode(_ text: String) -> [UInt8] { encode(UInt64(text.utf8.count)) + Array(text.utf8) }

  public func encode(_ value: Value) -> [UInt8] {
    switch value {
    case .uint8(let value): encode(value)
    case .int8(let value): encode(value)
    case .uint16(let value): encode(value)
    case .int16(let value): encode(value)
    case .uint32(let value): encode(value)
    case .int32(let value): encode(value)
    case .float32(let value): encode(value.bitPattern)
    case .bool(let value): [value ? 1 : 0]
    case .string(let value): encode(value)
    case .array(let type, let values): encode(type) + encode(UInt64(values.count)) + values.flatMap { encode($0) }
    case .uint64(let value): encode(value)
    case .int64(let value): encode(value)
    case .float64(let value): encode(value.bitPattern)
    case .raw(_, let bytes): bytes
    }
  }
}
