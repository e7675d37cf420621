import Bytes
import Diagnostics
import Testing

@testable import FileStore

@Suite struct LinkTests {
  let folder = TemporaryFolder()
  let transaction = Transaction(tool: "test")
  static let old = Scenario.old
  static let new = Scenario.growing.apply(to: old)
  static let digest = String(repeating: "0123456789abcdef", count: 4)

  func apply(_ names: [String], output: String? = nil, record: String? = nil) throws(FileError) -> [FileResult] {
    var changes: [FileChange] = []
    for name in names {
      let source = try FileSource(folder[name])
      changes.append(FileChange(source, Scenario.growing, output: output.map { folder[$0] }))
    }
    return try transaction.apply(changes, record: record ?? UndoRecord.path(forFile: folder[names[0]]))
  }

  @Test func `a plain link stays, and the file it leads to is changed`() throws {
    try folder.makeFolder("real")
    try folder.write("real/m", Self.old)
    try folder.link("first", to: "real/m")
    try folder.link("second", to: folder["first"])
    let beside = failure { () throws(FileError) in _ = try apply(["second"]) }
    #expect(beside?.code == .outsideRecordFolder && beside?.state == .untouched)
    #expect(beside?.remedy.contains("yarn-patch patch \(folder["real/m"])`") == true)
    #expect(try POSIXFileSystem().changedPlace(of: folder["second"]) == folder["real/m"])
    let record = UndoRecord.path(forFile: folder["real/m"])
    let result = try apply(["second"], record: record)[0]
    #expect(result.path == folder["second"])
    #expect(try folder.bytes("real/m") == Self.new)
    #expect(folder.snapshot()["second"] == Array("-> \(folder["first"])".utf8))
    #expect(folder.names("real") == ["m", "m.yarn-patch-undo"])
    _ = try transaction.undo(record: record)
    #expect(try folder.bytes("real/m") == Self.old)
    #expect(folder.names("real") == ["m"])
    #expect(folder.names() == ["first", "real", "second"])
  }

  @Test func `a snapshot's link into a store becomes a file, and a link again`() throws {
    for name in ["blobs", "snapshots", "snapshots/main"] { try folder.makeFolder(name) }
    try folder.write("blobs/x", Self.old)
    try folder.link("snapshots/main/config.json", to: "../../blobs/x")
    let before = folder.snapshot()
    _ = try apply(["snapshots/main/config.json"])
    var expected = before
    expected["snapshots/main/config.json"] = Self.new
    #expect(folder.snapshot() == expected)
    _ = try transaction.undo(record: folder["snapshots/main/config.json.yarn-patch-undo"])
    #expect(folder.snapshot() == before)
    #expect(folder.leftovers().isEmpty)
  }

  @Test func `two links to one blob are changed together`() throws {
    try folder.makeFolder("blobs")
    try folder.write("blobs/x", Self.old)
    try folder.link("a", to: "blobs/x")
    try folder.link("b", to: "blobs/x")
    let record = UndoRecord.path(forFolder: folder.path)
    _ = try apply(["a", "b"], record: record)
    #expect(folder.snapshot() == ["blobs/x": Self.old, "a": Self.new ?? [], "b": Self.new ?? []])
    _ = try transaction.undo(record: record)
    #expect(folder.snapshot()["a"] == Array("-> blobs/x".utf8))
    #expect(folder.snapshot()["b"] == Array("-> blobs/x".utf8))
  }

  @Test(arguments: ["blobs/x", digest, String(digest.prefix(40)), "sha256-\(digest)"])
  func `a blob named directly is only written elsewhere`(name: String) throws {
    try folder.makeFolder("blobs")
    try folder.write(name, Self.old)
    let error = failure { () throws(FileError) in _ = try apply([name]) }
    #expect(error?.code == .contentAddressed)
    #expect(error?.state == .untouched)
    #expect(error?.remedy.contains("--output") == true)
    _ = try apply([name], output: "patched")
    #expect(folder.snapshot() == [name: Self.old, "patched": Self.new ?? []])
    try folder.link("link", to: name)
    _ = try apply(["link"])
    #expect(folder.snapshot() == [name: Self.old, "patched": Self.new ?? [], "link": Self.new ?? []])
  }

  @Test(arguments: [String(digest.prefix(39)), "\(digest)0", "sha256-\(digest.prefix(40))", "g" + digest.dropFirst()])
  func `other names are no digests`(name: String) throws {
    try folder.write(name, Self.old)
    _ = try apply([name])
    #expect(try folder.bytes(name) == Self.new)
  }

  @Test func `a link is not put back when its blob is gone or another`() throws {
    try folder.makeFolder("blobs")
    try folder.write("blobs/x", Self.old)
    try folder.link("c", to: "blobs/x")
    _ = try apply(["c"])
    let record = UndoRecord.path(forFile: folder["c"])
    try folder.write("blobs/x", Self.old.reversed())
    let changed = failure { () throws(FileError) in _ = try transaction.undo(record: record) }
    #expect(changed?.code == .changedSincePatch)
    folder.empty { !$0.hasPrefix("blobs") }
    let gone = failure { () throws(FileError) in _ = try transaction.undo(record: record) }
    #expect(gone?.code == .notFound)
    #expect(gone?.location.path == folder["blobs/x"])
    #expect(gone?.state == .untouched)
    #expect(try folder.bytes("c") == Self.new)
  }

  @Test func `a link that leads nowhere is not found`() throws {
    try folder.link("c", to: "nowhere")
    let error = failure { () throws(FileError) in _ = try apply(["c"]) }
    #expect(error?.code == .notFound)
  }
}
