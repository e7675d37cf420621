import Bytes
import Diagnostics
import GGUF
import TestSupport
import Testing

/// A tensor that is added, or whose values are replaced.
@Suite struct TensorEditTests {
  static let tensor = GGUFFloatTensor("rope_freqs.weight", [1, 1.5, 4])

  private func edits(_ bytes: [UInt8], _ tensor: GGUFFloatTensor = tensor) throws -> EditList {
    let source = MemorySource(bytes, path: "t.gguf")
    return try GGUFFile(source).edits(
      setting: [("llama.context_length", .uint32(16_384))], removing: ["llama.rope.scaling.type"], storing: tensor,
      in: source)
  }

  /// Applies the edits, reads the tensor back, and checks what every addition must keep.
  @discardableResult
  private func stored(_ old: [UInt8], _ tensor: GGUFFloatTensor = tensor) throws -> (bytes: [UInt8], file: GGUFFile) {
    let edits = try edits(old, tensor)
    let new = try #require(edits.apply(to: old))
    #expect(edits.inverse.apply(to: new) == old)
    let (before, after) = (try parse(old), try parse(new))
    let info = try #require(after.tensors.first { $0.name == tensor.name })
    #expect(try after.floatValues(of: info, in: MemorySource(new)) == tensor.values.map { Double($0) })
    // Contiguous as ggml wants it, with padding after the last one as well.
    var end: UInt64 = 0
    for tensor in after.tensors {
      #expect(tensor.offset == end)
      end = try #require(aligned(tensor.offset + (tensor.byteCount ?? 0), to: after.alignment))
    }
    #expect(after.dataOffset + end <= UInt64(new.count) || before.tensors.count == after.tensors.count)
    func data(_ file: GGUFFile, _ bytes: [UInt8]) -> [String: [UInt8]] {
      let others = file.tensors.filter { $0.name != tensor.name }
      return Dictionary(
        uniqueKeysWithValues: others.map {
          let start = Int(file.dataOffset + $0.offset)
          return ($0.name, Array(bytes[start..<start + Int($0.byteCount ?? 0)]))
        })
    }
    #expect(data(before, old) == data(after, new))
    return (new, after)
  }

  @Test(arguments: [ByteOrder.little, .big], [8, 32, 4096])
  func `a tensor becomes the last one and the rest stays`(order: ByteOrder, alignment: Int) throws {
    var builder = sample(order, alignment: alignment)
    builder.tensors.removeFirst()
    let (bytes, file) = try stored(builder.bytes())
    #expect(file.tensors.map(\.name) == ["output.weight", "rope_freqs.weight"])
    #expect(file.tensors[1].type == .float32 && file.tensors[1].dimensions == [3])
    #expect(file["llama.context_length"] == .uint32(16_384) && file["llama.rope.scaling.type"] == nil)
    // Nothing to do the second time.
    let source = MemorySource(bytes)
    #expect(try file.edits(setting: [], removing: [], storing: Self.tensor, in: source).isEmpty)
  }

  @Test(arguments: [ByteOrder.little, .big])
  func `a tensor of the same shape is overwritten where it stands`(order: ByteOrder) throws {
    let old = sample(order).bytes()
    let (new, file) = try stored(old)
    #expect(file.tensors.map(\.name) == ["rope_freqs.weight", "output.weight"])
    let source = MemorySource(old)
    let alone = try GGUFFile(source).edits(setting: [], removing: [], storing: Self.tensor, in: source)
    #expect(alone.sizeChange == 0 && alone.extent.count <= 12)
    #expect(new.count <= old.count + 32)
  }

  @Test(arguments: [0, 1, 31, 32, 500])
  func `what stands behind the data stays behind it`(count: Int) throws {
    var builder = sample()
    builder.tensors.removeFirst()
    let old = builder.bytes()
    let end = (old.count + 31) / 32 * 32
    let padded = old + [UInt8](repeating: 0, count: end - old.count) + [UInt8](repeating: 0xab, count: count)
    let (new, _) = try stored(padded)
    #expect(new.suffix(count) == padded.suffix(count))
  }

  @Test(arguments: [true, false])
  func `a file without tensors gets its first one, with the padding it lacked`(padsHeader: Bool) throws {
    var builder = sample()
    builder.tensors = []
    builder.padsHeader = padsHeader
    let (_, file) = try stored(builder.bytes())
    #expect(file.tensors.map(\.offset) == [0])
  }

  @Test func `a set counts one more, in the type that is there`() throws {
    func after(_ value: GGUFBuilder.Value) throws -> GGUFValue? {
      var builder = sample()
      builder.metadata.append(("split.tensors.count", value))
      return try parse(builder.bytes()).splitCountAfterAddition?.value
    }
    #expect(try after(.int32(7)) == .int32(8) && after(.uint32(7)) == .uint32(8))
    #expect(try after(.string("7")) == nil && parse(sample().bytes()).splitCountAfterAddition == nil)
  }

  struct Refused: CustomTestStringConvertible {
    var testDescription: String
    var change: @Sendable (inout GGUFBuilder) -> Void
  }

  static let refused = [
    Refused(testDescription: "other length") { $0.tensors[0] = .init("rope_freqs.weight", [4], data: zeros(16)) },
    Refused(testDescription: "two dimensions") { $0.tensors[0] = .init("rope_freqs.weight", [3, 1], data: zeros(12)) },
    Refused(testDescription: "F16") { $0.tensors[0] = .init("rope_freqs.weight", [3], type: 1, data: zeros(6)) },
    Refused(testDescription: "a gap") { $0.tensors = [.init("a", [1], data: zeros(68), offset: 64)] },
    Refused(testDescription: "another order") {
      $0.tensors = [.init("a", [1], data: zeros(32), offset: 32), .init("b", [1], data: zeros(4), offset: 0)]
    },
    Refused(testDescription: "a type of unknown size") { $0.tensors = [.init("a", [1], type: 99, data: zeros(64))] },
  ]

  private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  @Test(arguments: refused)
  func `what ggml would not read afterwards is refused`(_ test: Refused) throws {
    var builder = sample()
    test.change(&builder)
    #expect { try edits(builder.bytes()) } throws: { ($0 as? FileError)?.code == .ggufEdit }
  }
}
