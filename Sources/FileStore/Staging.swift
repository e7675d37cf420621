import Bytes
import Diagnostics
import Glibc

/// A stretch of the new file.
enum Piece {
  /// Bytes of the old file.
  case kept(Range<UInt64>)
  /// Bytes of an edit.
  case new([UInt8])

  var count: UInt64 {
    switch self {
    case .kept(let range): range.upperBound - range.lowerBound
    case .new(let bytes): UInt64(bytes.count)
    }
  }
}

extension EditList {
  /// The new file from front to back.
  func pieces(ofFileOfSize size: UInt64) -> [Piece] {
    var pieces: [Piece] = []
    var position: UInt64 = 0
    for edit in edits {
      pieces += [.kept(position..<edit.offset), .new(edit.replacement)]
      position = edit.end
    }
    return pieces + [.kept(position..<size)]
  }
}

/// Bytes read, written or compared at once.
private let chunkSize: UInt64 = 1 << 20

/// Bytes of a block that files may share, on nearly every file system.
private let block: UInt64 = 4096

extension OpenFile {
  /// Fills an empty file with the source's bytes as the edits change them.
  ///
  /// - Parameter inKernel: Whether to let the kernel share blocks, or at least copy.
  /// - Returns: The source's ranges whose blocks both files share now.
  func fill(from source: FileSource, _ edits: EditList, inKernel: Bool) throws(FileError) -> [Range<UInt64>] {
    var end: UInt64 = 0
    var shared: [Range<UInt64>] = []
    for piece in edits.pieces(ofFileOfSize: source.size) {
      switch piece {
      case .kept(let range):
        var own = range
        if inKernel, let blocks = try share(range, of: source, to: end) {
          try copy(range.lowerBound..<blocks.lowerBound, of: source, to: end, inKernel: false)
          shared.append(blocks)
          own = blocks.upperBound..<range.upperBound
        }
        try copy(own, of: source, to: end + (own.lowerBound - range.lowerBound), inKernel: inKernel)
      case .new(let bytes): try write(bytes, at: end)
      }
      end += piece.count
    }
    return shared
  }

  /// Compares a filled file with what it should hold, and counts the bytes found equal to the source's.
  ///
  /// - Parameter shared: Ranges of the source that need no reading.
  func compare(
    with source: FileSource, _ edits: EditList, except shared: [Range<UInt64>] = []
  ) throws(FileError) -> UInt64 {
    var (end, compared) = (0 as UInt64, 0 as UInt64)
    let written = try content()
    for piece in edits.pieces(ofFileOfSize: source.size) {
      switch piece {
      case .kept(let range):
        let blocks = shared.first { range.contains($0.lowerBound) } ?? range.upperBound..<range.upperBound
        for part in [range.lowerBound..<blocks.lowerBound, blocks.upperBound..<range.upperBound] {
          let start = end + (part.lowerBound - range.lowerBound)
          if let offset = try firstDifference(part, of: source, at: start) { throw differs(at: offset) }
          compared += part.upperBound - part.lowerBound
        }
      case .new(let bytes):
        guard try written.bytes(in: end..<end + piece.count) == bytes else { throw differs(at: end) }
      }
      end += piece.count
    }
    guard written.size == end else { throw differs(at: end) }
    return compared
  }

  /// What the file holds now.
  func content() throws(FileError) -> some ByteSource { FileContent(file: self, size: try status().identity.size) }

  /// Shares the whole blocks of a range, the file's last one included, where both files' blocks begin alike.
  ///
  /// - Returns: The source's range that is shared, `nil` for none.
  private func share(_ range: Range<UInt64>, of source: FileSource, to start: UInt64) throws(FileError) -> Range<
    UInt64
  >? {
    guard range.upperBound - range.lowerBound > block, range.lowerBound % block == start % block else { return nil }
    let head = (block - start % block) % block
    let end = range.upperBound == source.size ? range.upperBound : range.upperBound / block * block
    let blocks = range.lowerBound + head..<end
    do throws(SystemError) {
      try fileSystem.retrying { () throws(SystemError) in
        try fileSystem.share(
          end - blocks.lowerBound, of: source.file.descriptor, at: blocks.lowerBound, to: descriptor, at: start + head)
      }
      return blocks
    } catch {
      guard [EXDEV, EOPNOTSUPP, EINVAL, ENOSYS, ENOTTY, EBADF].contains(error.code) else {
        throw FileError(error, at: path)
      }
      return nil
    }
  }

  /// A copy that cannot end well is better not begun: it takes minutes, and other programs need the room too.
  private func requireSpace(for count: UInt64) throws(FileError) {
    let folder = Path.folder(of: path)
    let free = try fileSystem.attempt(at: path) { () throws(SystemError) in try fileSystem.freeSpace(in: folder) }
    guard free < count else { return }
    throw FileError(
      .noSpace, at: SourceLocation(path: path), found: "\(free) bytes are free and a copy needs \(count) more",
      expected: "room on the disk",
      remedy: "free some space and run the command again, or write elsewhere with --output")
  }

  private func copy(_ range: Range<UInt64>, of source: FileSource, to start: UInt64, inKernel: Bool) throws(FileError) {
    if range.upperBound - range.lowerBound > chunkSize { try requireSpace(for: range.upperBound - range.lowerBound) }
    var (position, end, inKernel) = (range.lowerBound, start, inKernel)
    while position < range.upperBound {
      let rest = range.upperBound - position
      let count: Int
      if inKernel, let step = try copyInKernel(rest, of: source, at: position, to: end) {
        count = step
      } else {
        inKernel = false
        count = Int(min(rest, chunkSize))
        try write(source.bytes(in: position..<position + UInt64(count)), at: end)
      }
      position += UInt64(count)
      end += UInt64(count)
    }
  }

  /// - Returns: `nil` when this pair of files has to be copied by hand.
  private func copyInKernel(_ rest: UInt64, of source: FileSource, at position: UInt64, to end: UInt64)
    throws(FileError) -> Int?
  {
    // Blocks can be shared from a block's start on only, so the bytes before it go on their own. The upper limit keeps
    // one call short enough to be interrupted.
    let isShareable = position % block == end % block && position % block != 0
    let count = Int(min(rest, isShareable ? block - position % block : 1 << 30))
    do throws(SystemError) {
      let step = try fileSystem.retrying { () throws(SystemError) in
        try fileSystem.copy(count, of: source.file.descriptor, at: position, to: descriptor, at: end)
      }
      return step == 0 ? nil : step
    } catch {
      guard [EXDEV, EOPNOTSUPP, EINVAL, ENOSYS].contains(error.code) else { throw FileError(error, at: path) }
      return nil
    }
  }

  private func firstDifference(_ range: Range<UInt64>, of source: FileSource, at start: UInt64) throws(FileError)
    -> UInt64?
  {
    let size = Int(min(chunkSize, range.upperBound - range.lowerBound))
    let buffers = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * size, alignment: 16)
    defer { buffers.deallocate() }
    var done: UInt64 = 0
    while range.lowerBound + done < range.upperBound {
      let count = Int(min(chunkSize, range.upperBound - range.lowerBound - done))
      let old = UnsafeMutableRawBufferPointer(rebasing: buffers[..<count])
      let new = UnsafeMutableRawBufferPointer(rebasing: buffers[count..<2 * count])
      let oldCount = try source.read(at: range.lowerBound + done, into: old)
      let newCount = try read(at: start + done, into: new)
      // SAFETY: both buffers hold `count` bytes, all of them read just now.
      guard oldCount == count, newCount == count, let oldBytes = old.baseAddress, let newBytes = new.baseAddress,
        memcmp(oldBytes, newBytes, count) == 0
      else { return start + done }
      done += UInt64(count)
    }
    return nil
  }

  private func differs(at offset: UInt64) -> FileError { .readBackDiffers(path, at: offset) }
}

/// An open file's content as a source.
private struct FileContent: ByteSource {
  var file: OpenFile
  var size: UInt64
  var path: String { file.path }
  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    try file.read(at: offset, into: buffer)
  }
}

extension FileError {
  static func readBackDiffers(_ path: String, at offset: UInt64? = nil) -> FileError {
    FileError(
      .readBackDiffers, at: SourceLocation(path: path, byteOffset: offset),
      found: "other bytes read back than were written", expected: "the planned content",
      remedy: "check the disk and the memory of this machine")
  }
}
