import Diagnostics
import Glibc
import Testing

@testable import FileStore

/// Every call of every way to change a file fails once, from then on, or takes the process or the machine with it.
@Suite struct FaultTests {
  static let faults: [Fault] =
    [EIO, ENOSPC, EDQUOT, EROFS].flatMap { [.once($0), .always($0)] } + [.once(EINTR)]
    + Fault.Crash.allCases.map { .crash($0) }

  @Test(arguments: Scenario.all) func `a failed change leaves the old files or the new ones`(scenario: Scenario) throws
  {
    let (old, new) = try outcomes(of: scenario)
    var points = FaultCount()
    let stage = Stage(scenario)
    let folder = stage.folder
    for fault in Self.faults {
      for position in 1... {
        try stage.layOut()
        let broken = stage.fileSystem(fault, at: position)
        let error = failure { () throws(FileError) in _ = try scenario.apply(in: folder, with: broken) }
        guard let call = broken.hit else { break }
        points.note(position)
        let place: Comment = "\(fault), call \(position), \(call): \(error?.description ?? "no error")"
        if case .crash = fault {
          broken.loseUnsynced()
          try stage.recover()
          #expect(!stage.isInterrupted, place)
          #expect(folder.snapshot() == old || !scenario.verifyFails && folder.snapshot() == new, place)
          if stage.hasRecord {
            try stage.undo()
            #expect(folder.snapshot() == old, place)
          }
          continue
        }
        guard let error else {
          #expect(folder.snapshot() == new, place)
          #expect(stage.hasRecord == (scenario.keepsRecord && scenario.output == nil), place)
          continue
        }
        if fault == .once(EINTR) { #expect(scenario.verifyFails, place) }
        try expectOld(old, after: error, fault, call, stage, place)
      }
    }
    print("\(scenario.testDescription), apply: \(points)")
  }

  @Test(arguments: Scenario.all.filter { $0.keepsRecord && !$0.verifyFails && $0.output == nil })
  func `a failed undo leaves the old files or the new ones`(scenario: Scenario) throws {
    let (old, new) = try outcomes(of: scenario)
    var points = FaultCount()
    let stage = Stage(scenario)
    let folder = stage.folder
    try stage.layOut()
    _ = try scenario.apply(in: folder, with: stage.fileSystem())
    let record = try folder.bytes(".yarn-patch-undo")
    for fault in Self.faults {
      for position in 1... {
        // As a change would leave it, in less time.
        try stage.layOut()
        for (path, bytes) in new { try folder.write(path, bytes) }
        try folder.write(".yarn-patch-undo", record)
        folder.empty { new[$0] != nil || $0 == ".yarn-patch-undo" }
        let broken = stage.fileSystem(fault, at: position)
        let error = failure { () throws(FileError) in try scenario.undo(in: folder, with: broken) }
        guard let call = broken.hit else { break }
        points.note(position)
        let place: Comment = "\(fault), call \(position), \(call): \(error?.description ?? "no error")"
        if case .crash = fault {
          broken.loseUnsynced()
        } else if error == nil || fault == .once(EINTR) {
          #expect(error == nil && folder.snapshot() == old && !stage.hasRecord, place)
        } else if error?.state == .restored || error?.state == .untouched {
          #expect(folder.snapshot() == new, place)
        }
        let wasInterrupted = stage.isInterrupted
        try stage.recover()
        if stage.hasRecord {
          #expect(!wasInterrupted && folder.snapshot() == new, place)
          try stage.undo()
        }
        #expect(folder.snapshot() == old, place)
        if case .once = fault {
          #expect(error?.state != .waitingForRecovery, place)
          #expect(call == "unlink" || folder.leftovers().isEmpty, place)
        }
      }
    }
    print("\(scenario.testDescription), undo: \(points)")
  }

  @Test(
    arguments: ["two files", "insert range", "insert range and append"],
    [Fault.crash(.torn), .crash(.powerCutTearing), .once(EIO)])
  func `recovery can fail as well`(name: String, fault: Fault) throws {
    let scenario = try #require(Scenario.all.first { $0.testDescription == name })
    let (old, _) = try outcomes(of: scenario)
    var count = 0
    let stage = Stage(scenario)
    for first in stride(from: 1, to: Int.max, by: 5) {
      guard try crash(stage, at: first) else { break }
      guard stage.isInterrupted else { continue }
      for second in 1... {
        _ = try crash(stage, at: first)
        let broken = stage.fileSystem(fault, at: second)
        let error = failure { () throws(FileError) in try scenario.recover(in: stage.folder, with: broken) }
        guard broken.hit != nil else { break }
        if case .crash = fault { broken.loseUnsynced() }
        count += 1
        // Restored to what? There was nothing good before.
        #expect(error?.state != .restored, "crash at \(first), then call \(second)")
        try stage.recover()
        #expect(!stage.hasRecord && stage.folder.snapshot() == old, "crash at \(first), then call \(second)")
      }
    }
    #expect(count > 100)
    print("recovery of \(name), \(fault): \(count) fault points")
  }

  /// Leaves what a change leaves that is torn at this call; `false` when the change makes fewer calls.
  private func crash(_ stage: Stage, at position: Int) throws -> Bool {
    try stage.layOut()
    let broken = stage.fileSystem(.crash(.torn), at: position)
    _ = failure { () throws(FileError) in _ = try stage.scenario.apply(in: stage.folder, with: broken) }
    return broken.hit != nil
  }

  @Test(arguments: Scenario.all) func `wrong bytes are read back and taken back`(scenario: Scenario) throws {
    let (old, new) = try outcomes(of: scenario)
    let stage = Stage(scenario)
    let folder = stage.folder
    var count = 0
    for position in 1... {
      try stage.layOut()
      let lying = stage.fileSystem(.corrupt, at: position)
      let error = failure { () throws(FileError) in _ = try scenario.apply(in: folder, with: lying) }
      guard position <= lying.calls.count else { break }
      guard lying.hit != nil else { continue }
      count += 1
      #expect(error?.code == .readBackDiffers || scenario.verifyFails, "call \(position)")
      if error?.state == .waitingForRecovery { try stage.recover() }
      #expect(folder.snapshot() == old, "call \(position)")
    }
    #expect(count > 0 && old != new || scenario.verifyFails)
  }

  @Test(arguments: Scenario.all) func `short reads and writes are continued`(scenario: Scenario) throws {
    let (_, new) = try outcomes(of: scenario)
    let stage = Stage(scenario)
    let folder = stage.folder
    try stage.layOut()
    let short = stage.fileSystem(.short(7))
    let error = failure { () throws(FileError) in _ = try scenario.apply(in: folder, with: short) }
    #expect(folder.snapshot() == new)
    #expect((error != nil) == scenario.verifyFails)
  }

  @Test(arguments: Scenario.all, ["pwrite", "copy_file_range", "symlink", "insert"])
  func `a full disk leaves the old files and no litter`(scenario: Scenario, call: String) throws {
    let (old, new) = try outcomes(of: scenario)
    let stage = Stage(scenario)
    let folder = stage.folder
    try stage.layOut()
    let full = stage.fileSystem(.call(call, ENOSPC))
    let error = failure { () throws(FileError) in _ = try scenario.apply(in: folder, with: full) }
    #expect(folder.snapshot() == (error == nil ? new : old))
    if full.hit != nil {
      #expect(error?.code == .noSpace)
      // Whether an insertion that fails has moved anything is found out only then.
      #expect(error?.state == (call == "insert" ? .restored : .untouched))
    }
    #expect(folder.leftovers().isEmpty)
  }

  /// What is there before a change and after it.
  private func outcomes(of scenario: Scenario) throws -> (old: [String: [UInt8]], new: [String: [UInt8]]) {
    let stage = Stage(scenario)
    let folder = stage.folder
    try stage.layOut()
    let old = folder.snapshot()
    var agreeing = scenario
    agreeing.verifyFails = false
    let results = try agreeing.apply(in: folder, with: stage.fileSystem())
    #expect(results.contains { $0.strategy == .insertRange } == scenario.inserting)
    let new = folder.snapshot()
    #expect(old != new)
    #expect(folder.leftovers().isEmpty)
    return scenario.verifyFails ? (old, old) : (old, new)
  }

  private func expectOld(
    _ old: [String: [UInt8]], after error: FileError, _ fault: Fault, _ call: String, _ stage: Stage, _ place: Comment
  ) throws {
    let (scenario, folder) = (stage.scenario, stage.folder)
    #expect(error.state != nil, place)
    if error.state == .waitingForRecovery {
      if case .once = fault { #expect(scenario.verifyFails, place) }
      #expect(error.remedy.contains("yarn-patch recover \(folder.path)"), place)
      try stage.recover()
    } else {
      #expect(!stage.hasRecord, place)
      if case .once = fault { #expect(call == "unlink" || folder.leftovers().isEmpty, place) }
    }
    // An output that cannot be removed is whole.
    let mayStay = scenario.output != nil && error.remedy.hasPrefix("remove ")
    #expect(folder.snapshot() == old || mayStay && folder.snapshot()["new.gguf"]?.count == 411, place)
  }
}

/// What a test of all faults went through.
private struct FaultCount: CustomStringConvertible {
  private var points = 0
  private var calls = 0

  /// Counts a fault that was met at this call.
  mutating func note(_ position: Int) {
    points += 1
    calls = max(calls, position)
  }

  var description: String {
    let crashes = Fault.Crash.allCases.count
    return
      "\(points) fault points: up to \(calls) calls × (\(FaultTests.faults.count - crashes) errors + \(crashes) crashes)"
  }
}

func failure(_ body: () throws(FileError) -> Void) -> FileError? {
  do throws(FileError) { try body() } catch { return error }
  return nil
}
