import Bytes
import Diagnostics

extension Transaction {
  /// Takes the newest change of a record back, or the one that was interrupted.
  ///
  /// Each file may be as the change left it, or as it was before; after an interruption also torn between the two. What
  /// was interrupted leads to the old bytes in any case: a change is rolled back, its undoing finished.
  ///
  /// - Parameters:
  ///   - record: Path of the undo record. Its newest step is removed, and the file with its last step.
  ///   - full: Whether to compare all data with the record instead of samples; the results note where the record holds
  ///     no digest of all.
  ///   - verify: Looks at the restored files; when it throws, they stay changed.
  /// - Returns: One result per file of the change.
  /// - Throws: `notFound` without a record; `damagedRecord`; `changedSincePatch` when a file is none of the above, and no
  ///   file is touched then; and the codes of ``apply(_:record:keepsRecord:verify:)``.
  package func undo(
    record path: String, full: Bool = false, verify: () throws(FileError) -> Void = {}
  ) throws(FileError) -> [FileResult] {
    guard let ended = try takeBack(path, full: full, verify: verify) else {
      throw FileError.nothingToUndo(path).leaving(.untouched)
    }
    return ended.files
  }

  /// Ends what was interrupted: rolls a change back, or finishes its undoing.
  ///
  /// - Returns: Which of the two was going on, and the files; `nil` when nothing was interrupted.
  /// - Throws: As ``undo(record:full:verify:)``.
  package func recover(record path: String) throws(FileError) -> (
    interrupted: UndoRecord.Step.State, files: [FileResult]
  )? {
    // A record at rest need not be locked to be told from others.
    guard try UndoRecord.read(at: path, in: fileSystem)?.isInterrupted == true else { return nil }
    return try takeBack(path, onlyInterrupted: true)
  }

  /// - Parameter onlyInterrupted: Whether a change that is done stays. Decided once the record is locked: until then the
  ///   change may have been going on, and ended well.
  /// - Returns: `nil` when there is nothing to take back.
  private func takeBack(
    _ path: String, full: Bool = false, onlyInterrupted: Bool = false, verify: () throws(FileError) -> Void = {}
  ) throws(FileError) -> (interrupted: UndoRecord.Step.State, files: [FileResult])? {
    var recovering = false
    var sources = LockedSources(fileSystem: fileSystem)
    defer { withExtendedLifetime(sources) {} }
    var steps: [UndoStep] = []
    let update: RecordUpdate
    let state: UndoRecord.Step.State
    do throws(FileError) {
      guard let record = try sources.record(at: path), var newest = record.steps.last else { return nil }
      recovering = record.isInterrupted
      if onlyInterrupted, !recovering { return nil }
      state = newest.state
      for file in newest.files {
        steps.append(try prepare(file, in: Path.folder(of: path), full: full, &sources))
      }
      if !recovering {
        newest.state = .undoing
        newest.files = steps.map(\.file)
      }
      update = RecordUpdate(
        at: path, before: record, during: UndoRecord(steps: record.steps.dropLast() + [newest]),
        after: record.withoutNewestStep, in: fileSystem)
    } catch { throw recovering ? error.blocking(recoveryOf: path) : error.leaving(.untouched) }
    removeStale(steps.map(\.path) + [path])
    var results = try run(steps.compactMap(\.change), update, recovering: recovering) { () throws(FileError) in
      for step in steps { try requireOld(step) }
      try verify()
    }[...]
    let files = steps.map { step in
      var result =
        (step.change == nil ? nil : results.popFirst())
        ?? FileResult(
          path: step.path, strategy: .none, sizeBefore: step.file.oldSize, sizeAfter: step.file.oldSize)
      if full, step.file.rest == nil {
        result.notes.append("the data was compared by samples: the change did not read all of it")
      }
      return result
    }
    return (state, files)
  }

  private func prepare(
    _ file: UndoRecord.File, in folder: String, full: Bool, _ sources: inout LockedSources
  ) throws(FileError) -> UndoStep {
    let path = Path.joined(folder, file.path)
    // Whoever can put a record and a link beside a model must not reach another file with them. Only where the record
    // tells of a link to a blob one may stand, and then the blob is compared and nothing else.
    var mode = OpenMode.entry(writing: file.isOverwritten)
    if case .replacedLink = file.change { mode = .read }
    let target = try Target(of: path, in: fileSystem)
    let (source, notes) = try sources.open(path, mode, isCopied: target.linkText != nil)
    var step = UndoStep(file: file, path: path)
    let (edits, growth): (EditList, Growth?)
    switch try file.condition(of: source, at: target, full: full) {
    case .changed: throw .changedSincePatch(path)
    case .old:
      // A record that is not done says of every file in place how to go on.
      if file.isOverwritten, file.interim == nil { step.file.interim = try file.interim(before: source, nil) }
      return step
    case .new(let inverse, let found): (edits, growth) = (inverse, found)
    }
    var kind = PreparedChange.Kind.replace
    var strategy = strategy(forReplacing: source.size)
    if file.isOverwritten {
      if try !mustClone(source, growth) {
        (kind, strategy) = (.overwrite(growth), growth?.gap == nil ? .inPlace : .insertRange)
      }
      if file.interim == nil {
        step.file.interim = try file.interim(before: PatchedSource(source, file.edits.inverse), growth)
      }
    } else if case .replacedLink(let text) = file.change {
      try requireOldBlob(file, linkedFrom: path, by: text)
      kind = .link(text)
    }
    step.change = PreparedChange(
      path, at: path, source: source, edits: edits, kind: kind, strategy: strategy, mode: file.mode,
      notes: notes)
    return step
  }

  /// Whether the file would have to be cut while another program may have it mapped. Half a change cannot be cloned.
  private func mustClone(_ source: FileSource, _ growth: Growth?) throws(FileError) -> Bool {
    guard let growth, source.size > growth.oldSize, try source.file.isOpenElsewhere(), source.status.linkCount == 1
    else { return false }
    return try growth.isOpen(in: source.file)
  }

  /// A link is put back only when it leads to the old bytes: a store may have been cleaned up since.
  private func requireOldBlob(_ file: UndoRecord.File, linkedFrom path: String, by text: String) throws(FileError) {
    let blob = try FileSource(Path.joined(Path.folder(of: path), text), in: fileSystem)
    guard case .old = try file.condition(of: blob) else { throw .changedSincePatch(blob.path) }
  }

  private func requireOld(_ step: UndoStep) throws(FileError) {
    let source = try FileSource(step.path, in: fileSystem)
    guard case .old = try step.file.condition(of: source) else { throw .readBackDiffers(step.path) }
  }
}

/// One file of the step that is undone.
private struct UndoStep {
  var file: UndoRecord.File
  var path: String
  /// `nil` when the file has its old bytes.
  var change: PreparedChange?
}

extension FileError.Code {
  /// A changed file is not inside the undo record's folder.
  package static let outsideRecordFolder: Self = "outside-record-folder"
}

extension FileError {
  /// - Parameter place: See ``FileSystem/changedPlace(of:)``.
  package static func outsideRecordFolder(_ path: String, leadingTo place: String, _ folder: String) -> FileError {
    FileError(
      .outsideRecordFolder, at: SourceLocation(path: path),
      found: "the file that changes is \(place), and the undo record would stand in \(folder)",
      expected: "files of one folder",
      remedy: "patch each file by itself, as `yarn-patch patch \(place)`, or write the result elsewhere with --output")
  }

  fileprivate static func nothingToUndo(_ record: String) -> FileError {
    FileError(
      .notFound, at: SourceLocation(path: record), found: "there is no undo record", expected: "the record of a change",
      remedy: "nothing to do: the model was not changed, was changed with --no-undo, or is restored already")
  }

  fileprivate static func changedSincePatch(_ path: String) -> FileError {
    FileError(
      .changedSincePatch, at: SourceLocation(path: path), found: "the file was changed by something else since",
      expected: "the bytes that the change left or found", remedy: "take the later change back first")
  }
}
