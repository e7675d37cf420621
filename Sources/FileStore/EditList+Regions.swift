import Bytes
import Diagnostics

// A list of edits can keep the file's length while its edits do not keep theirs: a value gets shorter, and the padding
// after it longer. The bytes between then move, and a write that stops halfway loses some of them. So an undo record
// holds them as long as the change is pending, and they are written as one longer edit.
//
// A list that makes the file longer by whole blocks is the same but for one region, which grows by the blocks inserted.
// Bytes behind the file's end are a region by themselves, and may come with either.

extension EditList {
  /// Bytes that are added behind the end of a file of this size.
  func appendedCount(to size: UInt64) -> UInt64 {
    edits.reduce(0) { $0 + ($1.offset == size ? UInt64($1.replacement.count) : 0) }
  }

  /// How much the file grows before its old end.
  func innerChange(ofFileOfSize size: UInt64) -> Int64 { sizeChange - Int64(appendedCount(to: size)) }

  /// The edits in groups, each with the region of the old file that it rewrites as a whole.
  ///
  /// - Parameters:
  ///   - size: Length of the old file.
  ///   - offset: Where blocks are inserted, see ``insertionOffset(ofFileOfSize:blockSize:)``; `nil` for nowhere.
  private func groups(ofFileOfSize size: UInt64, insertingAt offset: UInt64?) -> [(
    region: Range<UInt64>, edits: EditList
  )] {
    var groups: [(region: Range<UInt64>, edits: EditList)] = []
    var (group, shift, base) = ([] as [ByteEdit], 0 as Int64, 0 as Int64)
    let growth = innerChange(ofFileOfSize: size)
    for edit in edits where edit.offset < size {
      group.append(edit)
      shift += edit.sizeChange
      guard shift == base || base == 0 && shift == growth else { continue }
      var list = EditList(group)
      var start = list.extent.lowerBound
      if let offset, shift != base {
        // Bytes between the inserted blocks and the first edit have moved and belong before them.
        start = min(start, offset)
        while let last = groups.last, last.region.upperBound > start {
          groups.removeLast()
          list = EditList(last.edits.edits + list.edits)
          start = min(start, last.region.lowerBound)
        }
      }
      groups.append((start..<list.extent.upperBound, list))
      (group, base) = ([], shift)
    }
    let appended = EditList(edits.filter { $0.offset == size })
    return appended.isEmpty ? groups : groups + [(size..<size, appended)]
  }

  /// The regions of the old file that a change without a copy rewrites, in order.
  func regions(ofFileOfSize size: UInt64, insertingAt offset: UInt64? = nil) -> [Range<UInt64>] {
    groups(ofFileOfSize: size, insertingAt: offset).map(\.region)
  }

  /// The block's start at or before the end of the group that makes the file longer.
  func insertionOffset(ofFileOfSize size: UInt64, blockSize: UInt64) -> UInt64? {
    let growth = innerChange(ofFileOfSize: size)
    guard growth > 0, blockSize > 0 else { return nil }
    var shift: Int64 = 0
    for edit in edits where edit.offset < size {
      shift += edit.sizeChange
      if shift == growth { return edit.end / blockSize * blockSize }
    }
    return nil
  }

  /// Whether the bytes that move fit comfortably in memory and in an undo record.
  func fitsInPlace(ofFileOfSize size: UInt64, insertingAt offset: UInt64? = nil) -> Bool {
    regions(ofFileOfSize: size, insertingAt: offset).allSatisfy { $0.upperBound - $0.lowerBound <= 16 << 20 }
  }

  /// The same change as one edit per region, so that no byte outside them moves against its neighbours.
  ///
  /// - Parameter old: The old file.
  func byRegion(insertingAt offset: UInt64? = nil, in old: any ByteSource) throws(FileError) -> EditList {
    var result: [ByteEdit] = []
    for (region, edits) in groups(ofFileOfSize: old.size, insertingAt: offset) {
      let before = try old.bytes(in: region)
      guard let after = edits.apply(to: before, startingAt: region.lowerBound) else {
        throw .changedSincePlanning(old.path)
      }
      result.append(ByteEdit(at: region.lowerBound, expected: before, replacement: after))
    }
    return EditList(result)
  }
}
