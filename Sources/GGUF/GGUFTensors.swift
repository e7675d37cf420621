import Bytes

/// The tensor infos of a GGUF file in its order.
///
/// An info is made when it is asked for: what is kept is the text of the names, the dimensions, and 24 bytes for each.
public struct GGUFTensors: RandomAccessCollection, Sendable {
  struct Info {
    /// Of the data, from the start of the data section.
    var offset: UInt64
    /// Where the name stands in ``text``; behind it the dimensions, 8 bytes each.
    var text: UInt32
    var type: GGUFTensorType
    var nameLength: UInt16
    var dimensionCount: UInt8
  }

  var infos: [Info] = []
  var text: [UInt8] = []
  /// Offset of the first info in the file.
  let start: UInt64

  init(at start: UInt64) { self.start = start }

  public var startIndex: Int { 0 }
  public var endIndex: Int { infos.count }

  public subscript(index: Int) -> GGUFTensorInfo {
    let info = infos[index]
    let dimensions = dimensions(info)
    // They were looked at when the header was read.
    let size = GGUFTensorInfo.size(dimensions, info.type) ?? (0, nil)
    let name = nameBytes(index)
    // Beside name and dimensions, an info has 24 bytes.
    let infoStart = start + UInt64(info.text) + 24 * UInt64(index)
    return GGUFTensorInfo(
      name: String(decoding: name, as: UTF8.self), dimensions: dimensions, type: info.type, offset: info.offset,
      elementCount: size.elements, byteCount: size.bytes,
      infoRange: infoStart..<infoStart + 24 + UInt64(name.count + 8 * dimensions.count))
  }

  /// Indices in the order of the data; equal offsets in the order of the file.
  var indicesByOffset: [UInt32] {
    var indices = Array(0..<UInt32(count))
    let isAscending = zip(infos, infos.dropFirst()).allSatisfy { $0.offset <= $1.offset }
    if !isAscending { indices.sort { (infos[Int($0)].offset, $0) < (infos[Int($1)].offset, $1) } }
    return indices
  }

  /// A name that occurs twice.
  var repetition: (earlier: Int, later: Int)? {
    firstRepetition(count: count) { index in
      nameBytes(index).withUnsafeBytes { nameHash($0) }
    } areEqual: { a, b in
      nameBytes(a) == nameBytes(b)
    }
  }

  private func nameBytes(_ index: Int) -> ArraySlice<UInt8> {
    let start = Int(infos[index].text)
    return text[start..<start + Int(infos[index].nameLength)]
  }

  private func dimensions(_ info: Info) -> [UInt64] {
    let start = Int(info.text) + Int(info.nameLength)
    return (0..<Int(info.dimensionCount)).map { text.littleEndian(at: start + 8 * $0, 8) }
  }
}
