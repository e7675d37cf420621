import Diagnostics

/// The blocks that a change inserts into a file, or takes out again, and how to find them.
///
/// Neither is atomic. A file system moves the extents behind the gap one after the other, the last one first when blocks
/// are inserted and the first one first when they are taken out, and a power cut between two of them leaves
///
/// ```
///   old      A B C D E                 the old length
///   torn     A B C . D E               the new length, and the gap on its way from the end to its place
///   new      A . B C D E
/// ```
///
/// No extent changes its place on the device meanwhile, so the old places tell which of them have moved. Found so on
/// ext4 (`fs/ext4/extents.c`, `ext4_insert_range`, `ext4_collapse_range`) and xfs (`fs/xfs/xfs_bmap_util.c`).
struct Gap: Sendable, Equatable {
  /// First byte of the gap in the new file, a multiple of a block.
  var offset: UInt64
  /// Its length in bytes, a multiple of a block.
  var length: UInt64
  /// Length of the file without the gap.
  var oldSize: UInt64
  /// Where the bytes from ``offset`` on stand on the device, in the old file's order.
  var extents: [Extent]

  /// The gap that a change will insert into the old file.
  init(insertingAt offset: UInt64, length: UInt64, into file: OpenFile) throws(FileError) {
    let size = try file.status().identity.size
    let extents = try file.extents(in: offset..<size)
    self.init(offset: offset, length: length, oldSize: size, extents: extents)
  }

  /// The gap that stands in the new file.
  init(standingAt offset: UInt64, length: UInt64, in file: OpenFile, oldSize: UInt64) throws(FileError) {
    let extents = try file.extents(in: offset + length..<oldSize + length).map { extent in
      Extent(logical: extent.logical - length, physical: extent.physical, length: extent.length)
    }
    self.init(offset: offset, length: length, oldSize: oldSize, extents: extents)
  }

  init(offset: UInt64, length: UInt64, oldSize: UInt64, extents: [Extent]) {
    self.offset = offset
    self.length = length
    self.oldSize = oldSize
    self.extents = extents
  }

  /// The gap's place in a file in any of the states above.
  ///
  /// - Returns: `nil` for the old file, the old file's length when nothing has moved yet.
  /// - Throws: `changedSincePatch` for a file in another state.
  func place(in file: OpenFile) throws(FileError) -> UInt64? {
    let size = try file.status().identity.size
    if size == oldSize { return nil }
    let now = try file.extents(in: offset..<UInt64.max)
    // Bytes are written behind the end only once the gap stands.
    guard size >= oldSize + length, let place = place(among: now), size == oldSize + length || place == offset else {
      throw .blocksMoved(file.path)
    }
    return place
  }

  /// Gives the file the new layout; what stands in the gap is left to the caller.
  func open(in file: OpenFile) throws(FileError) {
    let place = try place(in: file)
    guard place != offset else { return }
    if place != nil { try close(in: file) }
    try file.insert(length, at: offset)
    try file.sync()
  }

  /// Gives the file the old layout.
  func close(in file: OpenFile) throws(FileError) {
    guard let place = try place(in: file) else { return }
    try file.requireOnlyOpening()
    // What is cut off here is the gap itself, which no program has ever seen filled.
    if place >= oldSize { try file.truncate(to: oldSize) } else { try file.collapse(length, at: place) }
    try file.sync()
  }

  /// The old place of the first extent that has moved; `nil` when the extents fit no state.
  private func place(among now: [Extent]) -> UInt64? {
    let recorded = extents.sorted { $0.physical < $1.physical }
    var (found, unmovedEnd, firstMoved) = (0 as UInt64, offset, nil as UInt64?)
    for extent in now {
      var rest = extent
      while rest.length > 0 {
        let (old, next) = recorded.extent(holding: rest.physical)
        guard let old else {
          // New blocks, which the file system may have put right before recorded ones: of the gap, once it was complete
          // and written, or behind the end.
          let count = min(rest.length, next - rest.physical)
          guard rest.logical + count <= offset + length || rest.logical >= oldSize else { return nil }
          rest = rest.dropping(count)
          continue
        }
        let count = min(rest.length, old.physical + old.length - rest.physical)
        let origin = old.logical + (rest.physical - old.physical)
        if rest.logical == origin {
          unmovedEnd = max(unmovedEnd, origin + count)
        } else if rest.logical == origin + length {
          firstMoved = min(firstMoved ?? origin, origin)
        } else {
          return nil
        }
        found += count
        rest = rest.dropping(count)
      }
    }
    guard found == extents.reduce(0, { $0 + $1.length }) else { return nil }
    // A file may begin to have blocks only behind the gap; then the gap is complete once any have moved.
    guard let firstMoved else { return extents.isEmpty ? offset : max(oldSize, unmovedEnd) }
    guard unmovedEnd > offset else { return offset }
    return unmovedEnd <= firstMoved ? firstMoved : nil
  }
}

extension Extent {
  /// The part within a range of the file, `nil` when there is none.
  func part(in range: Range<UInt64>) -> Extent? {
    let (start, end) = (max(logical, range.lowerBound), min(logical + length, range.upperBound))
    guard start < end else { return nil }
    return Extent(logical: start, physical: physical + (start - logical), length: end - start)
  }

  fileprivate func dropping(_ count: UInt64) -> Extent {
    Extent(logical: logical + count, physical: physical + count, length: length - count)
  }
}

extension [Extent] {
  /// The extent with a byte of the device, and where behind that byte the next one begins. The extents are in the
  /// device's order.
  fileprivate func extent(holding physical: UInt64) -> (Extent?, next: UInt64) {
    var (low, high) = (0, count)
    while low < high {
      let middle = (low + high) / 2
      if self[middle].physical <= physical { low = middle + 1 } else { high = middle }
    }
    let isHeld = low > 0 && physical - self[low - 1].physical < self[low - 1].length
    return (isHeld ? self[low - 1] : nil, next: low < count ? self[low].physical : .max)
  }
}

extension FileError {
  fileprivate static func blocksMoved(_ path: String) -> FileError {
    FileError(
      .changedSincePatch, at: SourceLocation(path: path),
      found: "the file's blocks are not where the interrupted change left them",
      expected: "the file itself, neither copied nor defragmented since",
      remedy: "restore the file from where it came; what was recorded of it stands in the undo record")
  }
}
