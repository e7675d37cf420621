import Bytes
import Diagnostics
import GGUF
import TestSupport
import Testing

@Suite struct RefusalTests {
  // MARK: Not GGUF, or not one we read

  @Test(arguments: [
    ("FUGG\u{1}\0\0\0", FileError.Code.ggufOldFormat, "before the format was released"),
    ("tjgg\u{3}\0\0\0", .ggufOldFormat, "ggjt"), ("lmgg....", .ggufOldFormat, "ggml"),
    ("fmgg....", .ggufOldFormat, "ggmf"), ("algg....", .ggufOldFormat, "ggla"), ("ggla....", .ggufOldFormat, "ggla"),
    ("version https://git-lfs.github.com/spec/v1\noid sha256:00", .gitLFSPointer, "Git LFS"),
    ("\n<!DOCTYPE html><html>", .html, "web page"), ("<html>", .html, "web page"),
    ("{\"a\":1}", .notGGUF, "7b 22 61 22"), ("\u{1}a", .notGGUF, "01 61"), ("GGU", .truncated, "3 bytes"),
    ("", .truncated, "0 bytes"),
    ("GGUFabc", .truncated, "7 bytes"),
  ]) func `other files are refused by name`(text: String, code: FileError.Code, found: String) {
    let error = refusal(Array(text.utf8))
    #expect(error?.code == code)
    #expect(error?.found.contains(found) == true, "\(error?.found ?? "")")
  }

  @Test(arguments: [0, 1, 4, 5, 0x300, 0x1_0004] as [UInt32], [ByteOrder.little, .big])
  func `other versions are refused by number`(version: UInt32, order: ByteOrder) {
    let error = refusal(sample(order, version: version).bytes())
    #expect(error?.code == .ggufVersion)
    #expect(error?.location.byteOffset == 4)
    // Only a small number tells the byte order; another is refused in whichever it is read.
    if version < 0x100 || order == .little { #expect(error?.found == "GGUF version \(version)") }
  }

  // MARK: One thing wrong

  struct Fault: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var code: FileError.Code
    /// The place as a text of the file that the offset counts from, and the distance.
    var near: String
    var distance: Int
    var key: String?
    var change: @Sendable (inout GGUFBuilder) -> Void

    init(
      _ description: String, _ code: FileError.Code, near: String, _ distance: Int, key: String? = nil,
      _ change: @escaping @Sendable (inout GGUFBuilder) -> Void
    ) {
      testDescription = description
      self.code = code
      self.near = near
      self.distance = distance
      self.key = key
      self.change = change
    }
  }

  static let faults: [Fault] = [
    Fault("tensor count of 2⁶³", .ggufCount, near: "GGUF", 8) { $0.tensorCount = 1 << 63 },
    Fault("metadata count of 2⁶⁴-1", .ggufCount, near: "GGUF", 16) { $0.metadataCount = .max },
    Fault("metadata count the file cannot hold", .ggufCount, near: "GGUF", 16) { $0.metadataCount = 1000 },
    Fault("empty key", .ggufName, near: "extra", -20) {
      $0.metadata.append(("", .string("extra")))
    },
    Fault("key of 65536 bytes", .ggufName, near: "kkkk", -8) {
      $0.metadata.append((String(repeating: "k", count: 65_536), .uint8(0)))
    },
    Fault("the same key again", .ggufDuplicateKey, near: "again", -40, key: "general.architecture") {
      $0.metadata.append(("general.architecture", .string("again")))
    },
    Fault("value type 13", .ggufValueType, near: "bad.key", 7, key: "bad.key") {
      $0.metadata.append(("bad.key", .raw(type: 13, [0])))
    },
    Fault("array of type 13", .ggufValueType, near: "bad.key", 11, key: "bad.key") {
      $0.metadata.append(("bad.key", .array(type: 13, [])))
    },
    Fault("bool of 2", .ggufBool, near: "bad.key", 11, key: "bad.key") {
      $0.metadata.append(("bad.key", .raw(type: 7, [2])))
    },
    Fault("array of 2⁶³ strings", .ggufCount, near: "bad.key", 15, key: "bad.key") {
      $0.metadata.append(("bad.key", .raw(type: 9, $0.encode(8 as UInt32) + $0.encode(UInt64(1) << 63))))
    },
    Fault("array of 2⁶² doubles", .ggufCount, near: "bad.key", 15, key: "bad.key") {
      $0.metadata.append(("bad.key", .raw(type: 9, $0.encode(12 as UInt32) + $0.encode(UInt64(1) << 62))))
    },
    Fault("string of 2⁶⁴-1 bytes", .truncated, near: "bad.key", 19, key: "bad.key") {
      $0.metadata.append(("bad.key", .raw(type: 8, $0.encode(UInt64.max))))
    },
    Fault("string of 100 GB", .truncated, near: "bad.key", 19, key: "bad.key") {
      $0.metadata.append(("bad.key", .raw(type: 8, $0.encode(100_000_000_000 as UInt64))))
    },
    Fault("string in an array of 2⁶³ bytes", .truncated, near: "bad.key", 31, key: "bad.key") {
      $0.metadata.append(("bad.key", .array(type: 8, [.raw(type: 8, $0.encode(UInt64(1) << 63))])))
    },
    Fault("string that is not UTF-8", .ggufEncoding, near: "bad.key", 19, key: "bad.key") {
      $0.metadata.append(("bad.key", .raw(type: 8, $0.encode(2 as UInt64) + [0xc0, 0x80])))
    },
    Fault("array nested 10000 deep", .ggufNesting, near: "bad.key", 11 + 8 * 12, key: "bad.key") { builder in
      let level = builder.encode(9 as UInt32) + builder.encode(1 as UInt64)
      builder.metadata.append(("bad.key", .raw(type: 9, Array(repeatElement(level, count: 10_000).joined()))))
    },
    Fault("alignment 0", .ggufAlignment, near: "general.alignment", 21, key: "general.alignment") {
      $0.metadata[1].value = .uint32(0)
    },
    Fault("alignment 3", .ggufAlignment, near: "general.alignment", 21, key: "general.alignment") {
      $0.metadata[1].value = .uint32(3)
    },
    Fault("alignment of 2 MiB", .ggufAlignment, near: "general.alignment", 21, key: "general.alignment") {
      $0.metadata[1].value = .uint32(2 << 20)
    },
    Fault("alignment of 2⁴⁰", .ggufAlignment, near: "general.alignment", 21, key: "general.alignment") {
      $0.metadata[1].value = .uint64(1 << 40)
    },
    Fault("alignment as text", .ggufAlignment, near: "general.alignment", 21, key: "general.alignment") {
      $0.metadata[1].value = .string("32")
    },
    Fault("the largest number of a shard", .splitMismatch, near: "split.no", 12, key: "split.no") {
      $0.metadata += [("split.no", .int64(.max)), ("split.count", .int32(2))]
    },
    Fault("a shard before the first", .splitMismatch, near: "split.no", 12, key: "split.no") {
      $0.metadata += [("split.no", .int64(.min)), ("split.count", .int32(2))]
    },
    Fault("a shard after the last", .splitMismatch, near: "split.no", 12, key: "split.no") {
      $0.metadata += [("split.no", .uint16(2)), ("split.count", .uint16(2))]
    },
    Fault("65536 shards", .splitMismatch, near: "split.count", 15, key: "split.count") {
      $0.metadata += [("split.no", .uint16(0)), ("split.count", .uint32(65_536))]
    },
    Fault("the same tensor name again", .ggufDuplicateTensor, near: "rope_freqs", 41, key: "rope_freqs.weight") {
      $0.tensors[1].name = "rope_freqs.weight"
    },
    Fault("five dimensions", .ggufDimensions, near: "output.weight", 13, key: "output.weight") {
      $0.tensors[1].dimensions = [1, 1, 1, 2, 2]
    },
    Fault("a dimension of zero", .ggufDimensions, near: "output.weight", 13, key: "output.weight") {
      $0.tensors[1].dimensions = [0, 4]
    },
    Fault("2⁶³ elements", .ggufDimensions, near: "output.weight", 13, key: "output.weight") {
      $0.tensors[1].dimensions = [1 << 32, 1 << 31]
    },
    Fault("more elements than 64 bits", .ggufDimensions, near: "output.weight", 13, key: "output.weight") {
      $0.tensors[1].dimensions = [1 << 33, 1 << 33]
    },
    Fault("more bytes than 64 bits", .ggufDimensions, near: "output.weight", 13, key: "output.weight") {
      $0.tensors[1].type = 28
      $0.tensors[1].dimensions = [1 << 62]
    },
    Fault("rows of broken blocks", .ggufDimensions, near: "output.weight", 13, key: "output.weight") {
      $0.tensors[1].type = 8
      $0.tensors[1].dimensions = [33]
    },
    Fault("an offset between alignments", .ggufTensorOffset, near: "output.weight", 37, key: "output.weight") {
      $0.tensors[1].offset = 33
    },
    Fault("tensors on the same place", .ggufTensorOverlap, near: "output.weight", 37, key: "output.weight") {
      $0.tensors[1].offset = 0
    },
    Fault("an unknown tensor inside another", .ggufTensorOverlap, near: "output.weight", 37, key: "output.weight") {
      $0.tensors[0].dimensions = [11]
      $0.tensors[0].data = Array(repeating: 0, count: 44)
      $0.tensors[1].type = 99
      $0.tensors[1].offset = 32
    },
    Fault("data beyond the end", .truncated, near: "output.weight", 37, key: "output.weight") {
      $0.tensors[1].dimensions = [2, 3]
    },
    Fault("an offset beyond the end", .truncated, near: "output.weight", 37, key: "output.weight") {
      $0.tensors[1].offset = 1 << 40
    },
    Fault("an offset that wraps around", .truncated, near: "output.weight", 37, key: "output.weight") {
      $0.tensors[1].offset = UInt64.max - 31
    },
    Fault("an unknown tensor without a byte of data", .truncated, near: "output.weight", 37, key: "output.weight") {
      $0.tensors[1].type = 99
      $0.tensors[1].data = []
    },
  ]

  @Test(arguments: faults, [ByteOrder.little, .big])
  func `one thing wrong is refused at its place`(fault: Fault, order: ByteOrder) throws {
    var builder = sample(order)
    fault.change(&builder)
    let bytes = builder.bytes()
    let error = refusal(bytes)
    #expect(error?.code == fault.code, "\(error.map(String.init(describing:)) ?? "")")
    #expect(error?.location.byteOffset == UInt64(try offset(of: fault.near, in: bytes) + fault.distance))
    #expect(error?.location.key == fault.key)
    #expect(error?.location.path == "t.gguf")
    #expect(error?.remedy.isEmpty == false)
  }

  @Test func `a key that is not UTF-8 is refused`() throws {
    var bytes = sample().bytes()
    let place = try offset(of: "llama.context_length", in: bytes)
    bytes[place + 3] = 0xff
    let error = refusal(bytes)
    #expect(error?.code == .ggufEncoding)
    #expect(error?.location.byteOffset == UInt64(place))
  }

  @Test func `names that only look the same are two names`() throws {
    // One precomposed, one combined: equal as text, different as bytes.
    let file = try parse(GGUFBuilder(metadata: [("k\u{e9}", .uint8(1)), ("ke\u{301}", .uint8(2))]).bytes())
    #expect(file["ke\u{301}"] == .uint8(2))
  }

  /// A source that claims to be large but holds only the header.
  struct Sparse: ByteSource {
    var header: [UInt8]
    let path = "t.gguf"
    let size: UInt64 = 1 << 50
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
      for (place, index) in zip(buffer.indices, Int(offset)...) {
        buffer[place] = index < header.count ? header[index] : 0
      }
      return buffer.count
    }
  }

  @Test func `text beyond the cap is refused before it is read`() {
    var builder = GGUFBuilder(metadata: [("k", .raw(type: 8, GGUFBuilder().encode(UInt64(100) << 30)))])
    builder.padsHeader = false
    let error = #expect(throws: FileError.self) { try GGUFFile(Sparse(header: builder.bytes())) }
    #expect(error?.code == .ggufTextLength)
    #expect(error?.location.byteOffset == 24 + 8 + 1 + 4)
  }

  @Test(arguments: [8, 9] as [UInt32]) func `strings and arrays in arrays are counted over the whole header`(
    type: UInt32
  ) {
    let few = GGUFBuilder.Value.array(type: 8, [.string("")])
    let most = GGUFBuilder.Value.raw(type: 9, GGUFBuilder().encode(type) + GGUFBuilder().encode(UInt64(1) << 24))
    let error = #expect(throws: FileError.self) {
      try GGUFFile(Sparse(header: GGUFBuilder(metadata: [("a", few), ("b", most)]).bytes()))
    }
    #expect(error?.code == .ggufCount)
    #expect(error?.location.key == "b")
    #expect(error?.found == "\(1 << 24) strings or arrays in an array")
  }

  @Test func `more entries than any file has are refused before they are read`() {
    var builder = GGUFBuilder()
    builder.metadataCount = (1 << 20) / 3 + 1
    let error = #expect(throws: FileError.self) { try GGUFFile(Sparse(header: builder.bytes())) }
    #expect(error?.code == .ggufCount)
    #expect(error?.location.byteOffset == 16)
  }

  @Test(arguments: [1, 2, 3, 100, 1000]) func `a repeated key is found among many`(count: Int) throws {
    let keys = (0..<count).map { ("key.\($0)", GGUFBuilder.Value.uint16(UInt16($0))) }
    let file = try parse(GGUFBuilder(metadata: keys).bytes())
    #expect(file.metadata.map(\.key) == keys.map(\.0))
    #expect(file["key.\(count - 1)"] == .uint16(UInt16(count - 1)))
    let error = refusal(GGUFBuilder(metadata: keys + [keys[count / 2]]).bytes())
    #expect(error?.code == .ggufDuplicateKey)
    #expect(error?.location.key == "key.\(count / 2)")
  }

  @Test func `text is counted over the whole header`() {
    let long = GGUFBuilder.Value.string(String(repeating: "x", count: 5 << 20))
    let error = refusal(GGUFBuilder(metadata: [("a", long), ("b", long)]).bytes())
    #expect(error?.code == .ggufTextLength)
    #expect(error?.location.key == "b")
  }

  // MARK: Any damage

  @Test(arguments: [ByteOrder.little, .big]) func `every prefix of a file is refused`(order: ByteOrder) {
    let bytes = sample(order).bytes()
    for length in 0..<bytes.count {
      let error = refusal(Array(bytes[..<length]))
      #expect(error?.code == .truncated || error?.code == .ggufCount, "\(length) bytes")
    }
  }

  @Test(arguments: [ByteOrder.little, .big]) func `random damage gives a file or an error`(order: ByteOrder) {
    let bytes = sample(order).bytes()
    var refused = 0
    for seed in 0..<1000 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let place = Int.random(in: 4..<damaged.count, using: &random)
        switch Int.random(in: 0..<4, using: &random) {
        case 0: damaged[place] = .random(in: 0...255, using: &random)
        case 1: damaged[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: damaged[place] = [0, 0x7f, 0x80, 0xff][Int.random(in: 0..<4, using: &random)]
        default: damaged.removeLast(Int.random(in: 0..<(damaged.count - 4), using: &random) / 8)
        }
      }
      do throws(FileError) {
        let source = MemorySource(damaged)
        let file = try GGUFFile(source)
        // What was accepted can be asked for everything.
        for case .array(let array) in file.metadata.map(\.value) {
          _ = try? file.elements(of: array, in: source, limit: 100)
        }
        for tensor in file.tensors { _ = try? file.floatValues(of: tensor, in: source) }
        let removed = try file.edits(
          setting: [("new.key", .float32(1))], removing: ["llama.context_length"], in: source)
        #expect(removed.apply(to: damaged) != nil, "seed \(seed)")
      } catch {
        refused += 1
        #expect(error.location.path == "memory", "seed \(seed)")
      }
    }
    // Damage to data and texts is not noticed; most of the header is.
    #expect((200..<1000).contains(refused))
  }
}
