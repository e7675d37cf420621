import Bytes
import Diagnostics
import Glibc
import Testing

@testable import FileStore

/// What other programs do while a change goes on: the lock is no concern of theirs.
@Suite struct ForeignEditTests {
  static let old = Scenario.old
  static let foreign = Array(repeating: 33 as UInt8, count: 123)

  let folder = TemporaryFolder(inMemory: true)
  var record: String { UndoRecord.path(forFolder: folder.path) }

  /// Changes `m` while something else happens before the call of this number.
  ///
  /// - Parameter meanwhile: Gets the file, opened before.
  /// - Returns: The error and all calls that were made, `nil` when they were fewer.
  private func change(
    _ edits: EditList, _ limit: UInt64, exchanges: Bool = true, at position: Int,
    meanwhile: @escaping (_ appending: Int32) -> Void
  ) throws -> (error: FileError?, calls: [String])? {
    folder.empty { _ in false }
    try folder.write("m", Self.old)
    let watched = FaultyFileSystem(.nothing, in: folder, exchanges: exchanges)
    let held = open(folder["m"], O_WRONLY | O_APPEND)
    defer { close(held) }
    watched.meanwhile = { if $0 == position { meanwhile(held) } }
    let change = FileChange(try FileSource(folder["m"]), edits)
    let error = failure { () throws(FileError) in
      _ = try Transaction(tool: "test", fileSystem: watched, rewriteLimit: limit).apply([change], record: record)
    }
    return position <= watched.calls.count ? (error, watched.calls) : nil
  }

  @Test(arguments: [Scenario.sameSize, Scenario.growing], [0, 1 << 20] as [UInt64])
  func `a file that takes the name keeps it`(edits: EditList, limit: UInt64) throws {
    var refusals = 0
    for position in 1... {
      let run = try change(edits, limit, at: position) { _ in
        _ = try? folder.write("edited", Self.foreign)
        rename(folder["edited"], folder["m"])
      }
      guard let (error, calls) = run else { break }
      let place: Comment = "call \(position), \(calls[position - 1]): \(error?.description ?? "no error")"
      #expect(try folder.bytes("m") == Self.foreign, place)
      if error != nil { refusals += 1 }
      if error?.state == .waitingForRecovery {
        let again = failure { () throws(FileError) in _ = try Transaction(tool: "test").recover(record: record) }
        #expect(again?.code == .changedSincePatch, place)
        #expect(try folder.bytes("m") == Self.foreign, place)
      }
    }
    #expect(refusals > 10)
  }

  @Test(arguments: [true, false])
  func `what is written into the file until the change is done is there in the end`(exchanges: Bool) throws {
    let clean = try #require(try change(Scenario.growing, 1 << 20, exchanges: exchanges, at: 0) { _ in }).calls
    // Until the record says that all is done. Without exchange of names the file's renaming cannot be taken back.
    let limit = exchanges ? clean.lastIndex(of: "open create") : clean.firstIndex(of: "rename")
    for position in 1...(try #require(limit)) {
      let run = try change(Scenario.growing, 1 << 20, exchanges: exchanges, at: position) { write($0, "x", 1) }
      let (error, calls) = try #require(run)
      let place: Comment = "call \(position), \(calls[position - 1]): \(error?.description ?? "no error")"
      #expect(error?.code == .changedSincePlanning, place)
      #expect(try folder.bytes("m") == Self.old + [UInt8(ascii: "x")], place)
    }
  }

  @Test func `a change that is done while recovery looks at it stays`() throws {
    try folder.write("m", Self.old)
    _ = try Transaction(tool: "test").apply(
      [FileChange(try FileSource(folder["m"]), Scenario.sameSize)], record: record)
    let done = try #require(try UndoRecord.read(at: record))
    let pending = try done.interrupted(before: Self.old)
    let new = try folder.bytes("m")
    for position in 1... {
      try folder.write(".yarn-patch-undo", pending.text)
      let watched = FaultyFileSystem(.nothing, in: folder)
      watched.meanwhile = {
        // Whoever is at work holds the lock until it is done.
        guard $0 == position, !watched.calls.dropLast().contains("flock") else { return }
        try? POSIXFileSystem().put(done.text, at: record, replacing: true)
      }
      _ = failure { () throws(FileError) in
        _ = try Transaction(tool: "test", fileSystem: watched).recover(record: record)
      }
      guard position <= watched.calls.count, !watched.calls.prefix(position - 1).contains("flock") else { break }
      #expect(try folder.bytes("m") == new, "call \(position)")
      #expect(try UndoRecord.read(at: record) == done, "call \(position)")
    }
  }
}
