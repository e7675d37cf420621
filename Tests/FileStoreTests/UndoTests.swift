import Bytes
import Diagnostics
import Testing

@testable import FileStore

@Suite struct UndoTests {
  let folder = TemporaryFolder()
  let transaction = Transaction(tool: "test 1")
  static let old = Scenario.old

  var record: String { UndoRecord.path(forFile: folder["m"]) }

  func apply(_ edits: EditList, to name: String = "m") throws(FileError) {
    _ = try transaction.apply([FileChange(try FileSource(folder[name]), edits)], record: record)
  }

  /// Tries to undo, expects that nothing happens, and gives the error.
  func refusal() throws -> FileError? {
    let before = folder.snapshot()
    let recordBefore = try? folder.bytes("m.yarn-patch-undo")
    let error = failure { () throws(FileError) in _ = try transaction.undo(record: record) }
    #expect(folder.snapshot() == before)
    #expect((try? folder.bytes("m.yarn-patch-undo")) == recordBefore)
    return error
  }

  @Test func `changes are undone one by one, the newest first`() throws {
    try folder.write("m", Self.old)
    var contents = [Self.old]
    for edits in [Scenario.growing, EditList([ByteEdit(at: 0, expected: [], replacement: [1, 2, 3])]), Scenario.last] {
      try apply(edits)
      contents.append(try folder.bytes("m"))
    }
    #expect(contents[3].count == 414)
    let steps = try UndoRecord.read(at: record)?.steps
    #expect(steps?.map(\.state) == [.done, .done, .done])
    #expect(steps?.first?.tool == "test 1")
    #expect(steps?.map { $0.files.map(\.change) } == [[.replaced], [.replaced], [.inPlace]])
    while contents.popLast() != nil, let expected = contents.last {
      let result = try transaction.undo(record: record)[0]
      #expect(try folder.bytes("m") == expected)
      #expect(result.sizeAfter == UInt64(expected.count))
    }
    #expect(folder.names() == ["m"])
    #expect(try refusal()?.code == .notFound)
  }

  @Test func `a change without record leaves the earlier record alone`() throws {
    try folder.write("m", Self.old)
    try apply(Scenario.sameSize)
    let kept = try folder.bytes("m.yarn-patch-undo")
    let edits = EditList([ByteEdit(at: 390, expected: [Self.old[390]], replacement: [0])])
    _ = try transaction.apply(
      [FileChange(try FileSource(folder["m"]), edits)], record: record, keepsRecord: false)
    #expect(try folder.bytes("m.yarn-patch-undo") == kept)
  }

  @Test(arguments: [Scenario.sameSize, Scenario.growing], [0, 22, 41])
  func `a change by something else since is not undone`(edits: EditList, position: UInt64) throws {
    try folder.write("m", Self.old)
    try apply(edits)
    try folder.overwrite("m", [200], at: position)
    let error = try refusal()
    #expect(error?.code == .changedSincePatch)
    #expect(error?.state == .untouched)
  }

  @Test(arguments: [Scenario.sameSize, Scenario.growing])
  func `a file of another length is not undone`(edits: EditList) throws {
    try folder.write("m", Self.old)
    try apply(edits)
    try folder.overwrite("m", [1], at: 500)
    #expect(try refusal()?.code == .changedSincePatch)
  }

  @Test func `one strange file keeps all others from being undone`() throws {
    try folder.write("m", Self.old)
    try folder.write("n", Self.old)
    let changes = [
      FileChange(try FileSource(folder["m"]), Scenario.sameSize),
      FileChange(try FileSource(folder["n"]), Scenario.growing),
    ]
    _ = try transaction.apply(changes, record: record)
    try folder.overwrite("n", [0], at: 1)
    #expect(try refusal()?.code == .changedSincePatch)
  }

  @Test func `a file that is as before already needs nothing`() throws {
    try folder.write("m", Self.old)
    try apply(Scenario.growing)
    try folder.write("m", Self.old)
    #expect(try transaction.undo(record: record).map(\.strategy) == [.none])
    #expect(folder.names() == ["m"])
  }

  /// Longer than sixteen blocks, and the first byte that is no sample of what follows the edits of `sameSize`.
  static let large = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 5) }
  static let unsampled: UInt64 = 42 + 4096

  @Test func `of large data samples are compared, and with full all of it`() throws {
    try folder.write("m", Self.large)
    try apply(Scenario.sameSize)
    try folder.overwrite("m", [99, 99], at: Self.unsampled)
    let full = failure { () throws(FileError) in _ = try transaction.undo(record: record, full: true) }
    #expect(full?.code == .changedSincePatch)
    let results = try transaction.undo(record: record)
    #expect(results[0].notes.isEmpty)
    var expected = Self.large
    expected[Int(Self.unsampled)] = 99
    expected[Int(Self.unsampled) + 1] = 99
    #expect(try folder.bytes("m") == expected)
    for place in [45, Self.unsampled - 1, 99_999] {
      try folder.write("m", Self.large)
      try apply(Scenario.sameSize)
      try folder.overwrite("m", [Self.large[Int(place)] ^ 1], at: place)
      #expect(try refusal()?.code == .changedSincePatch)
      try folder.overwrite("m", [Self.large[Int(place)]], at: place)
      _ = try transaction.undo(record: record, full: true)
      #expect(try folder.bytes("m") == Self.large)
    }
  }

  @Test func `full says when the record does not know all data`() throws {
    try folder.write("m", Self.old)
    _ = try Transaction(tool: "t", rewriteLimit: 0).apply(
      [FileChange(try FileSource(folder["m"]), Scenario.sameSize)], record: record)
    let result = try transaction.undo(record: record, full: true)[0]
    #expect(result.notes == ["the data was compared by samples: the change did not read all of it"])
  }

  @Test func `a torn file is put back when its change was interrupted, and only then`() throws {
    try folder.write("m", Self.old)
    try apply(Scenario.sameSize)
    let done = try #require(try UndoRecord.read(at: record))
    try folder.overwrite("m", Array(Self.old[20..<30]), at: 20)
    #expect(try refusal()?.code == .changedSincePatch)
    try folder.write("m.yarn-patch-undo", done.interrupted(before: Self.old).text)
    _ = try transaction.undo(record: record)
    #expect(try folder.bytes("m") == Self.old)
    #expect(folder.names() == ["m"])
  }

  @Test func `a strange file keeps an interrupted change waiting`() throws {
    try folder.write("m", Self.old)
    try apply(Scenario.sameSize)
    let done = try #require(try UndoRecord.read(at: record))
    try folder.write("m.yarn-patch-undo", done.interrupted(before: Self.old).text)
    try folder.overwrite("m", [99], at: 3)
    let error = try refusal()
    #expect(error?.code == .changedSincePatch)
    #expect(error?.state == .waitingForRecovery)
    #expect(error?.remedy.contains("yarn-patch recover \(folder["m"])`") == true)
  }

  @Test func `when the restored files do not verify they stay changed`() throws {
    try folder.write("m", Self.old)
    try apply(Scenario.growing)
    let before = try folder.bytes("m")
    let error = failure { () throws(FileError) in
      _ = try transaction.undo(record: record) { () throws(FileError) in
        throw FileError("wrong", at: SourceLocation(path: "m"), found: "x", expected: "y", remedy: "z")
      }
    }
    #expect(error?.code == "wrong")
    #expect(error?.state == .restored)
    #expect(try folder.bytes("m") == before)
    #expect(try UndoRecord.read(at: record)?.steps.last?.state == .done)
    _ = try transaction.undo(record: record)
    #expect(try folder.bytes("m") == Self.old)
  }

  @Test func `a damaged record undoes nothing`() throws {
    try folder.write("m", Self.old)
    try apply(Scenario.growing)
    try folder.write("m.yarn-patch-undo", Array(try folder.bytes("m.yarn-patch-undo").dropLast(10)))
    let error = try refusal()
    #expect(error?.code == .damagedRecord)
    #expect(error?.location.path == record)
    let again = failure { () throws(FileError) in
      try apply(EditList([ByteEdit(at: 0, expected: [], replacement: [1])]))
    }
    #expect(again?.code == .damagedRecord)
    #expect(again?.state == .untouched)
  }
}

extension UndoRecord {
  /// The record of a change in place as it was before the change was done.
  func interrupted(before old: [UInt8]) throws -> UndoRecord {
    var record = self
    record.steps[steps.count - 1].state = .pending
    let file = record.steps[steps.count - 1].files[0]
    record.steps[steps.count - 1].files[0].interim = try file.interim(before: MemorySource(old), nil)
    return record
  }
}
