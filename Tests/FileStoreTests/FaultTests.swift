import Diagnostics
import Glibc
import Testing

@testable import FileStore

/// Every call of every way to change a file fails once, from then on, or takes the process or the machine with it.
@Suite struct FaultTests {
  static let faults: [Fault] =
    [EIO, ENOSPC, EROFS].flatMap { [.once($0), .always($0)] } + [.once(EINTR)] + Fault.Crash.allCases.map { .crash($0) }

  @Test(arguments: Scenario.all) func `a failed change leaves the old files or the new ones`(scenario: Scenario) throws
  {
    let (old, new) = try outcomes(of: scenario)
    var count = 0
    let folder = TemporaryFolder(inMemory: true)
    for fault in Self.faults {
      for position in 1... {
        try scenario.layOut(in: folder)
        let broken = FaultyFileSystem(fault, at: position, in: folder, exchanges: !scenario.withoutExchange)
        let error = failure { () throws(FileError) in _ = try scenario.apply(in: folder, with: broken) }
        guard let call = broken.hit else { break }
        count += 1
        let place: Comment = "\(fault), call \(position), \(call): \(error?.description ?? "no error")"
        if case .crash = fault {
          broken.loseUnsynced()
          if hasRecord(scenario, folder) {
            try scenario.undo(in: folder)
            #expect(folder.snapshot() == old, place)
          } else {
            #expect([old, new].contains(folder.snapshot()), place)
          }
          continue
        }
        guard let error else {
          #expect(folder.snapshot() == new, place)
          #expect(hasRecord(scenario, folder) == (scenario.keepsRecord && scenario.output == nil), place)
          continue
        }
        if fault == .once(EINTR) { #expect(scenario.verifyFails, place) }
        try expectOld(old, after: error, fault, call, scenario, folder, place)
      }
    }
    print("fault points, \(scenario.testDescription), apply: \(count)")
  }

  @Test(arguments: Scenario.all.filter { $0.keepsRecord && !$0.verifyFails && $0.output == nil })
  func `a failed undo leaves the old files or the new ones`(scenario: Scenario) throws {
    let (old, new) = try outcomes(of: scenario)
    var count = 0
    let folder = TemporaryFolder(inMemory: true)
    try scenario.layOut(in: folder)
    _ = try scenario.apply(in: folder, with: POSIXFileSystem())
    let record = try folder.bytes(".yarn-patch-undo")
    for fault in Self.faults {
      for position in 1... {
        // As a change would leave it, in less time.
        for (path, bytes) in new { try folder.write(path, bytes) }
        try folder.write(".yarn-patch-undo", record)
        folder.empty { new[$0] != nil || $0 == ".yarn-patch-undo" }
        let broken = FaultyFileSystem(fault, at: position, in: folder, exchanges: !scenario.withoutExchange)
        let error = failure { () throws(FileError) in try scenario.undo(in: folder, with: broken) }
        guard let call = broken.hit else { break }
        count += 1
        let place: Comment = "\(fault), call \(position), \(call): \(error?.description ?? "no error")"
        if case .crash = fault {
          broken.loseUnsynced()
        } else if error == nil || fault == .once(EINTR) {
          #expect(error == nil && folder.snapshot() == old && !hasRecord(scenario, folder), place)
        } else if error?.state == .restored || error?.state == .untouched {
          #expect(folder.snapshot() == new, place)
        }
        if hasRecord(scenario, folder) { try scenario.undo(in: folder) }
        #expect(folder.snapshot() == old, place)
        if case .once = fault {
          #expect(error?.state != .waitingForRecovery, place)
          #expect(call == "unlink" || folder.leftovers().isEmpty, place)
        }
      }
    }
    print("fault points, \(scenario.testDescription), undo: \(count)")
  }

  @Test(arguments: [Fault.crash(.torn), .once(EIO)]) func `recovery can fail as well`(fault: Fault) throws {
    let scenario = try #require(Scenario.all.first { $0.testDescription == "two files" })
    let (old, _) = try outcomes(of: scenario)
    var count = 0
    let folder = TemporaryFolder(inMemory: true)
    for first in stride(from: 1, to: Int.max, by: 5) {
      guard try crash(scenario, at: first, in: folder) else { break }
      let record = try UndoRecord.read(at: scenario.record(in: folder))
      guard record?.steps.last?.state == .pending else { continue }
      for second in 1... {
        _ = try crash(scenario, at: first, in: folder)
        let broken = FaultyFileSystem(fault, at: second, in: folder)
        let error = failure { () throws(FileError) in try scenario.undo(in: folder, with: broken) }
        guard broken.hit != nil else { break }
        count += 1
        // Restored to what? There was nothing good before.
        #expect(error?.state != .restored, "crash at \(first), then call \(second)")
        if hasRecord(scenario, folder) { try scenario.undo(in: folder) }
        #expect(folder.snapshot() == old, "crash at \(first), then call \(second)")
      }
    }
    #expect(count > 100)
    print("fault points, recovery, \(fault): \(count)")
  }

  /// Leaves what a change leaves that is torn at this call; `false` when the change makes fewer calls.
  private func crash(_ scenario: Scenario, at position: Int, in folder: TemporaryFolder) throws -> Bool {
    try scenario.layOut(in: folder)
    let broken = FaultyFileSystem(.crash(.torn), at: position, in: folder)
    _ = failure { () throws(FileError) in _ = try scenario.apply(in: folder, with: broken) }
    return broken.hit != nil
  }

  @Test(arguments: Scenario.all) func `wrong bytes are read back and taken back`(scenario: Scenario) throws {
    let (old, new) = try outcomes(of: scenario)
    let folder = TemporaryFolder(inMemory: true)
    var count = 0
    for position in 1... {
      try scenario.layOut(in: folder)
      let lying = FaultyFileSystem(.corrupt, at: position, in: folder, exchanges: !scenario.withoutExchange)
      let error = failure { () throws(FileError) in _ = try scenario.apply(in: folder, with: lying) }
      guard position <= lying.calls.count else { break }
      guard lying.hit != nil else { continue }
      count += 1
      #expect(error?.code == .readBackDiffers || scenario.verifyFails, "call \(position)")
      if error?.state == .waitingForRecovery { try scenario.undo(in: folder) }
      #expect(folder.snapshot() == old, "call \(position)")
    }
    #expect(count > 0 && old != new || scenario.verifyFails)
  }

  @Test(arguments: Scenario.all) func `short reads and writes are continued`(scenario: Scenario) throws {
    let (_, new) = try outcomes(of: scenario)
    let folder = TemporaryFolder(inMemory: true)
    try scenario.layOut(in: folder)
    let short = FaultyFileSystem(.short(7), in: folder, exchanges: !scenario.withoutExchange)
    let error = failure { () throws(FileError) in _ = try scenario.apply(in: folder, with: short) }
    #expect(folder.snapshot() == new)
    #expect((error != nil) == scenario.verifyFails)
  }

  @Test(arguments: Scenario.all, ["pwrite", "copy_file_range", "symlink"])
  func `a full disk leaves the old files and no litter`(scenario: Scenario, call: String) throws {
    let (old, new) = try outcomes(of: scenario)
    let folder = TemporaryFolder(inMemory: true)
    try scenario.layOut(in: folder)
    let full = FaultyFileSystem(.call(call, ENOSPC), in: folder, exchanges: !scenario.withoutExchange)
    let error = failure { () throws(FileError) in _ = try scenario.apply(in: folder, with: full) }
    #expect(folder.snapshot() == (error == nil ? new : old))
    if full.hit != nil {
      #expect(error?.code == .noSpace)
      #expect(error?.state == .untouched)
    }
    #expect(folder.leftovers().isEmpty)
  }

  /// What is there before a change and after it.
  private func outcomes(of scenario: Scenario) throws -> (old: [String: [UInt8]], new: [String: [UInt8]]) {
    let folder = TemporaryFolder(inMemory: true)
    try scenario.layOut(in: folder)
    let old = folder.snapshot()
    var agreeing = scenario
    agreeing.verifyFails = false
    _ = try agreeing.apply(in: folder, with: POSIXFileSystem())
    let new = folder.snapshot()
    #expect(old != new)
    #expect(folder.leftovers().isEmpty)
    return scenario.verifyFails ? (old, old) : (old, new)
  }

  private func hasRecord(_ scenario: Scenario, _ folder: TemporaryFolder) -> Bool {
    access(scenario.record(in: folder), F_OK) == 0
  }

  private func expectOld(
    _ old: [String: [UInt8]], after error: FileError, _ fault: Fault, _ call: String, _ scenario: Scenario,
    _ folder: TemporaryFolder, _ place: Comment
  ) throws {
    #expect(error.state != nil, place)
    if error.state == .waitingForRecovery {
      if case .once = fault { #expect(scenario.verifyFails, place) }
      #expect(error.remedy.contains("yarn-patch undo \(folder.path)"), place)
      try scenario.undo(in: folder)
    } else {
      #expect(!hasRecord(scenario, folder), place)
      if case .once = fault { #expect(call == "unlink" || folder.leftovers().isEmpty, place) }
    }
    // An output that cannot be removed is whole.
    let mayStay = scenario.output != nil && error.remedy.hasPrefix("remove ")
    #expect(folder.snapshot() == old || mayStay && folder.snapshot()["new.gguf"]?.count == 411, place)
  }
}

func failure(_ body: () throws(FileError) -> Void) -> FileError? {
  do throws(FileError) { try body() } catch { return error }
  return nil
}
