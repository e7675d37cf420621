import Bytes
import Diagnostics
import LosslessJSON

/// The tensors of a safetensors file in the order of the header.
///
/// A tensor is made when it is asked for: what is kept is the header's text, and 12 bytes for each tensor.
public struct SafetensorsTensors: RandomAccessCollection, Sendable {
  private let header: HeaderReader
  /// Where the names stand in the header.
  private let names: [HeaderReader.Name]

  init(_ header: HeaderReader) {
    self.header = header
    names = header.names
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { names.count }

  public subscript(index: Int) -> SafetensorsTensor {
    var reader = header
    guard let tensor = try? reader.tensor(names[index]) else {
      preconditionFailure("the header's text was read before and has not changed since")
    }
    return tensor
  }

  /// The tensors whose names end so, without a look at the entries of others.
  package func named(endingIn suffixes: [String]) -> [SafetensorsTensor] {
    let endings = suffixes.map { NameEnding($0) }
    return names.indices.filter { index in
      header.withBytes(of: names[index]) { name in
        let last = lastBytes(of: name)
        return endings.contains { $0.ends(name, whoseLastBytesAre: last) }
      }
    }.map { self[$0] }
  }

  func first(named name: String) -> SafetensorsTensor? {
    names.indices.first { header.withBytes(of: names[$0]) { $0.elementsEqual(name.utf8) } }.map { self[$0] }
  }

  /// Indices in the order of the data: by first byte, then by last, then by place in the header.
  var indicesInData: [UInt32] {
    let begins = map(\.begin)
    return indices.map { UInt32($0) }.sorted { a, b in
      if begins[Int(a)] != begins[Int(b)] { return begins[Int(a)] < begins[Int(b)] }
      return (self[Int(a)].end, a) < (self[Int(b)].end, b)
    }
  }
}

/// What names end in. Its last bytes as one number tell most other names at once.
private struct NameEnding {
  private let bytes: [UInt8]
  private let last: UInt64

  init(_ text: String) {
    bytes = Array(text.utf8)
    last = bytes.withUnsafeBytes { lastBytes(of: $0) }
  }

  func ends(_ name: UnsafeRawBufferPointer, whoseLastBytesAre other: UInt64) -> Bool {
    (last ^ other) >> (64 - 8 * min(bytes.count, 8)) == 0 && name.suffix(bytes.count).elementsEqual(bytes)
  }
}

/// The last eight bytes, the last of them the highest, and zeros below when there are fewer.
@inline(__always)
private func lastBytes(of text: UnsafeRawBufferPointer) -> UInt64 {
  guard text.count >= 8 else { return text.reduce(0) { $0 >> 8 | UInt64($1) << 56 } }
  // SAFETY: Eight bytes stand before the end, and every bit pattern is a number.
  return UInt64(littleEndian: text.loadUnaligned(fromByteOffset: text.count - 8, as: UInt64.self))
}
