@testable import FileStore

/// A scenario with a folder and a disk for its runs.
struct Stage {
  let scenario: Scenario
  let folder = TemporaryFolder(inMemory: true)
  private let disk: SimulatedDisk?

  init(_ scenario: Scenario) {
    self.scenario = scenario
    disk = scenario.inserting || scenario.sharing ? SimulatedDisk() : nil
    disk?.shares = scenario.sharing
  }

  /// See ``Scenario/layOut(in:)``.
  func layOut() throws {
    try scenario.layOut(in: folder)
    disk?.format()
  }

  /// The same disk each time, with a fault.
  func fileSystem(_ fault: Fault = .nothing, at position: Int = 1) -> FaultyFileSystem {
    FaultyFileSystem(fault, at: position, in: folder, exchanges: !scenario.withoutExchange, disk: disk)
  }

  var hasRecord: Bool { (try? UndoRecord.read(at: scenario.record(in: folder))) != nil }

  var isInterrupted: Bool { (try? UndoRecord.read(at: scenario.record(in: folder)))?.isInterrupted ?? false }

  /// Takes the newest change back, or ends what was interrupted.
  func undo() throws { try scenario.undo(in: folder, with: fileSystem()) }
  func recover() throws { try scenario.recover(in: folder, with: fileSystem()) }
}
