import Bytes
import Diagnostics

// A list of edits can keep the file's length while its edits do not keep theirs: a value gets shorter, and the padding
// after it longer. The bytes between then move, and a write that stops halfway loses some of them. So the undo record
// has to hold them, and they become part of one longer edit.

extension EditList {
  /// The edits in groups that each keep their length; the list must do so.
  private var groups: [EditList] {
    var (groups, group, shift) = ([] as [EditList], [] as [ByteEdit], 0 as Int64)
    for edit in edits {
      group.append(edit)
      shift += edit.sizeChange
      guard shift == 0 else { continue }
      groups.append(EditList(group))
      group = []
    }
    return groups
  }

  /// Whether the bytes that move fit comfortably in memory and in an undo record.
  var fitsInPlace: Bool { groups.allSatisfy { $0.extent.upperBound - $0.extent.lowerBound <= 16 << 20 } }

  /// The same change as edits that keep their length each, so that no byte outside them moves.
  func keepingLengths(in source: FileSource) throws(FileError) -> EditList {
    var result: [ByteEdit] = []
    for group in groups {
      let old = try source.bytes(in: group.extent)
      guard let new = group.apply(to: old, startingAt: group.extent.lowerBound) else {
        throw .changedSincePlanning(source.path)
      }
      result.append(ByteEdit(at: group.extent.lowerBound, expected: old, replacement: new))
    }
    return EditList(result)
  }
}
