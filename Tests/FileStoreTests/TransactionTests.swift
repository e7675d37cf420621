import Bytes
import Diagnostics
import Glibc
import Testing

@testable import FileStore

@Suite struct TransactionTests {
  let folder = TemporaryFolder()
  let transaction = Transaction(tool: "test")
  static let old = Scenario.old

  var record: String { UndoRecord.path(forFolder: folder.path) }

  func change(
    _ name: String, _ edits: EditList = Scenario.growing, output: String? = nil, atomic: Bool = false
  ) throws(FileError) -> FileChange {
    FileChange(try FileSource(folder[name]), edits, output: output.map { folder[$0] }, atomic: atomic)
  }

  func refusal(_ changes: [FileChange], with fileSystem: any FileSystem = POSIXFileSystem()) -> FileError? {
    failure { () throws(FileError) in
      _ = try Transaction(tool: "test", fileSystem: fileSystem).apply(changes, record: record)
    }
  }

  func status(_ name: String) throws -> FileStatus {
    try POSIXFileSystem().status(at: folder[name], followingLinks: false)
  }

  @Test func `the strategy follows from the edits, the size and the caller's wish`() throws {
    try folder.write("m", Self.old)
    try folder.link("plain", to: "m")
    try folder.makeFolder("blobs")
    try folder.write("blobs/x", Self.old)
    try folder.link("stored", to: "blobs/x")
    let same = Scenario.sameSize
    let small = Transaction(tool: "test", rewriteLimit: 399)
    #expect(try transaction.strategy(for: change("m", EditList([]))) == .none)
    #expect(try transaction.strategy(for: change("m", EditList([]), output: "n")) == .rewrite)
    #expect(try transaction.strategy(for: change("m", same)) == .inPlace)
    #expect(try transaction.strategy(for: change("plain", same)) == .inPlace)
    #expect(try transaction.strategy(for: change("m", same, atomic: true)) == .rewrite)
    #expect(try transaction.strategy(for: change("m", same, output: "n")) == .rewrite)
    #expect(try transaction.strategy(for: change("stored", same)) == .rewrite)
    #expect(try transaction.strategy(for: change("m")) == .rewrite)
    #expect(try small.strategy(for: change("m")) == .clone)
    #expect([Strategy.none, .inPlace, .rewrite, .clone].map(\.rawValue) == ["none", "in-place", "rewrite", "clone"])
  }

  @Test func `a change in place writes the edits and what moves between them`() throws {
    try folder.write("m", Self.old)
    let before = try status("m")
    let apart = EditList([
      ByteEdit(at: 5, expected: [Self.old[5]], replacement: [255]),
      ByteEdit(at: 300, expected: [Self.old[300]], replacement: [254]),
    ])
    let result = try transaction.apply([change("m", apart)], record: record)[0]
    #expect(
      result == FileResult(path: folder["m"], strategy: .inPlace, bytesWritten: 2, sizeBefore: 400, sizeAfter: 400))
    #expect(try folder.bytes("m") == apart.apply(to: Self.old))
    #expect(try status("m").identity.isSameFile(as: before.identity))
    _ = try transaction.undo(record: record)
    let moved = try transaction.apply([change("m", Scenario.sameSize)], record: record)[0]
    #expect(moved.bytesWritten == 22)
    #expect(try folder.bytes("m") == Scenario.sameSize.apply(to: Self.old))
  }

  @Test func `a rewritten file gets the planned bytes, and all others are compared`() throws {
    try folder.write("m", Self.old)
    let result = try transaction.apply([change("m")], record: record)[0]
    #expect(try folder.bytes("m") == Scenario.growing.apply(to: Self.old))
    #expect(result.bytesCompared == 391)
    #expect(result.bytesWritten == 411)
    #expect((result.sizeBefore, result.sizeAfter) == (400, 411))
    #expect(result.notes.isEmpty)
  }

  @Test func `a file above the limit is cloned in blocks that can be shared`() throws {
    let size = Int(Transaction.rewriteLimit) + 100
    let old = (0..<size / 64 + 1).flatMap { i in [UInt8](repeating: UInt8(truncatingIfNeeded: i), count: 64) }
    try folder.write("m", old)
    let inserted = [UInt8](repeating: 9, count: 4096)
    let edits = EditList([ByteEdit(at: 100, expected: [], replacement: inserted)])
    let spy = FaultyFileSystem(.nothing, in: folder)
    let result = try Transaction(tool: "test", fileSystem: spy).apply([change("m", edits)], record: record)[0]
    #expect(result.strategy == .clone)
    #expect(result.bytesCompared == UInt64(old.count))
    #expect(spy.copies.map(\.start) == [0, 100, 4096])
    #expect(try folder.bytes("m") == edits.apply(to: old))
  }

  @Test(arguments: [EXDEV, EOPNOTSUPP, EINVAL, ENOSYS])
  func `what the kernel cannot copy is copied by hand`(errno: Int32) throws {
    try folder.write("m", Self.old)
    let broken = FaultyFileSystem(.call("copy_file_range", errno), in: folder)
    let clone = Transaction(tool: "test", fileSystem: broken, rewriteLimit: 0)
    #expect(try clone.apply([change("m")], record: record)[0].strategy == .clone)
    #expect(broken.hit != nil)
    #expect(try folder.bytes("m") == Scenario.growing.apply(to: Self.old))
  }

  @Test func `mode, owner and extended attributes are kept`() throws {
    try folder.write("m", Self.old)
    chmod(folder["m"], 0o2640)
    if getuid() == 0 { chown(folder["m"], 4321, 1234) }
    chmod(folder["m"], 0o2640)
    let hasAttributes = ExtendedAttribute.set(folder["m"], "user.origin", "somewhere")
    if !hasAttributes { print("not tested: this file system keeps no extended attributes") }
    let before = try status("m")
    let result = try transaction.apply([change("m")], record: record)[0]
    let after = try status("m")
    #expect(after.mode == 0o2640)
    #expect((after.user, after.group) == (before.user, before.group))
    #expect(!after.identity.isSameFile(as: before.identity))
    if hasAttributes { #expect(ExtendedAttribute.get(folder["m"], "user.origin") == "somewhere") }
    #expect(result.notes.isEmpty)
    _ = try transaction.undo(record: record)
    #expect(try status("m").mode == 0o2640)
  }

  @Test(arguments: [("fchown", "could not keep the owner"), ("fsetxattr", "could not keep some extended attributes")])
  func `what may not be kept is noted`(call: String, note: String) throws {
    try folder.write("m", Self.old)
    guard getuid() == 0 || call != "fchown" else { return print("not tested: only root can make a foreign file") }
    if getuid() == 0 { chown(folder["m"], 4321, 1234) }
    let broken = FaultyFileSystem(.call(call, EPERM), in: folder)
    let result = try Transaction(tool: "test", fileSystem: broken).apply([change("m")], record: record)[0]
    #expect(result.notes.count == 1 && result.notes[0].hasPrefix(note))
    #expect(try folder.bytes("m") == Scenario.growing.apply(to: Self.old))
  }

  @Test func `other names of a file are noted`() throws {
    try folder.write("m", Self.old)
    link(folder["m"], folder["other"])
    let inPlace = try transaction.apply([change("m", Scenario.sameSize)], record: record)[0]
    #expect(inPlace.notes == ["1 other name(s) of the file (hard links) changed with it"])
    _ = try transaction.undo(record: record)
    let error = refusal([try change("m")])
    #expect(error?.code == .hardLinks)
    #expect(error?.state == .untouched)
    var split = try change("m")
    split.splitsHardLinks = true
    let rewritten = try transaction.apply([split], record: record)[0]
    #expect(rewritten.notes == ["1 other name(s) of the file (hard links) keep the old bytes"])
    #expect(try folder.bytes("other") == Self.old)
  }

  @Test func `an output leaves the source and needs no record`() throws {
    try folder.write("m", Self.old)
    let results = try transaction.apply(
      [change("m", output: "n"), change("m", EditList([]), output: "copy")], record: record)
    #expect(results.map(\.path) == [folder["n"], folder["copy"]])
    #expect(try folder.bytes("m") == Self.old)
    #expect(try folder.bytes("n") == Scenario.growing.apply(to: Self.old))
    #expect(try folder.bytes("copy") == Self.old)
    #expect(folder.names() == ["copy", "m", "n"])
  }

  @Test func `an output that exists is refused`() throws {
    try folder.write("m", Self.old)
    try folder.link("n", to: "nowhere")
    for output in ["n", "m"] {
      let error = refusal([try change("m", output: output)])
      #expect(error?.code == .alreadyExists)
      #expect(error?.location.path == folder[output])
      #expect(error?.state == .untouched)
    }
    #expect(folder.names() == ["m", "n"])
  }

  @Test func `a change in a missing folder names the output`() throws {
    try folder.write("m", Self.old)
    let error = refusal([try change("m", output: "none/n")])
    #expect(error?.code == .notFound)
    #expect(error?.location.path == folder["none/n"])
  }

  @Test func `when verification fails the very same file is back`() throws {
    try folder.write("m", Self.old)
    let before = try status("m")
    let error = failure { () throws(FileError) in
      _ = try transaction.apply([try change("m")], record: record) { () throws(FileError) in
        #expect((try? folder.bytes("m")) == Scenario.growing.apply(to: Self.old))
        throw FileError("wrong", at: SourceLocation(path: "m"), found: "x", expected: "y", remedy: "z")
      }
    }
    #expect(error?.code == "wrong")
    #expect(error?.state == .restored)
    #expect(error?.description.hasSuffix("the old content was restored") == true)
    #expect(try status("m") == before)
    #expect(folder.names() == ["m"])
  }

  @Test func `nothing to change leaves no trace`() throws {
    try folder.write("m", Self.old)
    let result = try transaction.apply([change("m", EditList([]))], record: record)[0]
    #expect(result == FileResult(path: folder["m"], strategy: .none, sizeBefore: 400, sizeAfter: 400))
    #expect(folder.names() == ["m"])
  }

  @Test func `siblings of the dead are removed, those in use are not`() throws {
    try folder.write("m", Self.old)
    try folder.write(".m.yarn-patch.1", [1])
    try folder.write(".m.yarn-patch.\(getpid())", [1])
    try folder.link(".m.yarn-patch.2", to: "m")
    let inUse = try FileSource(folder[".m.yarn-patch.\(getpid())"])
    #expect(try inUse.file.lock())
    _ = try transaction.apply([change("m")], record: record)
    #expect(folder.leftovers() == [".m.yarn-patch.\(getpid())"])
    #expect(try folder.bytes("m") == Scenario.growing.apply(to: Self.old))
  }

  @Test func `a name of the greatest length works`() throws {
    let name = String(repeating: "ä", count: 127)
    try folder.write(name, Self.old)
    _ = try transaction.apply([change(name)], record: record)
    _ = try transaction.undo(record: record)
    #expect(try folder.bytes(name) == Self.old)
  }
}

/// The calls on extended attributes are hidden from Swift.
enum ExtendedAttribute {
  private typealias Set =
    @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeRawPointer, Int, Int32) -> Int32
  private typealias Get =
    @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeMutableRawPointer, Int) -> Int

  static func set(_ path: String, _ name: String, _ value: String) -> Bool {
    let call = unsafeBitCast(dlsym(nil, "setxattr"), to: Set.self)
    return call(path, name, value, value.utf8.count, 0) == 0
  }

  static func get(_ path: String, _ name: String) -> String? {
    let call = unsafeBitCast(dlsym(nil, "getxattr"), to: Get.self)
    var value = [UInt8](repeating: 0, count: 256)
    let count = call(path, name, &value, value.count)
    return count < 0 ? nil : String(decoding: value[..<count], as: UTF8.self)
  }
}
