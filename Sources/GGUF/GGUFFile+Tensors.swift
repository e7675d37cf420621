import Bytes
import Diagnostics

/// Values for a one-dimensional F32 tensor.
package struct GGUFFloatTensor: Sendable, Equatable {
  package var name: String
  package var values: [Float]

  package init(_ name: String, _ values: [Float]) {
    self.name = name
    self.values = values
  }
}

extension GGUFFile {
  /// `split.tensors.count` with one more, in its own type; `nil` where the file states none. Only a set needs it.
  package var splitCountAfterAddition: (key: String, value: GGUFValue)? {
    switch self[Self.splitTensorsKey] {
    case .int32(let count): (Self.splitTensorsKey, .int32(count &+ 1))
    case .uint32(let count): (Self.splitTensorsKey, .uint32(count &+ 1))
    default: nil
    }
  }

  /// The edits that give a tensor its values: over the old ones where it stands, else as the file's last tensor.
  ///
  /// ggml wants each tensor's data to follow that of the one before it, in the order of the infos and each padded to the
  /// alignment. So an addition goes behind the last tensor's data, before whatever else the file ends with.
  ///
  /// - Returns: Edits of the header, which change its length, and those of the data section, which do not.
  /// - Throws: `gguf-edit` for a tensor of another shape or type, and for a file whose data ggml would not read.
  func edits(
    storing tensor: GGUFFloatTensor, in source: any ByteSource
  ) throws(FileError) -> (header: [ByteEdit], data: ByteEdit) {
    let bytes = tensor.values.flatMap { encode($0.bitPattern) }
    if let old = tensors.first(where: { $0.name.utf8.elementsEqual(tensor.name.utf8) }) {
      guard old.type == .float32, old.dimensions == [UInt64(tensor.values.count)] else {
        throw refusal(
          old.name, at: old.infoRange.lowerBound, found: "\(old.type.name) of \(old.dimensions)",
          expected: "F32 of [\(tensor.values.count)], one value for each rotary pair")
      }
      let start = dataOffset + old.offset
      let expected = try source.bytes(in: start..<start + UInt64(bytes.count))
      return ([], ByteEdit(at: start, expected: expected, replacement: bytes))
    }
    let offset = try endOfTensors()
    let info =
      encodeText(tensor.name) + encode(UInt32(1)) + encode(UInt64(tensor.values.count))
      + encode(GGUFTensorType.float32.rawValue) + encode(offset)
    let count = UInt64(tensors.count)
    let header = [
      ByteEdit(at: Self.tensorCountOffset, expected: encode(count), replacement: encode(count + 1)),
      ByteEdit(at: headerEnd, expected: [], replacement: info),
    ]
    // Nothing may follow the last tensor, its padding included. Padding of the header is the header's own matter.
    let end = max(fileSize, dataOffset)
    let missing = end < dataOffset + offset ? dataOffset + offset - end : 0
    let tail = (alignment - UInt64(bytes.count) % alignment) % alignment
    let data = zeros(missing) + bytes + zeros(tail)
    return (header, ByteEdit(at: min(fileSize, dataOffset + offset), expected: [], replacement: data))
  }

  /// Where the data of one more tensor begins, counted from the start of the data section.
  private func endOfTensors() throws(FileError) -> UInt64 {
    var end: UInt64 = 0
    for tensor in tensors {
      guard tensor.offset == end, let size = tensor.byteCount, let next = aligned(end + size, to: alignment) else {
        throw refusal(
          tensor.name, at: tensor.infoRange.lowerBound,
          found: "\(tensor.type.name) data at \(tensor.offset) of the data section",
          expected: "a tensor of known size at \(end), where the one before it ends")
      }
      end = next
    }
    return end
  }

  private func zeros(_ count: UInt64) -> [UInt8] { [UInt8](repeating: 0, count: Int(count)) }

  private func refusal(_ tensor: String, at offset: UInt64, found: String, expected: String) -> FileError {
    FileError(
      .ggufEdit, at: SourceLocation(path: path, byteOffset: offset, key: tensor), found: found, expected: expected,
      remedy: GGUFRemedy.convert)
  }
}
