import Bytes
import Diagnostics
import GGUF
import TestSupport
import Testing

@Suite struct EditTests {
  typealias Change = (setting: [(key: String, value: GGUFValue)], removing: [String])

  /// Applies a change and checks what every change must keep.
  @discardableResult
  func apply(_ change: Change, to old: [UInt8], comment: Comment = "") throws -> (bytes: [UInt8], file: GGUFFile) {
    let source = MemorySource(old, path: "t.gguf")
    let before = try GGUFFile(source)
    let edits = try before.edits(setting: change.setting, removing: change.removing, in: source)
    let new = try #require(edits.apply(to: old), comment)
    let after = try parse(new)
    #expect(edits.inverse.apply(to: new) == old, comment)
    #expect(new.count - old.count == Int(edits.sizeChange), comment)

    // Metadata: what was asked for, the rest byte for byte and in order.
    for (key, value) in change.setting { #expect(after[key] == value, comment) }
    for key in change.removing { #expect(after[key] == nil, comment) }
    let touched = Set(change.setting.map(\.key) + change.removing)
    func kept(_ file: GGUFFile, _ bytes: [UInt8]) -> [[UInt8]] {
      file.metadata.filter { !touched.contains($0.key) }.map {
        Array(bytes[Int($0.entry.lowerBound)..<Int($0.entry.upperBound)])
      }
    }
    #expect(kept(before, old) == kept(after, new), comment)

    // Tensors: the same infos, the same data section, where a reader looks for it.
    func infos(_ file: GGUFFile, _ bytes: [UInt8]) -> [[UInt8]] {
      file.tensors.map { Array(bytes[Int($0.infoRange.lowerBound)..<Int($0.infoRange.upperBound)]) }
    }
    #expect(infos(before, old) == infos(after, new), comment)
    #expect(Array(old.dropFirst(Int(before.dataOffset))) == Array(new.dropFirst(Int(after.dataOffset))), comment)
    #expect(after.dataOffset.isMultiple(of: after.alignment), comment)
    #expect(
      new.dropFirst(Int(after.headerEnd)).prefix(Int(after.dataOffset - after.headerEnd)).allSatisfy { $0 == 0 },
      comment)
    return (new, after)
  }

  static let changes: [(String, Change)] = [
    ("same width", ([("llama.rope.freq_base", .float32(1_000_000)), ("llama.context_length", .uint32(131_072))], [])),
    ("same value", ([("llama.context_length", .uint32(4096))], [])),
    ("other type of the same width", ([("llama.context_length", .float32(4096))], [])),
    ("wider type", ([("llama.context_length", .uint64(4096))], [])),
    ("shorter text", ([("llama.rope.scaling.type", .string("yarn"))], [])),
    ("longer text", ([("llama.rope.scaling.type", .string(String(repeating: "x", count: 100)))], [])),
    ("array by number", ([("nested", .uint8(1))], [])),
    (
      "new keys",
      (
        [
          ("llama.rope.scaling.factor", .float32(4)), ("llama.rope.scaling.original_context_length", .uint32(4096)),
          ("llama.rope.scaling.finetuned", .bool(true)),
        ], []
      )
    ),
    ("removal", ([], ["llama.rope.scaling.type", "absent"])),
    ("removal of first and last", ([], ["general.architecture", "nested"])),
    ("removal of neighbours", ([], ["llama.context_length", "llama.rope.freq_base", "llama.rope.scaling.type"])),
    (
      "all at once",
      (
        [
          ("llama.rope.scaling.factor", .float64(4)), ("llama.context_length", .uint32(7)), ("zzz", .int64(-1)),
          ("general.name", .string("n")),
        ], ["llama.rope.scaling.type", "tokenizer.ggml.tokens", "tokenizer.ggml.scores"]
      )
    ),
  ]

  @Test(arguments: changes.indices, [ByteOrder.little, .big])
  func `a change gives the wanted metadata and keeps the rest`(index: Int, order: ByteOrder) throws {
    let (name, change) = Self.changes[index]
    for alignment in [8, 32, 4096] {
      try apply(change, to: sample(order, alignment: alignment).bytes(), comment: "\(name), alignment \(alignment)")
    }
  }

  @Test func `a value of the same width is one edit of that value`() throws {
    let source = MemorySource(sample().bytes())
    let file = try GGUFFile(source)
    let edits = try file.edits(setting: [("llama.context_length", .uint32(8192))], removing: [], in: source)
    let place = try #require(file.entry("llama.context_length")).valueRange.lowerBound
    #expect(edits.edits == [ByteEdit(at: place, expected: [0, 0x10, 0, 0], replacement: [0, 0x20, 0, 0])])
  }

  @Test func `a change to what stands there already is empty`() throws {
    let source = MemorySource(sample().bytes())
    let file = try GGUFFile(source)
    let values = file.metadata.filter { $0.key != "general.alignment" }.map { ($0.key, $0.value) }
    #expect(try file.edits(setting: values, removing: ["absent"], in: source).isEmpty)
  }

  @Test func `new keys stand with their relatives, in the order given`() throws {
    let change: Change = (
      [
        ("llama.rope.scaling.factor", .float32(4)), ("llama.rope.scaling.yarn_beta_fast", .float32(32)),
        ("llama.new", .uint8(1)), ("general.name", .string("n")), ("lonely", .uint8(2)), ("other.family", .uint8(3)),
        ("llama.rope.new.new", .uint8(4)),
      ], []
    )
    let (_, file) = try apply(change, to: sample().bytes())
    #expect(
      file.metadata.map(\.key) == [
        "general.architecture", "lonely", "other.family", "general.alignment", "general.name", "llama.context_length",
        "llama.rope.freq_base", "llama.rope.scaling.type", "llama.rope.scaling.factor",
        "llama.rope.scaling.yarn_beta_fast", "llama.new", "llama.rope.new.new", "tokenizer.ggml.tokens",
        "tokenizer.ggml.scores",
        "tokenizer.ggml.add_bos_token", "nested",
      ])
  }

  @Test func `without an architecture new keys stand at the end`() throws {
    let (_, file) = try apply(([("k", .uint8(1))], []), to: GGUFBuilder(metadata: [("a.b", .uint8(0))]).bytes())
    #expect(file.metadata.map(\.key) == ["a.b", "k"])
    let (_, first) = try apply(([("k", .uint8(1))], []), to: GGUFBuilder().bytes())
    #expect(first.metadata.map(\.key) == ["k"])
  }

  @Test func `a key stands where a removed neighbour stood`() throws {
    let change: Change = (
      [("llama.rope.scaling.factor", .float32(4))], ["llama.rope.scaling.type", "tokenizer.ggml.tokens"]
    )
    let (_, file) = try apply(change, to: sample().bytes())
    #expect(file.metadata.map(\.key).prefix(6).suffix(2) == ["llama.rope.scaling.factor", "tokenizer.ggml.scores"])
  }

  @Test func `an array can be copied under another name`() throws {
    for order in [ByteOrder.little, .big] {
      let old = sample(order).bytes()
      let tokens = try #require(try parse(old).entry("tokenizer.ggml.tokens"))
      let source = MemorySource(old)
      let edits = try parse(old).edits(setting: [("copy", tokens.value)], removing: [tokens.key], in: source)
      let new = MemorySource(try #require(edits.apply(to: old)))
      let file = try GGUFFile(new)
      guard case .array(let array) = file["copy"] else { return #expect(Bool(false)) }
      #expect(try file.elements(of: array, in: new, limit: 9) == [.string("a"), .string("bc"), .string("")])
    }
  }

  @Test func `the file keeps its size while the padding takes up the change`() throws {
    var grown = 0
    for length in 0..<80 {
      var builder = sample()
      builder.metadata.append(("filler", .string(String(repeating: "f", count: length))))
      let old = builder.bytes()
      let before = try parse(old)
      let (new, after) = try apply(([("llama.rope.scaling.type", .string("linear-and-more"))], []), to: old)
      #expect(after.headerEnd == before.headerEnd + 9)
      let fits = before.dataOffset - before.headerEnd >= 9
      #expect(new.count - old.count == (fits ? 0 : 32), "filler of \(length)")
      grown += fits ? 0 : 1
    }
    #expect((1..<80).contains(grown))
  }

  @Test func `a file that ends with its header gets no padding`() throws {
    for length in 0..<40 {
      var builder = GGUFBuilder(metadata: [
        ("general.architecture", .string("llama")), ("filler", .string(String(repeating: "f", count: length))),
      ])
      builder.padsHeader = false
      let (new, file) = try apply(([("llama.rope.freq_base", .float32(1))], []), to: builder.bytes())
      #expect(file.headerEnd == UInt64(new.count), "filler of \(length)")
    }
  }

  @Test func `a padded file without tensors stays padded`() throws {
    var builder = sample()
    builder.tensors = []
    for length in [1, 5] {
      builder.metadata[4].value = .string(String(repeating: "x", count: length))
      let old = builder.bytes()
      #expect(try parse(old).headerEnd < UInt64(old.count))
      let (new, file) = try apply(([("llama.rope.scaling.factor", .float32(1))], []), to: old)
      #expect(file.dataOffset == UInt64(new.count))
    }
  }

  @Test func `padding of any bytes is kept while the header keeps its length`() throws {
    let clean = sample().bytes()
    let file = try parse(clean)
    var bytes = clean
    for place in file.headerEnd..<file.dataOffset { bytes[Int(place)] = 0xaa }
    let source = MemorySource(bytes)
    let edits = try parse(bytes).edits(setting: [("llama.context_length", .uint32(1))], removing: [], in: source)
    #expect(edits.extent.upperBound < file.headerEnd)
    #expect(file.headerEnd < file.dataOffset)
  }

  @Test func `trailing bytes move along`() throws {
    let (new, _) = try apply(([("a", .string("b"))], ["nested"]), to: sample().bytes() + [9, 8, 7])
    #expect(new.suffix(3) == [9, 8, 7])
  }

  @Test(arguments: [
    (["general.alignment"], []), (["a", "a"], []), (["a"], ["a"]), ([], ["general.alignment"]), ([""], []),
    ([String(repeating: "k", count: 65_536)], []),
  ]) func `changes that no file can hold are refused`(setting: [String], removing: [String]) throws {
    let source = MemorySource(sample().bytes())
    let file = try GGUFFile(source)
    let error = #expect(throws: FileError.self) {
      try file.edits(setting: setting.map { ($0, .uint32(64)) }, removing: removing, in: source)
    }
    #expect(error?.code == .ggufEdit)
  }

  @Test func `random changes keep the rest`() throws {
    let keys = [
      "general.name", "llama.context_length", "llama.rope.freq_base", "llama.rope.scaling.type",
      "llama.rope.scaling.factor", "tokenizer.ggml.tokens", "tokenizer.ggml.add_bos_token", "nested", "x", "x.y",
    ]
    for seed in 0..<150 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      let order: ByteOrder = Bool.random(using: &random) ? .little : .big
      var change: Change = ([], [])
      for key in keys.shuffled(using: &random) {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: change.removing.append(key)
        case 1: change.setting.append((key, .float64(.random(in: 0...1, using: &random))))
        case 2:
          change.setting.append((key, .string(String(repeating: "s", count: .random(in: 0...40, using: &random)))))
        default: break
        }
      }
      var builder = sample(order, alignment: [8, 32, 64].randomElement(using: &random) ?? 8)
      if Bool.random(using: &random) {
        builder.tensors = []
        builder.padsHeader = .random(using: &random)
      }
      try apply(change, to: builder.bytes(), comment: "seed \(seed)")
    }
  }
}
