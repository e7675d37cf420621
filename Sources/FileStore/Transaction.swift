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
    return strategy(for: change, at: try target(of: change))
  }

  /// Refuses to go on where an earlier change was interrupted: its files may not even be readable.
  ///
  /// A record that cannot be read is no concern here; the change itself will meet it.
  /// - Throws: `interrupted`.
  package func requireSettled(record path: String) throws(FileError) {
    guard let record = try? UndoRecord.read(at: path, in: fileSystem) else { return }
    if record.steps.last?.state == .pending { throw .interrupted(record: path) }
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
    var update: RecordUpdate?
    var sources = LockedSources(fileSystem: fileSystem)
    defer { withExtendedLifetime(sources) {} }
    do throws(FileError) {
      let before = try sources.record(at: record)
      if before?.steps.last?.state == .pending { throw .interrupted(record: record) }
      for change in changes where !change.changesNothing { prepared.append(try prepare(change, &sources)) }
      update = try recordUpdate(for: prepared, at: record, before: before, keepsRecord)
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

  private func strategy(for change: FileChange, at target: Target) -> Strategy {
    let isPlainFile = change.output == nil && target.linkText == nil && !change.atomic
    let isInPlace = isPlainFile && change.edits.sizeChange == 0 && change.edits.fitsInPlace
    return isInPlace ? .inPlace : strategy(forReplacing: change.identity.size)
  }

  /// How a file of this size is written anew.
  func strategy(forReplacing size: UInt64) -> Strategy { size <= rewriteLimit ? .rewrite : .clone }

  /// Locks the source and makes sure that it is the file that the edits were planned for.
  private func prepare(_ change: FileChange, _ sources: inout LockedSources) throws(FileError) -> PreparedChange {
    let target = try target(of: change)
    let strategy = strategy(for: change, at: target)
    if let output = change.output { try fileSystem.requireFree(output) }
    let isCopied = change.output != nil || target.linkText != nil
    let (source, notes) = try sources.open(change.path, writing: strategy == .inPlace, isCopied: isCopied)
    guard source.identity == change.identity, try source.holds(change.edits) else {
      throw .changedSincePlanning(change.path)
    }
    let edits = strategy == .inPlace ? try change.edits.keepingLengths(in: source) : change.edits
    return PreparedChange(
      change.output ?? change.path, at: change.output ?? target.place, oldLink: target.linkText, source: source,
      edits: edits, kind: change.output != nil ? .create : strategy == .inPlace ? .overwrite : .replace,
      strategy: strategy, notes: notes)
  }

  /// The record with a step for the changes, or `nil` when all go to outputs.
  private func recordUpdate(
    for changes: [PreparedChange], at path: String, before: UndoRecord?, _ keepsRecord: Bool
  ) throws(FileError) -> RecordUpdate? {
    var files: [UndoRecord.File] = []
    for change in changes where change.kind != .create {
      files.append(try UndoRecord.File(change, in: Path.folder(of: path)))
    }
    guard !files.isEmpty else { return nil }
    let step = UndoRecord.Step(state: .pending, tool: tool, files: files)
    let during = UndoRecord(steps: (before?.steps ?? []) + [step])
    let after = keepsRecord ? during.marking(newestStep: .done) : before
    return RecordUpdate(at: path, before: before, during: during, after: after, in: fileSystem)
  }
}

extension FileChange {
  /// An output is written even when it is a mere copy.
  fileprivate var changesNothing: Bool { edits.isEmpty && output == nil }
}

extension UndoRecord.File {
  fileprivate init(_ change: PreparedChange, in folder: String) throws(FileError) {
    let (source, edits) = (change.source, change.edits)
    guard let path = Path.relative(change.result.path, to: folder) else {
      throw FileError(
        .outsideRecordFolder, at: SourceLocation(path: change.result.path),
        found: "the undo record would be in the folder \(folder)", expected: "a file inside that folder",
        remedy: "name the model's own file or folder")
    }
    self.init(
      path: path,
      change: change.kind == .overwrite ? .inPlace : change.oldLink.map { .replacedLink($0) } ?? .replaced,
      oldSize: change.result.sizeBefore, newSize: change.result.sizeAfter, mode: source.status.mode, edits: edits,
      oldHeader: try source.headerDigest(upTo: UndoRecord.headerEnd(of: edits)),
      newHeader: try source.headerDigest(edits, upTo: UndoRecord.headerEnd(of: edits.inverse)))
  }
}
