import Bytes
import Diagnostics

/// What edits make of a source, without writing it.
struct PatchedSource: ByteSource {
  let source: any ByteSource
  let size: UInt64
  /// The new content from front to back, each piece with its first byte.
  private let pieces: [(start: UInt64, piece: Piece)]

  var path: String { source.path }

  init(_ source: any ByteSource, _ edits: EditList) {
    self.source = source
    var (end, pieces) = (0 as UInt64, [] as [(UInt64, Piece)])
    for piece in edits.pieces(ofFileOfSize: source.size) {
      pieces.append((end, piece))
      end += piece.count
    }
    self.pieces = pieces
    size = end
  }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
    var position = offset
    var count = 0
    for (start, piece) in pieces where start + piece.count > position && count < buffer.count {
      let skipped = position - start
      let length = Int(min(piece.count - skipped, UInt64(buffer.count - count)))
      // SAFETY: `count + length` is at most the buffer's length.
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[count..<count + length])
      switch piece {
      case .kept(let range):
        guard try source.read(at: range.lowerBound + skipped, into: part) == length else { return count }
      case .new(let bytes): part.copyBytes(from: bytes[Int(skipped)..<Int(skipped) + length])
      }
      count += length
      position += UInt64(length)
    }
    return count
  }
}

extension ByteSource {
  /// Whether the source holds the bytes that every edit expects.
  func holds(_ edits: EditList) throws(FileError) -> Bool {
    for edit in edits.edits {
      guard edit.end <= size, try bytes(in: edit.offset..<edit.end) == edit.expected else { return false }
    }
    return true
  }
}
