import Bytes
import Diagnostics
import GGUF
import TestSupport
import Testing

@Suite struct ReadingTests {
  @Test(arguments: [ByteOrder.little, .big], [2, 3] as [UInt32])
  func `reads a header of either byte order and version`(order: ByteOrder, version: UInt32) throws {
    let builder = sample(order, version: version)
    let bytes = builder.bytes()
    let file = try parse(bytes)
    #expect(file.path == "t.gguf")
    #expect(file.fileSize == UInt64(bytes.count))
    #expect(file.version == version)
    #expect(file.byteOrder == order)
    #expect(file.alignment == 32)
    #expect(file.architecture == "llama")
    #expect(file.metadata.map(\.key) == builder.metadata.map(\.key))
    #expect(file["llama.context_length"] == .uint32(4096))
    #expect(file["llama.rope.freq_base"] == .float32(10_000))
    #expect(file["tokenizer.ggml.add_bos_token"] == .bool(true))
    #expect(file["absent"] == nil)
    #expect(file.split == nil)
    #expect(file.tensors.map(\.name) == ["rope_freqs.weight", "output.weight"])
    #expect(file.tensors.map(\.dimensions) == [[3], [2, 2]])
    #expect(file.tensors.map(\.type.name) == ["F32", "F16"])
    #expect(file.tensors.map(\.offset) == [0, 32])
    #expect(file.tensors.map(\.byteCount) == [12, 8])
    #expect(file.headerEnd == file.tensors.last?.infoRange.upperBound)
    #expect(file.dataOffset == UInt64(bytes.count) - 40)
    #expect(file.dataOffset - file.headerEnd < 32)
  }

  @Test func `entries and infos follow each other without a gap`() throws {
    let bytes = sample().bytes()
    let file = try parse(bytes)
    var position: UInt64 = 24
    for entry in file.metadata {
      #expect(entry.entry.lowerBound == position)
      #expect(entry.valueRange.lowerBound == position + 8 + UInt64(entry.key.utf8.count) + 4)
      #expect(entry.valueRange.upperBound == entry.entry.upperBound)
      position = entry.entry.upperBound
    }
    for info in file.tensors {
      #expect(info.infoRange.lowerBound == position)
      position = info.infoRange.upperBound
    }
    #expect(file.headerEnd == position)
    let type = try #require(file.entry("llama.rope.scaling.type"))
    #expect(
      Array(bytes[Int(type.valueRange.lowerBound)..<Int(type.valueRange.upperBound)]) == [6, 0, 0, 0, 0, 0, 0, 0]
        + Array("linear".utf8))
  }

  static let values: [(GGUFBuilder.Value, GGUFValue, Int?, Double?)] = [
    (.uint8(255), .uint8(255), 255, 255), (.int8(-128), .int8(-128), -128, -128),
    (.uint16(65535), .uint16(65535), 65535, 65535), (.int16(-2), .int16(-2), -2, -2),
    (.uint32(.max), .uint32(.max), 4_294_967_295, 4_294_967_295),
    (.int32(.min), .int32(.min), -2_147_483_648, -2_147_483_648),
    (.float32(1.5), .float32(1.5), nil, 1.5), (.bool(false), .bool(false), nil, nil),
    (.string("héllo"), .string("héllo"), nil, nil), (.string(""), .string(""), nil, nil),
    (.uint64(.max), .uint64(.max), nil, 18_446_744_073_709_551_616), (.int64(-5), .int64(-5), -5, -5),
    (.float64(-0.1), .float64(-0.1), nil, -0.1),
  ]

  @Test(arguments: [ByteOrder.little, .big]) func `reads and writes each type of value`(order: ByteOrder) throws {
    for (written, expected, integer, double) in Self.values {
      var builder = GGUFBuilder(metadata: [("k", written)])
      builder.byteOrder = order
      let source = MemorySource(builder.bytes())
      let file = try GGUFFile(source)
      let value = try #require(file["k"])
      #expect(value == expected)
      #expect(value.type.rawValue == written.type)
      #expect(value.integerValue == integer)
      #expect(value.doubleValue == double)
      #expect(try file.encode(value, from: source) == builder.encode(written))
    }
  }

  @Test func `names the types as the format's tools do`() {
    #expect(
      GGUFValueType.allCases.map(\.name) == [
        "UINT8", "INT8", "UINT16", "INT16", "UINT32", "INT32", "FLOAT32", "BOOL", "STRING", "ARRAY", "UINT64", "INT64",
        "FLOAT64",
      ])
  }

  @Test(arguments: [ByteOrder.little, .big]) func `describes arrays and reads their elements`(order: ByteOrder) throws {
    let source = MemorySource(sample(order).bytes())
    let file = try GGUFFile(source)
    func array(_ key: String) throws -> GGUFArray {
      guard case .array(let array) = file[key] else { throw Absent() }
      return array
    }
    struct Absent: Error {}
    let tokens = try array("tokenizer.ggml.tokens")
    #expect(tokens.elementType == .string)
    #expect(tokens.count == 3)
    #expect(tokens.elements.count == 3 * 8 + 3)
    #expect(try file.elements(of: tokens, in: source, limit: 9) == [.string("a"), .string("bc"), .string("")])
    #expect(try file.elements(of: tokens, in: source, limit: 2).count == 2)
    #expect(try file.elements(of: tokens, in: source, limit: -1).isEmpty)
    #expect(
      try file.elements(of: array("tokenizer.ggml.scores"), in: source, limit: 9) == [.float32(0.5), .float32(-1)])
    let nested = try file.elements(of: array("nested"), in: source, limit: 9)
    #expect(nested.map(\.type) == [.array, .array, .array])
    guard case .array(let inner) = nested[0] else { throw Absent() }
    #expect(try file.elements(of: inner, in: source, limit: 9) == [.uint32(1), .uint32(2)])
  }

  @Test func `elements are checked when they are asked for`() throws {
    let bytes = GGUFBuilder(metadata: [
      ("bools", .array(type: 7, [.raw(type: 7, [1]), .raw(type: 7, [2])])),
      ("texts", .array(type: 8, [.raw(type: 8, [1, 0, 0, 0, 0, 0, 0, 0, 0xff])])),
    ]).bytes()
    let source = MemorySource(bytes)
    let file = try GGUFFile(source)
    for (key, code) in [("bools", FileError.Code.ggufBool), ("texts", .ggufEncoding)] {
      guard case .array(let array) = file[key] else { return #expect(Bool(false)) }
      let error = #expect(throws: FileError.self) { try file.elements(of: array, in: source, limit: 9) }
      #expect(error?.code == code)
    }
  }

  @Test(arguments: [ByteOrder.little, .big]) func `reads the numbers of small tensors`(order: ByteOrder) throws {
    var builder = sample(order)
    builder.tensors.append(.init("doubles", [1], type: 28, data: builder.encode((0.1).bitPattern)))
    builder.tensors.append(.init("scalar", [], data: builder.encode(Float(7).bitPattern)))
    builder.tensors.append(.init("quantised", [32], type: 8, data: Array(repeating: 0, count: 34)))
    let source = MemorySource(builder.bytes())
    let file = try GGUFFile(source)
    #expect(try file.floatValues(of: file.tensors[0], in: source) == [1, 0.5, 8])
    #expect(try file.floatValues(of: file.tensors[1], in: source) == [1, -2, 0.25, 0])
    #expect(try file.floatValues(of: file.tensors[2], in: source) == [0.1])
    #expect(try file.floatValues(of: file.tensors[3], in: source) == [7])
    let error = #expect(throws: FileError.self) { try file.floatValues(of: file.tensors[4], in: source) }
    #expect(error?.code == .ggufTensorValues)
    #expect(error?.location.key == "quantised")
  }

  @Test func `reads a split's place in its set from integers of any type`() throws {
    let file = try parse(
      GGUFBuilder(metadata: [
        ("split.no", .uint16(1)), ("split.count", .int64(3)), ("split.tensors.count", .int32(48)),
      ]).bytes())
    #expect(file.split?.no == 1)
    #expect(file.split?.count == 3)
    #expect(file.split?.tensorsCount == 48)
    #expect(file.architecture == nil)
  }

  @Test(arguments: [8, 32, 4096, 1]) func `takes the alignment from the metadata`(alignment: Int) throws {
    let file = try parse(sample(alignment: alignment).bytes())
    #expect(file.alignment == UInt64(alignment))
    #expect(file.dataOffset.isMultiple(of: UInt64(alignment)))
  }

  @Test func `accepts files without metadata, tensors or padding`() throws {
    var builder = GGUFBuilder()
    builder.padsHeader = false
    let empty = try parse(builder.bytes())
    #expect(empty.fileSize == 24)
    #expect(empty.headerEnd == 24)
    #expect(empty.dataOffset == 32)
    builder.metadata = [("k", .uint8(1))]
    #expect(try parse(builder.bytes()).metadata.count == 1)
  }

  @Test func `accepts trailing bytes, gaps and unknown tensor types`() throws {
    var builder = sample()
    builder.tensors[1].type = 99
    builder.tensors[1].offset = 64
    builder.tensors[1].data += Array(repeating: 0, count: 32)
    let file = try parse(builder.bytes() + [1, 2, 3])
    #expect(file.tensors[1].byteCount == nil)
    #expect(file.tensors[1].elementCount == 4)
    #expect(file.tensors[1].type.name == "type 99")
    #expect(file.tensors[1].offset == 64)
  }

  @Test func `knows files by their first bytes`() {
    for magic in ["GGUF", "FUGG", "tjgg", "ggjt"] { #expect(GGUFFile.recognises(firstBytes: Array(magic.utf8) + [0])) }
    for other in ["GGU", "", "{\"a\"", "GGUf"] { #expect(!GGUFFile.recognises(firstBytes: Array(other.utf8))) }
  }

  // gguf-py 0.19.0, GGML_QUANT_SIZES.
  @Test func `sizes of quantised tensors are those of ggml`() {
    let sizes: [(UInt32, String, UInt64, UInt64)] = [
      (8, "Q8_0", 32, 34), (12, "Q4_K", 256, 144), (14, "Q6_K", 256, 210), (16, "IQ2_XXS", 256, 66),
      (23, "IQ4_XS", 256, 136), (29, "IQ1_M", 256, 56), (30, "BF16", 1, 2), (35, "TQ2_0", 256, 66),
      (39, "MXFP4", 32, 17), (40, "NVFP4", 64, 36),
    ]
    for (number, name, block, bytes) in sizes {
      let type = GGUFTensorType(rawValue: number)
      #expect(type.name == name)
      #expect(type.blockSize == block)
      #expect(type.bytesPerBlock == bytes)
    }
    #expect(GGUFTensorType(rawValue: 42).bytesPerBlock == nil)
  }
}
