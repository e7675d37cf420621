import Bytes
import Diagnostics
import Glibc
import Testing

@testable import FileStore

/// What a transaction refuses, with nothing changed.
@Suite struct RefusalTests {
  let folder = TemporaryFolder()
  static let old = Scenario.old

  var record: String { UndoRecord.path(forFolder: folder.path) }

  func change(_ name: String, _ edits: EditList = Scenario.growing) throws(FileError) -> FileChange {
    FileChange(try FileSource(folder[name]), edits)
  }

  /// Applies the changes, expects that nothing happens, and gives the error.
  func refusal(_ changes: [FileChange], with fileSystem: any FileSystem = POSIXFileSystem()) -> FileError? {
    let before = folder.snapshot()
    let error = failure { () throws(FileError) in
      _ = try Transaction(tool: "test", fileSystem: fileSystem).apply(changes, record: record)
    }
    #expect(folder.snapshot() == before)
    #expect(folder.leftovers().isEmpty)
    #expect(error?.state != nil)
    return error
  }

  @Test(arguments: [Scenario.sameSize, Scenario.growing])
  func `a file that changed since planning`(edits: EditList) throws {
    try folder.write("m", Self.old)
    let touched = try change("m", edits)
    var longAgo = [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)]
    utimes(folder["m"], &longAgo)
    #expect(refusal([touched])?.code == .changedSincePlanning)

    var unexpected = try change("m", edits)
    try folder.overwrite("m", [0], at: 21)
    unexpected.identity = try FileSource(folder["m"]).identity
    let error = refusal([unexpected])
    #expect(error?.code == .changedSincePlanning)
    #expect(error?.state == .untouched)

    let replaced = try change("m", edits)
    unlink(folder["m"])
    try folder.write("m", Self.old)
    #expect(refusal([replaced])?.code == .changedSincePlanning)
  }

  @Test func `a file that another process holds`() throws {
    try folder.write("m", Self.old)
    let holder = try FileSource(folder["m"])
    #expect(try holder.file.lock())
    let error = refusal([try change("m")])
    #expect(error?.code == .busy)
    #expect(error?.location.path == folder["m"])
    withExtendedLifetime(holder) {}
  }

  @Test func `a model whose record another process holds`() throws {
    try folder.write("m", Self.old)
    _ = try Transaction(tool: "test").apply([change("m", Scenario.sameSize)], record: record)
    let holder = try FileSource(record)
    #expect(try holder.file.lock())
    try folder.write("other", Self.old)
    #expect(refusal([try change("other")])?.code == .busy)
    let error = failure { () throws(FileError) in _ = try Transaction(tool: "test").undo(record: record) }
    #expect(error?.code == .busy)
    withExtendedLifetime(holder) {}
  }

  @Test func `who holds a file is named`() throws {
    let table = """
      1: POSIX  ADVISORY  READ 3 fd:01:131092 0 EOF
      2: FLOCK  ADVISORY  WRITE 4 fd:00:131092 0 EOF
      3: FLOCK  ADVISORY  WRITE -1 fd:01:131092 0 EOF
      4: FLOCK  ADVISORY  WRITE 4711 fd:01:131092 0 EOF
      4: -> FLOCK  ADVISORY  WRITE 4712 fd:01:131093 0 EOF
      """
    let device: UInt64 = 0xfd << 8 | 1
    func holder(_ device: UInt64, _ inode: UInt64) -> Int32? {
      let file = FileIdentity(device: device, inode: inode, size: 0, modifiedSeconds: 0, modifiedNanoseconds: 0)
      return LockTable.holder(of: file, in: table)
    }
    #expect(holder(device, 131_092) == 4711)
    #expect(holder(0xfd << 8, 131_092) == 4)
    #expect(holder(device, 131_093) == nil, "one that waits")
    #expect(holder(device, 7) == nil)
    try folder.write("m", Self.old)
    let other = try FileSource(folder["m"])
    #expect(try other.file.lock())
    let error = refusal([try change("m")])
    #expect(error?.code == .busy && error?.state == .untouched)
    // Not every system tells: overlays give another device number than the locks' list.
    let isListed = try POSIXFileSystem().lockHolder(of: other.file.descriptor) != nil
    #expect(error?.found.hasSuffix("process \(getpid()) holds the file") == isListed)
    if !isListed { print("not tested: this system does not list who holds a lock") }
  }

  @Test func `where there are no locks a note says so`() throws {
    try folder.write("m", Self.old)
    let broken = FaultyFileSystem(.call("flock", ENOLCK), in: folder)
    let results = try Transaction(tool: "test", fileSystem: broken).apply([change("m")], record: record)
    #expect(results[0].notes == ["the file system knows no locks: no other program may change the file now"])
  }

  @Test func `the same file twice`() throws {
    try folder.write("m", Self.old)
    try folder.link("l", to: "m")
    #expect(refusal([try change("m"), try change("l")])?.code == .namedTwice)
  }

  @Test func `a file outside the record's folder`() throws {
    try folder.makeFolder("a")
    try folder.write("m", Self.old)
    let error = failure { () throws(FileError) in
      _ = try Transaction(tool: "test").apply([try change("m")], record: folder["a/.yarn-patch-undo"])
    }
    #expect(error?.code == .outsideRecordFolder)
    #expect(error?.state == .untouched)
  }

  @Test func `a folder that cannot be written`() throws {
    try folder.write("m", Self.old)
    if getuid() == 0 {
      print("a folder without permission stops nobody here (root): EACCES comes from the faulty file system alone")
    } else {
      chmod(folder.path, 0o500)
      #expect(refusal([try change("m")])?.code == .permissionDenied)
      chmod(folder.path, 0o700)
    }
    let broken = FaultyFileSystem(.call("open create", EACCES), in: folder)
    let error = refusal([try change("m")], with: broken)
    #expect(error?.code == .permissionDenied)
    #expect(error?.location.path == folder["m"])
    #expect(error?.state == .untouched)
    #expect(error?.remedy.contains("--output") == true)
  }

  @Test func `a model that waits for recovery`() throws {
    try folder.write("m", Self.old)
    for position in 1... {
      folder.empty { $0 == "m" }
      let broken = FaultyFileSystem(.crash(.torn), at: position, in: folder)
      #expect(failure { () throws(FileError) in _ = try apply(with: broken) } != nil)
      if try folder.bytes("m") != Self.old { break }
    }
    let error = refusal([try change("m")])
    #expect(error?.code == .interrupted)
    #expect(error?.state == .waitingForRecovery)
    #expect(error?.remedy.hasPrefix("run `yarn-patch recover \(folder.path)`") == true)
    _ = try Transaction(tool: "test").undo(record: record)
    #expect(try folder.bytes("m") == Self.old)
    _ = try apply(with: POSIXFileSystem())
  }

  private func apply(with fileSystem: any FileSystem) throws(FileError) -> [FileResult] {
    try Transaction(tool: "test", fileSystem: fileSystem).apply([try change("m", Scenario.sameSize)], record: record)
  }
}
