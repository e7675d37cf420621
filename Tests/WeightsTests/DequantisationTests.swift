import Bytes
import Foundation
import GGUF
import TestSupport
import Testing

@testable import Weights

@Suite struct DequantisationTests {
  /// What gguf-py made of the same bytes, recorded by `scripts/peers/record_weights.py`.
  struct Recorded: Decodable {
    var blocks: String
    var values: String
  }

  static let recorded: [String: Recorded] = {
    let bytes = (try? Fixture.bytes("weights/blocks.json")) ?? []
    return (try? JSONDecoder().decode([String: Recorded].self, from: Data(bytes))) ?? [:]
  }()

  @Test(arguments: WeightEncoding.allCases)
  func `blocks decode to the numbers of gguf-py, to the last bit`(encoding: WeightEncoding) throws {
    let recorded = try #require(Self.recorded[encoding.rawValue])
    let bytes = hexadecimal(recorded.blocks)
    let wanted = hexadecimal(recorded.values)
    var values = [Float](repeating: .nan, count: bytes.count / encoding.bytesPerBlock * encoding.blockSize)
    #expect(bytes.count == values.count / encoding.blockSize * encoding.bytesPerBlock)
    var span = values.mutableSpan
    encoding.decode(bytes.span.bytes, into: &span)
    try #require(wanted.count == 4 * values.count && values.count > 5)
    for (i, value) in values.enumerated() {
      let bits = wanted[4 * i..<4 * i + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      #expect(value.bitPattern == bits, "element \(i) is \(value), gguf-py says \(Float(bitPattern: bits))")
    }
  }

  @Test(arguments: WeightEncoding.allCases)
  func `block sizes are those of the container's table`(encoding: WeightEncoding) throws {
    let type = try #require((0..<50).map { GGUFTensorType(rawValue: $0) }.first { $0.name == encoding.rawValue })
    #expect(type.blockSize == UInt64(encoding.blockSize))
    #expect(type.bytesPerBlock == UInt64(encoding.bytesPerBlock))
  }

  private func hexadecimal(_ text: String) -> [UInt8] {
    let digits = text.utf8.map { UInt8($0 < 0x60 ? $0 - 0x30 : $0 - 0x57) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }
}
