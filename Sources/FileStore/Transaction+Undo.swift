import Bytes
import Diagnostics

extension Transaction {
  /// Takes the newest change of a record back, or the one that was interrupted.
  ///
  /// Each file may be as the change left it, or as it was before; after an interruption also torn between the two.
  ///
  /// - Parameters:
  ///   - record: Path of the undo record. Its newest step is removed, and the file with its last step.
  ///   - verify: Looks at the restored files; when it throws, they stay changed.
  /// - Returns: One result per file of the change.
  /// - Throws: `notFound` without a record; `damagedRecord`; `changedSincePatch` when a file is none of the above, and no
  ///   file is touched then; and the codes of ``apply(_:record:keepsRecord:verify:)``.
  package func undo(
    record path: String, verify: () throws(FileError) -> Void = {}
  ) throws(FileError) -> [FileResult] {
    var recovering = false
    var sources = LockedSources(fileSystem: fileSystem)
    defer { withExtendedLifetime(sources) {} }
    var steps: [UndoStep] = []
    let update: RecordUpdate
    do throws(FileError) {
      guard let record = try sources.record(at: path), let newest = record.steps.last else {
        throw .nothingToUndo(path)
      }
      recovering = newest.state == .pending
      for file in newest.files {
        steps.append(try prepare(file, in: Path.folder(of: path), recovering: recovering, &sources))
      }
      update = RecordUpdate(
        at: path, before: record, during: record.marking(newestStep: .pending), after: record.withoutNewestStep,
        in: fileSystem)
    } catch { throw recovering ? error.waiting(forUndoOf: path) : error.leaving(.untouched) }
    removeStale(steps.map(\.place) + [path])
    var results = try run(steps.compactMap(\.change), update, recovering: recovering) { () throws(FileError) in
      for step in steps { try requireOld(step) }
      try verify()
    }[...]
    return steps.map { step in
      (step.change == nil ? nil : results.popFirst())
        ?? FileResult(
          path: step.path, strategy: .none, sizeBefore: step.file.oldSize, sizeAfter: step.file.oldSize)
    }
  }

  private func prepare(
    _ file: UndoRecord.File, in folder: String, recovering: Bool, _ sources: inout LockedSources
  ) throws(FileError) -> UndoStep {
    let path = Path.joined(folder, file.path)
    let target = try Target(of: path, in: fileSystem)
    let (source, notes) = try sources.open(
      path, writing: file.change == .inPlace, isCopied: target.linkText != nil)
    var step = UndoStep(file: file, path: path, place: target.place)
    let edits: EditList
    switch try file.condition(of: source, at: target, mayBeTorn: recovering) {
    case .old: return step
    case .changed: throw .changedSincePatch(path)
    case .new: edits = file.edits.inverse
    case .torn(let repair): edits = repair
    }
    let kind: PreparedChange.Kind
    switch file.change {
    case .inPlace: kind = .overwrite
    case .replaced: kind = .replace
    case .replacedLink(let text):
      try requireOldBlob(file, linkedFrom: path, by: text)
      kind = .link(text)
    }
    step.change = PreparedChange(
      path, at: target.place, source: source, edits: edits, kind: kind,
      strategy: kind == .overwrite ? .inPlace : strategy(forReplacing: source.size), mode: file.mode, notes: notes)
    return step
  }

  /// A link is put back only when it leads to the old bytes: a store may have been cleaned up since.
  private func requireOldBlob(_ file: UndoRecord.File, linkedFrom path: String, by text: String) throws(FileError) {
    let blob = try FileSource(Path.joined(Path.folder(of: path), text), in: fileSystem)
    guard case .old = try file.condition(of: blob, mayBeTorn: false) else { throw .changedSincePatch(blob.path) }
  }

  private func requireOld(_ step: UndoStep) throws(FileError) {
    let source = try FileSource(step.path, in: fileSystem)
    guard case .old = try step.file.condition(of: source, mayBeTorn: false) else { throw .readBackDiffers(step.path) }
  }
}

/// One file of the step that is undone.
private struct UndoStep {
  var file: UndoRecord.File
  var path: String
  /// See ``Target/place``.
  var place: String
  /// `nil` when the file has its old bytes.
  var change: PreparedChange?
}

/// What stands in a file that a recorded change is about.
private enum Condition {
  case old, new, changed
  /// Changed in place in part; the edits lead to the old bytes.
  case torn(EditList)
}

extension UndoRecord.File {
  /// As below, for the file at a name that may have become a link, or a link no more.
  fileprivate func condition(of source: FileSource, at target: Target, mayBeTorn: Bool) throws(FileError) -> Condition {
    let condition = try condition(of: source, mayBeTorn: mayBeTorn)
    switch (change, condition) {
    case (.replacedLink(let text), .old): return target.linkText == text || target.linkText == nil ? .old : .changed
    case (.replacedLink, _): return target.linkText == nil && target.place == source.path ? condition : .changed
    default: return target.isContentAddressed ? .changed : condition
    }
  }

  fileprivate func condition(of source: FileSource, mayBeTorn: Bool) throws(FileError) -> Condition {
    let (oldEnd, newEnd) = (UndoRecord.headerEnd(of: edits), UndoRecord.headerEnd(of: edits.inverse))
    if source.size == newSize, try source.holds(edits.inverse), try source.headerDigest(upTo: newEnd) == newHeader {
      return .new
    }
    guard source.size == oldSize else { return .changed }
    if try source.holds(edits), try source.headerDigest(upTo: oldEnd) == oldHeader { return .old }
    guard mayBeTorn, change == .inPlace else { return .changed }
    var repairs: [ByteEdit] = []
    for edit in edits.edits {
      let now = try source.bytes(in: edit.offset..<edit.end)
      repairs.append(ByteEdit(at: edit.offset, expected: now, replacement: edit.expected))
    }
    let repair = EditList(repairs)
    return try source.headerDigest(repair, upTo: oldEnd) == oldHeader ? .torn(repair) : .changed
  }
}

extension FileError.Code {
  /// A changed file is not inside the undo record's folder.
  package static let outsideRecordFolder: Self = "outside-record-folder"
}

extension FileError {
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
