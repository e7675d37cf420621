import Bytes
import Diagnostics
import TestSupport
import Testing

@testable import FileStore

@Suite struct UndoRecordTests {
  static let record = UndoRecord(steps: [
    .init(
      state: .done, tool: "yarn-patch 1.0 patch --factor 4",
      files: [
        .init(
          path: "with spaces, 100 % ä\n.gguf", change: .replaced, oldSize: 400, newSize: 411, mode: 0o640,
          edits: Scenario.growing, oldHeader: SHA256.hexadecimal(of: [1]), newHeader: SHA256.hexadecimal(of: [2]),
          samples: SHA256.hexadecimal(of: [7])),
        .init(
          path: "m", change: .inPlace, oldSize: 9, newSize: 9, mode: 0o4755,
          edits: EditList([ByteEdit(at: 8, expected: [0], replacement: [255])]),
          oldHeader: SHA256.hexadecimal(of: [3]), newHeader: SHA256.hexadecimal(of: [4]),
          samples: SHA256.hexadecimal(of: [7]), rest: SHA256.hexadecimal(of: [8])),
      ]),
    .init(
      state: .pending, tool: "",
      files: [
        .init(
          path: "config.json", change: .replacedLink("../../blobs/x y"), oldSize: 0, newSize: 1, mode: 0,
          edits: EditList([ByteEdit(at: 0, expected: [], replacement: [1])]), oldHeader: "", newHeader: "0",
          samples: "1")
      ]),
  ])

  /// Characters of the last line.
  private static let endCount = "end=".count + 64 + 1

  private func code(_ text: [UInt8]) -> FileError.Code? {
    failure { () throws(FileError) in _ = try UndoRecord(text: text, path: "r") }?.code
  }

  /// The text with the digest that it should have.
  private func sealed(_ text: String) -> [UInt8] { Array("\(text)end=\(SHA256.hexadecimal(of: text.utf8))\n".utf8) }

  @Test func `the text is this`() {
    let record = UndoRecord(steps: [UndoRecord.Step(state: .done, tool: "t 1", files: [Self.record.steps[0].files[1]])])
    let text = """
      yarn-patch undo record 1
      step=done
      tool=t%201
      file=m
      change=in-place
      sizes=9 9
      mode=4755
      headers=\(SHA256.hexadecimal(of: [3])) \(SHA256.hexadecimal(of: [4]))
      data=\(SHA256.hexadecimal(of: [7])) \(SHA256.hexadecimal(of: [8]))
      edit=8 00 ff

      """
    #expect(String(decoding: record.text, as: UTF8.self) == String(decoding: sealed(text), as: UTF8.self))
  }

  @Test func `a pending change in place tells what stood there, and where its blocks are`() throws {
    let edits = EditList([ByteEdit(at: 18, expected: [1], replacement: Array(repeating: 2, count: 17))])
    var file = UndoRecord.File(
      path: "m", change: .inserted(at: 16), oldSize: 50, newSize: 66, mode: 0o644, edits: edits,
      oldHeader: "a", newHeader: "b", samples: "c")
    file.interim = .init(
      before: [[8, 9, 1]],
      extents: [.init(logical: 16, physical: 4096, length: 16), .init(logical: 40, physical: 512, length: 10)])
    let record = UndoRecord(steps: [.init(state: .undoing, tool: "t", files: [file])])
    let text = String(decoding: record.text, as: UTF8.self)
    #expect(text.contains("change=inserted:16\n"))
    #expect(text.contains("before=080901\nextents=16:4096:16 40:512:10\nend="))
    #expect(try UndoRecord(text: record.text, path: "r") == record)
    #expect(try UndoRecord(text: record.done.text, path: "r") == record.done)
    #expect(!String(decoding: record.done.text, as: UTF8.self).contains("before="))
    let lines = String(text.dropLast(Self.endCount))
    for (old, new) in [
      ("before=080901", "before=0809"), ("before=080901", "before=-"), ("before=080901\n", ""),
      ("before=080901", "before=08090g"), ("16:4096:16", "16:4096"), ("16:4096:16", "41:4096:16"),
      ("16:4096:16", "16:4096:2305843009213693952"), ("16:4096:16", "16:4096:x"), ("undoing", "done"),
      ("inserted:16", "inserted:32"), ("inserted:16", "in-place"), ("sizes=50 66", "sizes=50 65"),
    ] {
      let changed = lines.replacing(old, with: new, maxReplacements: 1)
      #expect(changed != lines)
      #expect(code(sealed(changed)) == .damagedRecord, "\(new)")
    }
  }

  @Test func `a change in place may have grown at the end`() throws {
    var file = Self.record.steps[0].files[1]
    file.newSize = 11
    file.edits = EditList(file.edits.edits + [ByteEdit(at: 9, expected: [], replacement: [1, 2])])
    let record = UndoRecord(steps: [.init(state: .done, tool: "t", files: [file])])
    #expect(try UndoRecord(text: record.text, path: "r") == record)
    let lines = String(decoding: record.text.dropLast(Self.endCount), as: UTF8.self)
    let inside = lines.replacing("edit=9 - 0102", with: "edit=8 - 0102").replacing("edit=8 00 ff\n", with: "")
    #expect(code(sealed(inside)) == .damagedRecord)
  }

  @Test func `reading gives back what was written`() throws {
    var record = Self.record
    record.steps[1].files[0].oldHeader = SHA256.hexadecimal(of: [5])
    record.steps[1].files[0].newHeader = SHA256.hexadecimal(of: [6])
    #expect(try UndoRecord(text: record.text, path: "r") == record)
    #expect(code(Self.record.text) == .damagedRecord, "a header digest is empty")
  }

  @Test func `every prefix and every changed byte is found out`() {
    let text = UndoRecord(steps: [Self.record.steps[0]]).text
    #expect(code(text) == nil)
    for end in 0..<text.count { #expect(code(Array(text[..<end])) == .damagedRecord, "cut at \(end)") }
    for position in text.indices {
      var changed = text
      changed[position] ^= 1
      #expect(code(changed) != nil, "byte \(position)")
    }
    #expect(code(text + [10]) == .damagedRecord)
  }

  @Test func `a later version is said to be one`() {
    #expect(code(sealed("yarn-patch undo record 2\nsteps={}\n")) == .unknownRecordVersion)
  }

  @Test(arguments: [
    ("file=m", "file=../m"), ("file=m", "file=/m"), ("file=m", "file=a/../../m"), ("file=m", "file="),
    ("file=m", "file=a/m"), ("file=m", "file=.."), ("file=m", "file=../%cc%81m"), ("file=m", "file=m%00"),
    ("file=m", "file=%6d"),
    ("file=m", "file=%"), ("file=m", "file=%ff"), ("file=m", "file=."), ("step=done", "step=maybe"),
    ("step=done", "step=pending"), ("change=in-place", "change=sideways"), ("sizes=9 9", "sizes=9 8"),
    ("sizes=9 9", "sizes=8 8"), ("sizes=9 9", "sizes=09 9"), ("sizes=9 9", "sizes=9"),
    ("sizes=9 9", "sizes=18446744073709551615 18446744073709551615"), ("sizes=9 9", "sizes=9 9 9"),
    ("mode=4755", "mode=10000"), ("mode=4755", "mode=x"), ("headers=", "header="), ("data=", "date="),
    ("change=in-place", "change=inserted:0"),
    ("change=in-place", "change=inserted:x"),
    ("edit=8 00 ff", "edit=9 00 ff"), ("edit=8 00 ff", "edit=8 00 00"), ("edit=8 00 ff", "edit=8 - ff"),
    ("edit=8 00 ff", "edit=8 00 fF"), ("edit=8 00 ff", "edit=8 00 f"), ("edit=8 00 ff", "edit=8 00"),
    ("edit=8 00 ff", "edit=18446744073709551615 00 ff"), ("edit=8 00 ff", "edit=8 00 ff\nedit=8 00 fe"),
    ("edit=8 00 ff", "edit=8 00 ff\nedit=2 00 fe"), ("edit=8 00 ff\n", ""),
  ]) func `lines that make no sense are refused though the digest is right`(old: String, new: String) {
    let file = Self.record.steps[0].files[1]
    let step = UndoRecord.Step(state: .done, tool: "t", files: [file])
    let text = String(decoding: UndoRecord(steps: [step, step]).text, as: UTF8.self)
    let lines = String(text.dropLast(Self.endCount))
    let changed = lines.replacing(old, with: new, maxReplacements: 1)
    #expect(changed != lines)
    #expect(code(sealed(lines)) == nil)
    #expect(code(sealed(changed)) == .damagedRecord)
  }

  @Test func `no text of any kind stops the reader`() {
    for seed in 0..<500 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      var text = Array(Self.record.text.dropLast(Self.endCount))
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let position = Int.random(in: 24..<text.count, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: text[position] = UInt8.random(in: 0...255, using: &random)
        case 1: text.remove(at: position)
        default: text.insert(text.randomElement(using: &random) ?? 0, at: position)
        }
      }
      let sealed = text + Array("end=\(SHA256.hexadecimal(of: text))\n".utf8)
      if let record = try? UndoRecord(text: sealed, path: "r") { #expect(record.text == sealed, "seed \(seed)") }
    }
  }
}
