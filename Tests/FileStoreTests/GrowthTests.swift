import Bytes
import Diagnostics
import Glibc
import Testing

@testable import FileStore

/// Files that grow without a copy, and what keeps them from it.
@Suite struct GrowthTests {
  let folder = TemporaryFolder()
  let disk = SimulatedDisk()
  static let old = Scenario.old

  var record: String { UndoRecord.path(forFolder: folder.path) }

  func transaction(rewriteLimit: UInt64 = 0) -> Transaction {
    Transaction(
      tool: "test", fileSystem: FaultyFileSystem(.nothing, in: folder, disk: disk), rewriteLimit: rewriteLimit)
  }

  func change(_ edits: EditList, output: String? = nil, atomic: Bool = false) throws(FileError) -> FileChange {
    FileChange(try FileSource(folder["m"]), edits, output: output.map { folder[$0] }, atomic: atomic)
  }

  private static func edit(at offset: Int, _ count: Int, _ new: Int) -> ByteEdit {
    ByteEdit(
      at: UInt64(offset), expected: Array(old[offset..<offset + count]), replacement: Array(repeating: 7, count: new))
  }

  @Test func `the strategy follows from edits, file system and other programs`() throws {
    try folder.write("m", Self.old)
    func strategy(_ edits: EditList, _ limit: UInt64 = 0, output: String? = nil, atomic: Bool = false) throws
      -> Strategy
    { try transaction(rewriteLimit: limit).strategy(for: change(edits, output: output, atomic: atomic)) }
    let shrinkingAndAppending = EditList([Self.edit(at: 20, 8, 4), Self.edit(at: 400, 0, 4)])
    #expect(try strategy(Scenario.inserting) == .insertRange)
    #expect(try strategy(Scenario.insertingAndAppending) == .insertRange)
    #expect(try strategy(Scenario.appending) == .inPlace)
    #expect(try strategy(Scenario.growing) == .clone, "not whole blocks")
    #expect(try strategy(shrinkingAndAppending) == .clone, "the end stays, but not what is before it")
    #expect(try strategy(Scenario.inserting, 400) == .rewrite, "a small file")
    #expect(try strategy(Scenario.appending, 400) == .rewrite)
    #expect(try strategy(Scenario.inserting, output: "n") == .clone)
    #expect(try strategy(Scenario.inserting, atomic: true) == .clone)
    let fileSystem = FaultyFileSystem(.nothing, in: folder, disk: disk)
    for (limit, expected) in [(20, Strategy.clone), (21, .insertRange)] {
      let recording = Transaction(tool: "test", fileSystem: fileSystem, rewriteLimit: 0, extentLimit: limit)
      #expect(try recording.strategy(for: change(Scenario.inserting)) == expected, "too fragmented for the record")
    }
    disk.isInUse = true
    #expect(try strategy(Scenario.inserting) == .clone)
    #expect(try strategy(Scenario.appending) == .clone)
    #expect(try strategy(Scenario.sameSize) == .inPlace)
    (disk.isInUse, disk.shares) = (false, true)
    #expect(try strategy(Scenario.inserting) == .clone, "as cheap")
    #expect(try strategy(Scenario.appending) == .clone)
  }

  @Test func `the quantum is a block where growing by one is cheap`() throws {
    try folder.write("m", Self.old)
    try folder.makeFolder("blobs")
    try folder.write("blobs/x", Self.old)
    try folder.link("stored", to: "blobs/x")
    func quantum(_ name: String = "m", _ limit: UInt64 = 0, output: String? = nil) throws -> UInt64? {
      try transaction(rewriteLimit: limit).growthQuantum(of: folder[name], output: output)
    }
    #expect(try quantum() == SimulatedDisk.blockSize)
    #expect(try quantum("m", 400) == nil)
    #expect(try quantum(output: "n") == nil)
    #expect(try quantum("stored") == nil)
    disk.isInUse = true
    #expect(try quantum() == nil)
    disk.shares = true
    #expect(try quantum() == SimulatedDisk.blockSize)
    #expect(try quantum(output: "n") == SimulatedDisk.blockSize)
  }

  @Test(arguments: [Scenario.inserting, Scenario.insertingAndAppending, Scenario.appending])
  func `what another program may have mapped is not cut but cloned`(edits: EditList) throws {
    try folder.write("m", Self.old)
    let change = try change(edits)
    _ = try transaction().apply([change], record: record)
    let new = try folder.bytes("m")
    #expect(new == edits.apply(to: Self.old))
    let mapped = try FileSource(folder["m"])
    disk.isInUse = true
    #expect(try transaction().undo(record: record).map(\.strategy) == [.clone])
    #expect(try folder.bytes("m") == Self.old)
    #expect(try mapped.bytes(in: 0..<UInt64(new.count)) == new)
    #expect(folder.names() == ["m"])
  }

  @Test func `half a change waits until the other program has ended`() throws {
    try folder.write("m", Self.old)
    for position in 1... {
      let crash = FaultyFileSystem(.crash(.torn), at: position, in: folder, disk: disk)
      let crashing = Transaction(tool: "test", fileSystem: crash, rewriteLimit: 0)
      _ = failure { () throws(FileError) in _ = try crashing.apply([change(Scenario.inserting)], record: record) }
      if crash.hit == "insert" { break }
      folder.empty { $0 == "m" }
    }
    let torn = try folder.bytes("m")
    #expect(torn != Self.old && torn != Scenario.inserting.apply(to: Self.old))
    disk.isInUse = true
    let error = failure { () throws(FileError) in _ = try transaction().recover(record: record) }
    #expect(error?.code == .busy && error?.state == .waitingForRecovery)
    #expect(try folder.bytes("m") == torn)
    disk.isInUse = false
    #expect(try transaction().recover(record: record)?.interrupted == .pending)
    #expect(try folder.bytes("m") == Self.old)
  }

  @Test func `a copy that has no room is not begun`() throws {
    let large = Array(repeating: 5 as UInt8, count: 3 << 20)
    try folder.write("m", large)
    let edits = EditList([ByteEdit(at: 9, expected: [5], replacement: [6, 6])])
    disk.freeSpace = 2 << 20
    let fileSystem = FaultyFileSystem(.nothing, in: folder, disk: disk)
    let full = Transaction(tool: "test", fileSystem: fileSystem, rewriteLimit: 0)
    let error = failure { () throws(FileError) in _ = try full.apply([change(edits)], record: record) }
    #expect(error?.code == .noSpace && error?.state == .untouched)
    #expect(fileSystem.copies.map(\.count) == [9], "what stands before the first edit")
    #expect(folder.names() == ["m"])
    disk.freeSpace = 4 << 20
    _ = try full.apply([change(edits)], record: record)
    #expect(try folder.bytes("m") == edits.apply(to: large))
  }

  @Test func `an edit far behind the header and bytes behind the end leave the data comparable`() throws {
    var large = [UInt8](repeating: 1, count: 17 << 20)
    try folder.write("m", large)
    let far: UInt64 = 16 << 20 + 77
    let edits = EditList([
      ByteEdit(at: 40, expected: [1, 1], replacement: [2, 2]), ByteEdit(at: far, expected: [1], replacement: [3]),
      ByteEdit(at: UInt64(large.count), expected: [], replacement: [4, 4, 4]),
    ])
    let real = Transaction(tool: "test", fileSystem: FaultyFileSystem(.nothing, in: folder))
    #expect(try real.apply([change(edits)], record: record)[0].strategy == .inPlace)
    let recorded = try #require(try UndoRecord.read(at: record)?.steps.last?.files.first)
    #expect((recorded.change, recorded.oldSize, recorded.newSize) == (.inPlace, 17 << 20, 17 << 20 + 3))
    for place in [41, 60, far, far + 1, 17 << 20] {
      let before = try FileSource(folder["m"]).bytes(in: place..<place + 1)
      try folder.overwrite("m", [99], at: place)
      let error = failure { () throws(FileError) in _ = try real.undo(record: record) }
      // The last blocks are sampled, and so is the first one behind the header.
      #expect((error?.code == .changedSincePatch) == (place != far + 1), "\(place)")
      if error == nil {
        large[Int(place)] = 99
        break
      }
      try folder.overwrite("m", before, at: place)
    }
    if try UndoRecord.read(at: record) != nil { _ = try real.undo(record: record) }
    #expect(try folder.bytes("m") == large)
  }

  // MARK: the real file system

  @Test func `another opening of a file is noticed, and a mapping too`() throws {
    try folder.write("m", Self.old)
    let source = try FileSource(folder["m"])
    guard try !source.file.isOpenElsewhere() else { return print("not tested: this file system grants no leases") }
    do {
      let other = try FileSource(folder["m"])
      #expect(try source.file.isOpenElsewhere())
      withExtendedLifetime(other) {}
    }
    #expect(try !source.file.isOpenElsewhere())
    let descriptor = open(folder["m"], O_RDONLY)
    let mapping = try #require(mmap(nil, 400, PROT_READ, MAP_PRIVATE, descriptor, 0))
    close(descriptor)
    #expect(try source.file.isOpenElsewhere())
    munmap(mapping, 400)
    #expect(try !source.file.isOpenElsewhere())
  }

  @Test(arguments: [false, true])
  func `blocks are inserted into a real file and taken out again`(isSparse: Bool) throws {
    let data = (0..<(1 << 20) / 8).flatMap { i in (0..<8).map { UInt8(truncatingIfNeeded: i >> ($0 * 8)) } }
    try folder.write("m", isSparse ? Array(data.prefix(6000)) : data)
    if isSparse {
      // Nothing stands where the blocks are inserted, nor at the end.
      truncate(folder["m"], 1 << 20)
      try folder.overwrite("m", [1, 2, 3], at: 600_000)
    }
    let old = try folder.bytes("m")
    let real = Transaction(tool: "test", rewriteLimit: 1000)
    guard let quantum = try real.growthQuantum(of: folder["m"]) else {
      return print("not tested: this file system can neither insert blocks nor share them")
    }
    let grown = [UInt8](repeating: 9, count: Int(quantum) + 10)
    for appended in [0, 5000] {
      let edits = EditList([
        ByteEdit(at: 9000, expected: Array(old[9000..<9010]), replacement: grown),
        ByteEdit(at: UInt64(old.count), expected: [], replacement: Array(repeating: 8, count: appended)),
      ])
      let result = try real.apply([change(edits)], record: record)[0]
      #expect(result.strategy == .insertRange || result.strategy == .clone)
      #expect(result.bytesWritten < UInt64(3 * quantum) + 20_000)
      #expect(try folder.bytes("m") == edits.apply(to: old))
      let undone = try real.undo(record: record)[0]
      #expect(undone.strategy == result.strategy)
      #expect(try folder.bytes("m") == old)
      #expect(folder.names() == ["m"])
    }
  }
}
