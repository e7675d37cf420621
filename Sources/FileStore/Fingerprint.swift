import Bytes
import Diagnostics

/// By what a record knows a file again, before a change and after it.
///
/// ```
///   header │ data, without the bytes of later edits      (an overwritten tensor, bytes behind the old end)
///          └ end of the last edit in the first 16 MiB
/// ```
///
/// The data is the same before and after. Hashing all of a model takes minutes, and 16 MiB hold the header of nearly
/// every model.
struct Fingerprint {
  private let source: any ByteSource
  private let headerEnd: UInt64
  private let dataStart: UInt64
  private let data: PatchedSource

  /// Of a file that holds the bytes before the edits.
  init(_ source: any ByteSource, before edits: EditList) { self.init(source, edits, headerEdits: edits.headerEdits) }

  /// Of a file that holds the bytes after the edits.
  init(_ source: any ByteSource, after edits: EditList) {
    self.init(source, edits.inverse, headerEdits: edits.headerEdits)
  }

  private init(_ source: any ByteSource, _ edits: EditList, headerEdits: Int) {
    let last = edits.edits.prefix(headerEdits).last
    self.source = source
    headerEnd = last?.end ?? min(edits.extent.lowerBound, EditList.headerLimit)
    dataStart = last?.end ?? 0
    data = PatchedSource(
      source,
      EditList(
        edits.edits.dropFirst(headerEdits).map { ByteEdit(at: $0.offset, expected: $0.expected, replacement: []) }))
  }

  /// SHA-256 of the header.
  func header() throws(FileError) -> String { try source.digest(of: 0..<min(headerEnd, source.size)) }

  /// SHA-256 of all data.
  func wholeData() throws(FileError) -> String { try data.digest(of: min(dataStart, data.size)..<data.size) }

  /// SHA-256 of sixteen blocks of 4096 bytes spread evenly over the data, or of all when that is less.
  ///
  /// Enough to tell another model's weights, or a file that was cut and filled, at the price of sixteen reads.
  func samples() throws(FileError) -> String {
    let (count, block) = (16 as UInt64, 4096 as UInt64)
    let start = min(dataStart, data.size)
    let length = data.size - start
    guard length > count * block else { return SHA256.hexadecimal(of: try data.bytes(in: start..<data.size)) }
    var hash = SHA256()
    for index in 0..<count {
      let offset = index == count - 1 ? data.size - block : start + (length - block) / (count - 1) * index
      hash.update(try data.bytes(in: offset..<offset + block))
    }
    return hash.hexadecimal()
  }
}

extension EditList {
  fileprivate static let headerLimit: UInt64 = 16 << 20

  /// How many edits are the header's. The inverse has as many edits, in the same order.
  fileprivate var headerEdits: Int { edits.prefix { $0.end <= Self.headerLimit }.count }
}
