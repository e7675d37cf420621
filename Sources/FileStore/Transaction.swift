import Bytes
import Diagnostics

/// Changes files so that each is afterwards as it was or as it should be, and never in a third state.
///
/// The order makes every point of a crash recoverable: everything that can be prepared beside the files is on the disk
/// first; then the undo record, marked pending; then the files change; and once they read back and the caller agrees, the
/// record is marked done. An error on the way takes everything back. After a crash the record leads back.
///
/// Readers that hold the old file open, or have it mapped, keep the old bytes when a file is replaced and see the new
/// ones at once when it is changed in place. The lock is advisory: it keeps out other runs of yarn-patch.
package struct Transaction: Sendable {
  /// A file up to this size is written anew by hand; for a larger one the kernel is asked to copy or share.
  package static let rewriteLimit: UInt64 = 16 << 20

  let fileSystem: any FileSystem
  let tool: String
  let rewriteLimit: UInt64

  /// - Parameter tool: What makes the change, with its version; kept in the undo record.
  package init(
    tool: String, fileSystem: any FileSystem = POSIXFileSystem(), rewriteLimit: UInt64 = Self.rewriteLimit
  ) {
    self.tool = tool
    self.fileSystem = fileSystem
    self.rewriteLimit = rewriteLimit
  }

  /// How ``apply(_:record:keepsRecord:verify:)`` would make a change. Touches nothing.
  ///
  /// - Throws: `contentAddressed` for a change that would be refused, and the codes of following a link.
  package func strategy(for change: FileChange) throws(FileError) -> Strategy {
    guard !change.changesNothing else { return .none }
    return try method(for: change, at: try target(of: change)).strategy
  }

  /// Refuses to go on where an earlier change was interrupted: its files may not even be readable.
  ///
  /// A record that cannot be read is no concern here; the change itself will meet it.
  /// - Throws: `interrupted`.
  package func requireSettled(record path: String) throws(FileError) {
    if let record = try? UndoRecord.read(at: path, in: fileSystem), record.isInterrupted {
      throw .interrupted(record: path)
    }
  }

  /// The bytes by which a file is best made longer, so that those behind the change need not be copied: a block of a file
  /// system that can insert blocks or share them between files. `nil` for a file that is written anew in any case.
  ///
  /// - Parameter output: Where the result goes instead.
  package func growthQuantum(of path: String, output: String? = nil) throws(FileError) -> UInt64? {
    let source = try FileSource(path, in: fileSystem)
    guard source.size > rewriteLimit else { return nil }
    let target = try Target(of: path, in: fileSystem)
    let abilities = try abilities(of: source.file, isReplaced: output != nil || target.linkText != nil)
    return abilities.inserts || abilities.shares ? abilities.blockSize : nil
  }

  /// What can be done with the file's blocks, now.
  ///
  /// Nothing is inserted into a file that another program has open: it may have it mapped, and its bytes would move.
  private func abilities(of file: OpenFile, isReplaced: Bool) throws(FileError) -> BlockAbilities {
    try fileSystem.attempt(at: file.path) { () throws(SystemError) in
      let folder = Path.folder(of: try fileSystem.realPath(of: file.path))
      var abilities = try fileSystem.blockAbilities(of: file.descriptor, in: folder)
      if abilities.inserts {
        let isOpenElsewhere = try fileSystem.isOpenElsewhere(file.descriptor)
        abilities.inserts = !isReplaced && !isOpenElsewhere
      }
      return abilities
    }
  }

  /// Makes all changes, or none.
  ///
  /// - Parameters:
  ///   - record: Path of the undo record, see ``UndoRecord/path(forFile:)``; its folder holds all the files.
  ///   - keepsRecord: Whether the record stays when all went well. It is written in any case, since a crash on the way
  ///     needs it, unless every change goes to an output of its own.
  ///   - verify: Looks at the changed files; when it throws, everything is taken back.
  /// - Returns: One result per change, in order.
  /// - Throws: `changedSincePlanning`, `busy`, `contentAddressed`, `interrupted`, `alreadyExists`, `readBackDiffers`, the
  ///   codes of the system's calls, and what `verify` throws; always with ``FileError/state``.
  package func apply(
    _ changes: [FileChange], record: String, keepsRecord: Bool = true,
    verify: () throws(FileError) -> Void = {}
  ) throws(FileError) -> [FileResult] {
    var prepared: [PreparedChange] = []
    var files: [UndoRecord.File] = []
    var update: RecordUpdate?
    var sources = LockedSources(fileSystem: fileSystem)
    defer { withExtendedLifetime(sources) {} }
    do throws(FileError) {
      let before = try sources.record(at: record)
      if before?.isInterrupted == true { throw .interrupted(record: record) }
      for change in changes where !change.changesNothing {
        let next = try prepare(change, &sources)
        prepared.append(next)
        if change.output == nil { files.append(try recorded(change, as: next, in: Path.folder(of: record))) }
      }
      update = files.isEmpty ? nil : recordUpdate(for: files, at: record, before: before, keepsRecord)
    } catch { throw error.leaving(error.code == .interrupted ? .waitingForRecovery : .untouched) }
    removeStale(prepared.filter { $0.kind == .replace }.map(\.place) + [record])
    var results = try run(prepared, update, verify: verify)[...]
    return changes.map { change in
      (change.changesNothing ? nil : results.popFirst())
        ?? FileResult(
          path: change.path, strategy: .none, sizeBefore: change.identity.size, sizeAfter: change.identity.size)
    }
  }

  private func target(of change: FileChange) throws(FileError) -> Target {
    let target = try Target(of: change.path, in: fileSystem)
    if change.output == nil { try target.requireWritable(change.path) }
    return target
  }

  /// How a change is made, and where blocks are inserted for it.
  private func method(for change: FileChange, at target: Target) throws(FileError) -> (
    strategy: Strategy, insertion: UInt64?
  ) {
    if change.output == nil, target.linkText == nil, !change.atomic {
      if change.edits.sizeChange == 0, change.edits.fitsInPlace() { return (.inPlace, nil) }
      if let offset = try insertionOffset(for: change) { return (.insertRange, offset) }
    }
    return (strategy(forReplacing: change.identity.size), nil)
  }

  /// How a file of this size is written anew.
  func strategy(forReplacing size: UInt64) -> Strategy { size <= rewriteLimit ? .rewrite : .clone }

  /// Where blocks are to be inserted, or `nil` where that cannot be done or sharing them with a new file is as cheap.
  private func insertionOffset(for change: FileChange) throws(FileError) -> UInt64? {
    guard change.identity.size > rewriteLimit, change.edits.sizeChange > 0 else { return nil }
    let abilities = try abilities(of: FileSource(change.path, in: fileSystem).file, isReplaced: false)
    guard abilities.inserts, !abilities.shares, change.edits.sizeChange % Int64(abilities.blockSize) == 0,
      let offset = change.edits.insertionOffset(blockSize: abilities.blockSize),
      change.edits.fitsInPlace(insertingAt: offset)
    else { return nil }
    return offset
  }

  /// Locks the source and makes sure that it is the file that the edits were planned for.
  private func prepare(_ change: FileChange, _ sources: inout LockedSources) throws(FileError) -> PreparedChange {
    let target = try target(of: change)
    let (strategy, insertion) = try method(for: change, at: target)
    let isOverwritten = strategy == .inPlace || strategy == .insertRange
    if let output = change.output { try fileSystem.requireFree(output) }
    let isCopied = change.output != nil || target.linkText != nil
    let (source, notes) = try sources.open(change.path, writing: isOverwritten, isCopied: isCopied)
    guard source.identity == change.identity, try source.holds(change.edits) else {
      throw .changedSincePlanning(change.path)
    }
    guard isOverwritten || isCopied || source.status.linkCount == 1 || change.splitsHardLinks else {
      throw .hardLinks(change.path, others: source.status.linkCount - 1)
    }
    let gap = try insertion.map { offset throws(FileError) in
      try Gap(insertingAt: offset, length: UInt64(change.edits.sizeChange), into: source.file)
    }
    return PreparedChange(
      change.output ?? change.path, at: change.output ?? target.place, oldLink: target.linkText, source: source,
      edits: isOverwritten ? try change.edits.byRegion(insertingAt: insertion, in: source) : change.edits,
      kind: change.output != nil ? .create : isOverwritten ? .overwrite(gap) : .replace, strategy: strategy,
      notes: notes)
  }

  private func recordUpdate(
    for files: [UndoRecord.File], at path: String, before: UndoRecord?, _ keepsRecord: Bool
  ) -> RecordUpdate {
    let step = UndoRecord.Step(state: .pending, tool: tool, files: files)
    let during = UndoRecord(steps: (before?.steps ?? []) + [step])
    return RecordUpdate(
      at: path, before: before, during: during, after: keepsRecord ? during.done : before, in: fileSystem)
  }

  private func recorded(
    _ change: FileChange, as prepared: PreparedChange, in folder: String
  ) throws(FileError) -> UndoRecord.File {
    guard let path = Path.relative(change.path, to: folder) else {
      throw FileError(
        .outsideRecordFolder, at: SourceLocation(path: change.path),
        found: "the undo record would be in the folder \(folder)", expected: "a file inside that folder",
        remedy: "name the model's own file or folder")
    }
    let (source, edits) = (prepared.source, change.edits)
    let new = PatchedSource(source, edits)
    let rest = edits.extent.upperBound
    var file = UndoRecord.File(
      path: path, change: prepared.recordedChange, oldSize: source.size, newSize: new.size, mode: source.status.mode,
      edits: edits, oldHeader: try source.headerDigest(upTo: UndoRecord.headerEnd(of: edits)),
      newHeader: try new.headerDigest(upTo: UndoRecord.headerEnd(of: edits.inverse)),
      samples: try source.sampleDigest(from: rest),
      rest: source.size > rewriteLimit ? nil : try source.digest(of: rest..<source.size))
    if case .overwrite(let gap) = prepared.kind { file.interim = try file.interim(before: source, gap) }
    return file
  }
}

extension FileChange {
  /// An output is written even when it is a mere copy.
  fileprivate var changesNothing: Bool { edits.isEmpty && output == nil }
}

extension UndoRecord.File {
  /// What leads back from between.
  ///
  /// - Parameter old: The old file, or a view of it.
  func interim(before old: any ByteSource, _ gap: Gap?) throws(FileError) -> UndoRecord.Interim {
    var before: [[UInt8]] = []
    for region in edits.regions(insertingAt: change.insertionOffset) { before.append(try old.bytes(in: region)) }
    return UndoRecord.Interim(before: before, extents: gap?.extents ?? [])
  }
}

extension FileError {
  fileprivate static func hardLinks(_ path: String, others: UInt64) -> FileError {
    FileError(
      .hardLinks, at: SourceLocation(path: path),
      found: "the file has \(others) other name(s) (hard links), which would keep the old bytes",
      expected: "a file with one name, or a change that fits in place",
      remedy: "patch a copy with --output, or take it on with --allow hard-links")
  }
}
