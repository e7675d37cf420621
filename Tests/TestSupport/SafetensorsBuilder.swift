/// Makes safetensors files, right ones and wrong ones.
public struct SafetensorsBuilder: Sendable {
  /// The JSON text of the header.
  public var header: String
  /// What the first eight bytes announce; by default the truth.
  public var headerLength: UInt64?
  public var data: [UInt8]

  public init(header: String, data: [UInt8] = []) {
    self.header = header
    self.data = data
  }

  /// A file whose tensors follow each other in the data, each filled with its own bytes.
  public init(_ tensors: [(name: String, dtype: String, shape: [Int], data: [UInt8])], metadata: String? = nil) {
    var members = metadata.map { ["\"__metadata__\":\($0)"] } ?? []
    data = []
    for tensor in tensors {
      let end = data.count + tensor.data.count
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      members.append(
        "\"\(tensor.name)\":{\"dtype\":\"\(tensor.dtype)\",\"shape\":[\(shape)],\"data_offsets\":[\(data.count),\(end)]}"
      )
      data += tensor.data
    }
    header = "{" + members.joined(separator: ",") + "}"
  }

  public var bytes: [UInt8] {
    let length = headerLength ?? UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + Array(header.utf8) + data
  }
}
