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
    let suffixes = suffixes.map { Array($0.utf8) }
    return names.indices.filter { index in
      suffixes.contains { header.name(names[index], endsIn: $0) }
    }.map { self[$0] }
  }

  func first(named name: String) -> SafetensorsTensor? {
    names.indices.first { header.bytes(of: names[$0]).elementsEqual(name.utf8) }.map { self[$0] }
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
