import Bytes
import GGUF
import TestSupport
import Testing

@Suite struct FillerTests {
  typealias Change = EditTests.Change

  /// Applies a change with the filler that it needs.
  func apply(_ change: Change, to old: [UInt8], growingBy quantum: UInt64?) throws -> (bytes: [UInt8], file: GGUFFile) {
    let source = MemorySource(old)
    let filler = try GGUFFile(source).filler(
      setting: change.setting, removing: change.removing, growingBy: quantum, in: source)
    return try EditTests().apply((change.setting + (filler.map { [$0] } ?? []), change.removing), to: old)
  }

  static let scaling: Change = ([("llama.rope.scaling.factor", .float32(4))], [])

  private func slack(_ file: GGUFFile) -> Int? { file[GGUFFile.fillerKey]?.stringValue?.utf8.count }

  @Test(arguments: [8, 32, 4096, 8192], [512, 4096] as [UInt64])
  func `a header grows by whole blocks that keep the alignment`(alignment: Int, quantum: UInt64) throws {
    let old = sample(alignment: alignment).bytes()
    // More than any padding takes up.
    let change: Change = ([("llama.long", .string(String(repeating: "x", count: 9000)))], [])
    let (bytes, file) = try apply(change, to: old, growingBy: quantum)
    #expect((bytes.count - old.count).isMultiple(of: max(Int(quantum), alignment)))
    #expect(bytes.count - old.count < 9000 + 200 + max(Int(quantum), alignment))
    #expect(file[GGUFFile.fillerKey]?.stringValue?.utf8.allSatisfy { $0 == 0x20 } == true)
  }

  @Test func `the filler is the next change's slack, both ways`() throws {
    let old = sample().bytes()
    let (first, file) = try apply(Self.scaling, to: old, growingBy: 4096)
    #expect(first.count == old.count + 4096)
    let room = try #require(slack(file))
    let more: Change = ([("llama.rope.scaling.original_context_length", .uint32(4096))], [])
    let entry = 8 + more.setting[0].key.utf8.count + 4 + 4
    for quantum in [4096, nil] as [UInt64?] {
      let (second, fuller) = try apply(more, to: first, growingBy: quantum)
      #expect(second.count == first.count)
      #expect(slack(fuller) == room - entry)
      let (third, emptier) = try apply(([], [more.setting[0].key]), to: second, growingBy: quantum)
      #expect(third.count == first.count)
      #expect(slack(emptier) == room)
    }
  }

  @Test func `a filler too short grows by as many blocks as are needed`() throws {
    let (first, _) = try apply(Self.scaling, to: sample().bytes(), growingBy: 4096)
    let long: Change = ([("general.description", .string(String(repeating: "x", count: 10_000)))], [])
    let (second, _) = try apply(long, to: first, growingBy: 4096)
    #expect(second.count == first.count + 8192)
    #expect(try slack(apply(long, to: first, growingBy: nil).file) == slack(parse(first)), "written anew in any case")
  }

  @Test func `a file that is written anew gets no filler, nor one whose padding has the room`() throws {
    #expect(try slack(apply(Self.scaling, to: sample().bytes(), growingBy: nil).file) == nil)
    let (bytes, file) = try apply(Self.scaling, to: sample(alignment: 4096).bytes(), growingBy: 4096)
    #expect(bytes.count == sample(alignment: 4096).bytes().count)
    #expect(slack(file) == nil)
  }

  @Test func `a change that keeps the length needs none`() throws {
    let change: Change = ([("llama.context_length", .uint32(8192))], [])
    #expect(try slack(apply(change, to: sample().bytes(), growingBy: 4096).file) == nil)
  }

  @Test func `a key of that name that is no text is left alone`() throws {
    var builder = sample()
    builder.metadata.append((GGUFFile.fillerKey, .uint32(7)))
    let (_, file) = try apply(Self.scaling, to: builder.bytes(), growingBy: 4096)
    #expect(file[GGUFFile.fillerKey] == .uint32(7))
  }

  @Test func `any row of changes keeps the data at whole blocks`() throws {
    for seed in 0..<60 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      var bytes = sample(alignment: [8, 32, 64].randomElement(using: &random) ?? 8).bytes()
      let start = try parse(bytes).dataOffset
      var hadFiller = false
      for _ in 0..<6 {
        var change: Change = ([], [])
        for key in ["llama.a", "llama.rope.b", "tokenizer.c", "zzz"] {
          let length = Int.random(in: 0...3000, using: &random)
          if Bool.random(using: &random) {
            change.setting.append((key, .string(String(repeating: "v", count: length))))
          } else {
            change.removing.append(key)
          }
        }
        let (new, file) = try apply(change, to: bytes, growingBy: 512)
        hadFiller = hadFiller || slack(file) != nil
        let moved = Int(file.dataOffset) - Int(start)
        #expect(!hadFiller || new.count >= bytes.count && moved.isMultiple(of: 512), "seed \(seed)")
        if !hadFiller { break }
        bytes = new
      }
    }
  }
}
