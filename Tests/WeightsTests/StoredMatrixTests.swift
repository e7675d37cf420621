import Bytes
import Diagnostics
import GGUF
import Safetensors
import TestSupport
import Testing

@testable import Weights

@Suite struct StoredMatrixTests {
  /// 5 rows of 4 numbers, 0 to 19.
  static let numbers = (0..<20).map { Float($0) }

  private func bytes(_ values: [Float], _ encoding: WeightEncoding) -> [UInt8] {
    values.flatMap { value -> [UInt8] in
      switch encoding {
      case .float16: withUnsafeBytes(of: Float16(value)) { Array($0) }
      case .bfloat16: withUnsafeBytes(of: UInt16(value.bitPattern >> 16)) { Array($0) }
      default: withUnsafeBytes(of: value) { Array($0) }
      }
    }
  }

  private func inSafetensors(_ values: [Float], _ encoding: WeightEncoding) throws -> StoredMatrix {
    let before = (name: "before", dtype: "U8", shape: [3], data: [1, 2, 3] as [UInt8])
    let tensor = (name: "w", dtype: encoding.rawValue, shape: [5, 4], data: bytes(values, encoding))
    let source = MemorySource(SafetensorsBuilder([before, tensor]).bytes)
    let file = try SafetensorsFile(source)
    return try StoredMatrix(try #require(file.tensor(named: "w")), of: file, in: source)
  }

  private func inGGUF(
    _ data: [UInt8], type: UInt32, _ dimensions: [UInt64] = [4, 5], order: ByteOrder = .little
  ) throws -> StoredMatrix {
    var builder = GGUFBuilder(tensors: [
      .init("before", [3], data: bytes([1, 2, 3], .float32)), .init("w", dimensions, type: type, data: data),
    ])
    builder.byteOrder = order
    let source = MemorySource(builder.bytes())
    let file = try GGUFFile(source)
    return try StoredMatrix(try #require(file.tensors.last), of: file, in: source)
  }

  @Test(arguments: [(WeightEncoding.float32, UInt32(0)), (.float16, 1), (.bfloat16, 30)])
  func `any run of rows is read from both containers`(encoding: WeightEncoding, type: UInt32) throws {
    for matrix in [
      try inSafetensors(Self.numbers, encoding), try inGGUF(bytes(Self.numbers, encoding), type: type),
    ] {
      #expect((matrix.rowCount, matrix.width) == (5, 4))
      for first in 0...5 {
        for end in first...5 { #expect(try matrix.rows(first..<end) == Array(Self.numbers[4 * first..<4 * end])) }
      }
    }
  }

  @Test func `a row of blocks is read without its neighbours`() throws {
    // Rows of two blocks; the number of a block is its scale.
    let blocks = (0..<6).flatMap { block in
      withUnsafeBytes(of: Float16(block)) { Array($0) } + [UInt8](repeating: 1, count: 32)
    }
    let matrix = try inGGUF(blocks, type: 8, [64, 3])
    let second = [Float](repeating: 2, count: 32) + [Float](repeating: 3, count: 32)
    #expect(try matrix.rows(1..<2) == second)
  }

  @Test(arguments: [Float.infinity, -.infinity, .nan])
  func `what is not finite is reported with its place`(value: Float) throws {
    var values = Self.numbers
    values[13] = value
    let matrix = try inSafetensors(values, .float32)
    #expect(try matrix.rows(0..<3).count == 12)
    let error = refusal { () throws(FileError) in try matrix.rows(2..<5) }
    #expect(error?.code == .weightsNotFinite)
    #expect(error?.location.key == "w")
    #expect(error?.found == "element 1 of row 3 is \(value)")
    // The data ends with element 19.
    let size = SafetensorsBuilder([
      ("before", "U8", [3], [1, 2, 3]), ("w", "F32", [5, 4], bytes(values, .float32)),
    ]).bytes.count
    #expect(error?.location.byteOffset == UInt64(size - 4 * 7))
  }

  @Test func `an infinite scale makes its block unusable`() throws {
    let block: [UInt8] = [0x00, 0x7c] + [UInt8](repeating: 1, count: 32)
    let matrix = try inGGUF(block, type: 8, [32, 1])
    #expect(refusal { () throws(FileError) in try matrix.rows(0..<1) }?.code == .weightsNotFinite)
  }

  @Test func `types, byte orders and rows that are not read are refused`() throws {
    func code(_ body: () throws -> StoredMatrix) -> FileError? {
      do { _ = try body() } catch { return error as? FileError }
      return nil
    }
    let unknown = code { try inGGUF([UInt8](repeating: 0, count: 84), type: 10, [256, 1]) }
    #expect(unknown?.code == .weightsEncoding)
    #expect(unknown?.found == "the values are of type Q2_K")
    let big = code { try inGGUF(bytes(Self.numbers, .float32), type: 0, order: .big) }
    #expect(big?.code == .weightsEncoding)
    #expect(big?.found == "the values are of type big-endian F32")
    let empty = code {
      let source = MemorySource(SafetensorsBuilder([("w", "F32", [0, 4], [])]).bytes)
      let file = try SafetensorsFile(source)
      return try StoredMatrix(try #require(file.tensors.first), of: file, in: source)
    }
    #expect(empty?.code == .weightsShape)
    let wide = code {
      let width = StoredMatrix.maximumWidth + 1
      return try inGGUF([UInt8](repeating: 0, count: 2 * width), type: 1, [UInt64(width), 1])
    }
    #expect(wide?.code == .weightsShape)
  }
}
