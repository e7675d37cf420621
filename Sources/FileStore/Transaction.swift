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
  let extentLimit: Int

  /// - Parameter tool: What makes the change, with its version; kept in the undo record.
  package init(
    tool: String, fileSystem: any FileSystem = POSIXFileSystem(), rewriteLimit: UInt64 = Self.rewriteLimit,
    extentLimit: Int = UndoRecord.extentLimit
  ) {
    self.tool = tool
    self.fileSystem = fileSystem
    self.rewriteLimit = rewriteLimit
    self.extentLimit = extentLimit
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
    let abilities = try abilities(of: source.file)
    if abilities.shares { return abilities.blockSize }
    guard abilities.inserts, output == nil, target.linkText == nil, try !source.file.isOpenElsewhere() else {
      return nil
    }
    return abilities.blockSize
  }

  /// What can be done with the file's blocks.
  private func abilities(of file: OpenFile) throws(FileError) -> BlockAbilities {
    try fileSystem.attempt(at: file.path) { () throws(SystemError) in
      let folder = Path.folder(of: try fileSystem.realPath(of: file.path))
      return try fileSystem.blockAbilities(of: file.descriptor, in: folder)
    }
  }

  /// Makes all changes, or none.
  ///
  /// - Parameters:
  ///   - record: Path of the undo record, see ``UndoRecord/path(forFile:)``. All the files stand in its folder, those
  ///     that links lead to as well, since that is where their other names lead.
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
    if change.output == nil, target.linkText == nil, !change.atomic, let method = try methodInPlace(for: change) {
      return method
    }
    return (strategy(forReplacing: change.identity.size), nil)
  }

  /// How a file of this size is written anew.
  func strategy(forReplacing size: UInt64) -> Strategy { size <= rewriteLimit ? .rewrite : .clone }

  /// How a change can be made without a new file; `nil` where that cannot be done, or sharing blocks is as cheap.
  private func methodInPlace(for change: FileChange) throws(FileError) -> (strategy: Strategy, insertion: UInt64?)? {
    let (size, edits) = (change.identity.size, change.edits)
    let growth = edits.innerChange(ofFileOfSize: size)
    let staysInPlace = growth == 0 && edits.fitsInPlace(ofFileOfSize: size)
    if staysInPlace, edits.sizeChange == 0 { return (.inPlace, nil) }
    guard size > rewriteLimit, growth >= 0 else { return nil }
    // What makes a file longer may have to be taken back, and that cuts it: not while another program has it mapped.
    let file = try FileSource(change.path, in: fileSystem).file
    let abilities = try abilities(of: file)
    guard !abilities.shares, try !file.isOpenElsewhere() else { return nil }
    if staysInPlace { return (.inPlace, nil) }
    guard abilities.inserts, growth % Int64(abilities.blockSize) == 0,
      let offset = edits.insertionOffset(ofFileOfSize: size, blockSize: abilities.blockSize),
      edits.fitsInPlace(ofFileOfSize: size, insertingAt: offset),
      try file.extents(in: offset..<size).count <= extentLimit
    else { return nil }
    return (.insertRange, offset)
  }

  /// Locks the source and makes sure that it is the file that the edits were planned for.
  private func prepare(_ change: FileChange, _ sources: inout LockedSources) throws(FileError) -> PreparedChange {
    let target = try target(of: change)
    let (strategy, insertion) = try method(for: change, at: target)
    let isOverwritten = strategy == .inPlace || strategy == .insertRange
    if let output = change.output { try fileSystem.requireFree(output) }
    let isCopied = change.output != nil || target.linkText != nil
    let (source, notes) = try sources.open(change.path, isOverwritten ? .readWrite : .read, isCopied: isCopied)
    guard source.identity == change.identity, try source.holds(change.edits) else {
      throw .changedSincePlanning(change.path)
    }
    guard isOverwritten || isCopied || source.status.linkCount == 1 || change.splitsHardLinks else {
      throw .hardLinks(change.path, others: source.status.linkCount - 1)
    }
    let growth = isOverwritten ? try growth(for: change, insertion, in: source) : nil
    return PreparedChange(
      change.output ?? change.path, at: change.output ?? target.place, oldLink: target.linkText, source: source,
      edits: isOverwritten ? try change.edits.byRegion(insertingAt: insertion, in: source) : change.edits,
      kind: change.output != nil ? .create : isOverwritten ? .overwrite(growth) : .replace, strategy: strategy,
      notes: notes)
  }

  private func growth(for change: FileChange, _ insertion: UInt64?, in source: FileSource) throws(FileError) -> Growth?
  {
    guard change.edits.sizeChange > 0 else { return nil }
    let gap = try insertion.map { offset throws(FileError) in
      let length = UInt64(change.edits.innerChange(ofFileOfSize: source.size))
      return try Gap(insertingAt: offset, length: length, into: source.file)
    }
    return Growth(oldSize: source.size, gap: gap, appended: change.edits.appendedCount(to: source.size))
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
    guard try fileSystem.real(Path.folder(of: prepared.place)) == fileSystem.real(folder) else {
      throw .outsideRecordFolder(change.path, leadingTo: prepared.place, folder)
    }
    let (source, edits) = (prepared.source, change.edits)
    let new = PatchedSource(source, edits)
    let fingerprint = Fingerprint(source, before: edits)
    var file = UndoRecord.File(
      path: Path.name(of: prepared.place), change: prepared.recordedChange, oldSize: source.size, newSize: new.size,
      mode: source.status.mode,
      edits: edits, oldHeader: try fingerprint.header(), newHeader: try Fingerprint(new, after: edits).header(),
      samples: try fingerprint.samples(), rest: source.size > rewriteLimit ? nil : try fingerprint.wholeData())
    if case .overwrite(let growth) = prepared.kind { file.interim = try file.interim(before: source, growth) }
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
  func interim(before old: any ByteSource, _ growth: Growth?) throws(FileError) -> UndoRecord.Interim {
    var before: [[UInt8]] = []
    for region in regions { before.append(try old.bytes(in: region)) }
    return UndoRecord.Interim(before: before, extents: growth?.gap?.extents ?? [])
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
