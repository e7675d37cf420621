import Bytes
import GGUF
import Synchronization
import TestSupport
import Testing

@testable import Weights

/// A file of which only the header is in memory; every tensor is full of the same byte. Keeps what was read.
private final class HollowSource: ByteSource {
  let path = "hollow.gguf"
  let header: [UInt8]
  let size: UInt64
  let reads = Mutex<[Range<UInt64>]>([])

  init(header: [UInt8], dataSize: UInt64) {
    self.header = header
    size = UInt64(header.count) + dataSize
  }

  func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let end = min(offset + UInt64(buffer.count), size)
    if offset >= UInt64(header.count) { reads.withLock { $0.append(offset..<end) } }
    for i in 0..<Int(end - offset) {
      let place = Int(offset) + i
      buffer[i] = place < header.count ? header[place] : 0x11
    }
    return Int(end - offset)
  }
}

@Suite struct ReadRangeTests {
  @Test func `of a model of 70 billion parameters a few rows are read, a little at a time`() throws {
    let width: UInt64 = 8192
    let (rowBytes, vocabulary) = (width / 256 * 144, 128_256 as UInt64)
    // Places in the data section: norm, embedding, queries, keys.
    let norm = 4 * width
    let (queries, keys) = (norm + vocabulary * rowBytes, norm + (vocabulary + 8192) * rowBytes)
    let builder = GGUFBuilder(
      metadata: [
        ("general.architecture", .string("llama")), ("llama.attention.head_count", .uint32(64)),
        ("llama.attention.layer_norm_rms_epsilon", .float32(1e-5)),
      ],
      tensors: [
        .init("blk.0.attn_norm.weight", [width], data: []),
        .init("token_embd.weight", [width, vocabulary], type: 12, data: [], offset: norm),
        .init("blk.0.attn_q.weight", [width, 8192], type: 12, data: [], offset: queries),
        .init("blk.0.attn_k.weight", [width, 1024], type: 12, data: [], offset: keys),
      ])
    let header = builder.bytes()
    let source = HollowSource(header: header, dataSize: keys + 1024 * rowBytes)
    let file = try GGUFFile(source)
    let layer = try FirstLayer([(file, source)])
    #expect((layer.headCount, layer.keyHeadCount, layer.headDimension) == (64, 8, 128))
    let start = file.dataOffset
    #expect(source.reads.withLock { $0 }.filter { $0.lowerBound >= start } == [start..<start + norm])

    source.reads.withLock { $0 = [] }
    let tokens = [128_255, 7]
    #expect(try layer.keys(ofHeads: [7], tokens: tokens)[0].count == 256)
    let reads = source.reads.withLock { $0 }
    for token in tokens {
      let row = start + norm + UInt64(token) * rowBytes
      #expect(reads.contains(row..<row + rowBytes))
    }
    let rows = reads.filter { $0.lowerBound >= start + keys }
    #expect(rows.reduce(0) { $0 + $1.count } == 128 * Int(rowBytes))
    #expect(rows.map(\.lowerBound).min() == start + keys + 7 * 128 * rowBytes)
    #expect(reads.count == tokens.count + rows.count)
    #expect(reads.allSatisfy { $0.count <= 1 << 20 })
  }
}
