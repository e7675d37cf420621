import Glibc

@testable import FileStore

/// Where the blocks of files stand, on a file system that can move them as ext4 does: extent by extent, each by itself.
///
/// The bytes are in real files, moved by hand. Nearly every extent is a block, the worst fragmentation there is; only a gap
/// that was written to stands right before what follows it, as on a disk with room there. Outlives the runs that crash on
/// it. Used by one thread at a time.
final class SimulatedDisk {
  static let blockSize: UInt64 = 16
  /// Whether two files can share blocks.
  var shares = false
  /// Whether another program has every file open.
  var isInUse = false
  var freeSpace = UInt64.max
  private var next: UInt64 = 1
  /// The place on the device of each block of a file, by inode; `nil` for a hole.
  private var files: [UInt64: [UInt64?]] = [:]

  /// Blocks that move, and what the file was before.
  struct Shift {
    enum Kind {
      case insertion(at: UInt64, UInt64)
      case removal(at: UInt64, UInt64)
    }
    var kind: Kind
    var bytes: [UInt8]
    var blocks: [UInt64?]
    /// How many blocks move, one after the other.
    var extentCount: Int
  }

  /// Forgets what it knows of all files, so that they can be laid out anew.
  func format() { files = [:] }

  func shift(_ kind: Shift.Kind, of file: Int32, inode: UInt64) throws(SystemError) -> Shift {
    let bytes = try contents(of: file)
    let blocks = blocks(of: inode, size: bytes.count)
    let block = Int(Self.blockSize)
    switch kind {
    case .insertion(let offset, let count):
      guard offset % Self.blockSize == 0, count % Self.blockSize == 0, offset < bytes.count else {
        throw SystemError("insert", EINVAL)
      }
      return Shift(kind: kind, bytes: bytes, blocks: blocks, extentCount: blocks.count - Int(offset) / block)
    case .removal(let offset, let count):
      guard offset % Self.blockSize == 0, count % Self.blockSize == 0, offset + count < bytes.count else {
        throw SystemError("collapse", EINVAL)
      }
      return Shift(kind: kind, bytes: bytes, blocks: blocks, extentCount: blocks.count - Int(offset + count) / block)
    }
  }

  /// Leaves what a shift leaves of which so many blocks have moved, wherever the file stands now.
  func perform(_ shift: Shift, on file: Int32, inode: UInt64, moving moved: Int) throws(SystemError) {
    var (bytes, blocks) = (shift.bytes, shift.blocks)
    let block = Int(Self.blockSize)
    func part(_ range: Range<Int>) -> ArraySlice<UInt8> {
      shift.bytes[min(range.lowerBound * block, bytes.count)..<min(range.upperBound * block, shift.bytes.count)]
    }
    switch shift.kind {
    case .insertion(let offset, let count):
      // The length first, then the last block first.
      let (start, width) = (Int(offset) / block, Int(count) / block)
      let place = blocks.count - moved
      guard moved > 0 else {
        (bytes, blocks) = (shift.bytes, shift.blocks)
        break
      }
      precondition(place >= start)
      bytes = part(0..<place) + [UInt8](repeating: 0, count: Int(count)) + part(place..<blocks.count)
      blocks = blocks[..<place] + [UInt64?](repeating: nil, count: width) + blocks[place...]
    case .removal(let offset, let count):
      // The range is freed, then the first block behind it moves first, and at the end the length follows.
      guard moved > 0 else { break }
      let (start, width) = (Int(offset) / block, Int(count) / block)
      let rest = start + width
      let hole = moved == shift.extentCount ? 0 : width
      bytes =
        part(0..<start) + part(rest..<rest + moved) + [UInt8](repeating: 0, count: hole * block)
        + part(rest + moved..<blocks.count)
      blocks =
        blocks[..<start] + blocks[rest..<rest + moved] + [UInt64?](repeating: nil, count: hole)
        + blocks[(rest + moved)...]
    }
    guard bytes.isEmpty || pwrite(file, bytes, bytes.count, 0) == bytes.count, ftruncate(file, off_t(bytes.count)) == 0
    else { throw SystemError("shift", errno) }
    files[inode] = blocks
  }

  func truncate(inode: UInt64, to size: UInt64) {
    guard let blocks = files[inode] else { return }
    files[inode] = Array(blocks.prefix(Int((size + Self.blockSize - 1) / Self.blockSize)))
  }

  func extents(of file: Int32, inode: UInt64, from offset: UInt64) throws(SystemError) -> [Extent] {
    let size = try POSIXFileSystem().status(of: file).identity.size
    var extents: [Extent] = []
    for (index, place) in blocks(of: inode, size: Int(size)).enumerated() {
      let logical = UInt64(index) * Self.blockSize
      guard let place, logical + Self.blockSize > offset else { continue }
      let physical = place * Self.blockSize
      if let last = extents.last, last.logical + last.length == logical, last.physical + last.length == physical {
        extents[extents.count - 1].length += Self.blockSize
      } else {
        extents.append(Extent(logical: logical, physical: physical, length: Self.blockSize))
      }
    }
    return extents
  }

  /// Gives places to the holes that were written to.
  func fill(_ range: Range<UInt64>, of file: Int32, inode: UInt64) throws(SystemError) {
    let size = try POSIXFileSystem().status(of: file).identity.size
    var blocks = blocks(of: inode, size: Int(size))
    for index in blocks.indices.reversed() where blocks[index] == nil {
      let start = UInt64(index) * Self.blockSize
      guard range.overlaps(start..<start + Self.blockSize) else { continue }
      let following = index + 1 < blocks.count ? blocks[index + 1] : nil
      // All places that were given in disorder are even.
      if let following, following.isMultiple(of: 2) {
        blocks[index] = following - 1
      } else {
        blocks[index] = newPlace()
      }
    }
    files[inode] = blocks
  }

  private func newPlace() -> UInt64 {
    defer { next += 1 }
    return next * 7 % 100_003 * 2
  }

  private func contents(of file: Int32) throws(SystemError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(try POSIXFileSystem().status(of: file).identity.size))
    guard pread(file, &bytes, bytes.count, 0) == bytes.count else { throw SystemError("pread", EIO) }
    return bytes
  }

  /// A file that was not seen yet gets places, apart from each other and in disorder.
  private func blocks(of inode: UInt64, size: Int) -> [UInt64?] {
    var blocks = files[inode] ?? []
    let count = (size + Int(Self.blockSize) - 1) / Int(Self.blockSize)
    blocks = Array(blocks.prefix(count))
    while blocks.count < count {
      blocks.append(newPlace())
    }
    files[inode] = blocks
    return blocks
  }
}
