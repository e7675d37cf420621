import Bytes
import Diagnostics
import TestSupport
import Testing

@testable import FileStore

/// Records that somebody made who wants another file than the model's, or a crash.
@Suite struct HostileRecordTests {
  let folder = TemporaryFolder()
  let transaction = Transaction(tool: "test")
  static let wanted = Array("ssh-ed25519 AAAA somebody\n".utf8)

  init() throws {
    for name in ["home", "model"] { try folder.makeFolder(name) }
    try folder.write("home/keys", Array("mine\n".utf8))
  }

  private var record: String { UndoRecord.path(forFolder: folder["model"]) }

  /// A record by which every file stood at its first bytes before the change.
  static func record(
    of name: String, _ change: UndoRecord.Change, _ state: UndoRecord.Step.State, appending count: Int = 0
  ) -> UndoRecord {
    let size = UInt64(wanted.count)
    let edits = EditList([
      ByteEdit(at: 0, expected: wanted, replacement: wanted.map { $0 ^ 1 }),
      ByteEdit(at: size, expected: [], replacement: Array(repeating: 0, count: count)),
    ])
    var file = UndoRecord.File(
      path: name, change: change, oldSize: size, newSize: size + UInt64(count), mode: 0o644, edits: edits,
      oldHeader: SHA256.hexadecimal(of: wanted), newHeader: SHA256.hexadecimal(of: wanted.map { $0 ^ 1 }),
      samples: SHA256.hexadecimal(of: []))
    if state != .done, change == .inPlace {
      file.interim = .init(before: [wanted] + (count > 0 ? [[]] : []), extents: [])
    }
    return UndoRecord(steps: [.init(state: state, tool: "yarn-patch", files: [file])])
  }

  /// Undoes and recovers; gives both errors.
  private func run() -> [FileError?] {
    [
      failure { () throws(FileError) in _ = try transaction.recover(record: record) },
      failure { () throws(FileError) in _ = try transaction.undo(record: record) },
    ]
  }

  @Test(
    arguments: [UndoRecord.Change.inPlace, .replaced, .replacedLink("../home/keys")],
    [UndoRecord.Step.State.pending, .undoing, .done])
  func `a link beside a record leads to no other file`(change: UndoRecord.Change, state: UndoRecord.Step.State) throws {
    try folder.link("model/m", to: "../home/keys")
    for content in [Array("mine\n".utf8), Self.wanted.map { $0 ^ 1 }] {
      try folder.write("home/keys", content)
      try folder.write("model/.yarn-patch-undo", Self.record(of: "m", change, state).text)
      let before = folder.snapshot()
      let errors = run()
      #expect(folder.snapshot() == before)
      let isLink = if case .replacedLink = change { true } else { false }
      #expect(errors[1]?.code == (isLink ? .changedSincePatch : .notARegularFile))
      #expect(errors[1]?.location.path == folder["model/m"])
      #expect((errors[0] == nil) == (state == .done))
    }
  }

  @Test func `a record that is a link is none`() throws {
    try folder.write("home/record", Self.record(of: "m", .inPlace, .pending).text)
    try folder.write("model/m", Self.wanted.map { $0 ^ 1 })
    try folder.link("model/.yarn-patch-undo", to: "../home/record")
    let before = folder.snapshot()
    #expect(run().map(\.?.code) == [.notARegularFile, .notARegularFile])
    #expect(folder.snapshot() == before)
  }

  @Test func `a change that appends more than the file holds is taken back`() throws {
    try folder.write("model/m", Self.wanted.map { $0 ^ 1 })
    try folder.write("model/.yarn-patch-undo", Self.record(of: "m", .inPlace, .pending, appending: 1000).text)
    #expect(run()[0] == nil)
    #expect(try folder.bytes("model/m") == Self.wanted)
  }

  @Test func `no record stops recovery or undo, and none reaches outside its folder`() throws {
    var read = 0
    for seed in 0..<1500 as Range<UInt64> {
      var random = SeededGenerator(seed: seed)
      try folder.write("model/m", Array(repeating: 7, count: Int.random(in: 0...60, using: &random)))
      let text = UndoRecord(steps: [Self.step(using: &random)]).text
      try folder.write("model/.yarn-patch-undo", text)
      if (try? UndoRecord(text: text, path: "r")) != nil { read += 1 }
      _ = run()
      #expect(try folder.bytes("home/keys") == Array("mine\n".utf8), "seed \(seed)")
      folder.empty { !$0.contains("yarn-patch") }
    }
    #expect(read > 500)
  }

  /// A step of a file of any size, mostly one that a reader accepts.
  private static func step(using random: inout SeededGenerator) -> UndoRecord.Step {
    let sizes: [UInt64] = [0, 10, 40, 1 << 20, 1 << 24 + 5, 1 << 40, 1 << 62 - 1]
    let oldSize = sizes.randomElement(using: &random) ?? 0
    var (edits, end) = ([] as [ByteEdit], 0 as UInt64)
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      let near = min(oldSize, end + UInt64.random(in: 0...20, using: &random))
      let offset = Bool.random(using: &random) ? near : UInt64.random(in: end...oldSize, using: &random)
      let count = min(oldSize - offset, UInt64.random(in: 0...8, using: &random))
      let new = Bool.random(using: &random) ? Int(count) : Int.random(in: 0...100, using: &random)
      edits.append(
        ByteEdit(
          at: offset, expected: Array(repeating: 7, count: Int(count)), replacement: Array(repeating: 8, count: new)))
      end = offset + count
    }
    let list = EditList(edits)
    let newSize = UInt64(clamping: Int64(oldSize) + list.sizeChange)
    let changes: [UndoRecord.Change] = [
      .inPlace, .replaced, .replacedLink("../home/keys"), .inserted(at: min(oldSize, list.extent.lowerBound)),
    ]
    let change = list.innerChange(ofFileOfSize: oldSize) == 0 ? .inPlace : changes.randomElement(using: &random)
    let digests = [SHA256.hexadecimal(of: []), SHA256.hexadecimal(of: [7])]
    var file = UndoRecord.File(
      path: "m", change: change ?? .inPlace, oldSize: oldSize, newSize: newSize, mode: 0o644, edits: list,
      oldHeader: digests[0], newHeader: digests[1], samples: digests[0])
    let state: UndoRecord.Step.State = [.pending, .undoing, .done].randomElement(using: &random) ?? .done
    if state != .done, file.isOverwritten, file.regions.allSatisfy({ $0.upperBound - $0.lowerBound < 1000 }) {
      file.interim = .init(
        before: file.regions.map { Array(repeating: 9, count: Int($0.upperBound - $0.lowerBound)) },
        extents: [.init(logical: end, physical: 1 << 60, length: 1 << 60)])
      if case .inPlace = file.change { file.interim?.extents = [] }
    }
    return .init(state: state, tool: "t", files: [file])
  }
}
