import Diagnostics

extension Transaction {
  /// Takes prepared changes through all phases.
  ///
  /// - Parameter recovering: Whether the files were left by a crash. Then there is nothing good to roll back to, and the
  ///   pending record stays for the next try.
  func run(
    _ changes: [PreparedChange], _ update: RecordUpdate?, recovering: Bool = false,
    verify: () throws(FileError) -> Void
  ) throws(FileError) -> [FileResult] {
    do throws(FileError) {
      for change in changes { try change.stage() }
      try update?.begin()
      for change in changes { try change.publish() }
      for change in changes { try change.check() }
      try verify()
      for change in changes { try change.confirm() }
      try update?.commit()
    } catch {
      if recovering, let update {
        for change in changes where !change.isPublished { change.finish() }
        throw error.waiting(forRecoveryOf: update.path)
      }
      throw rollBack(changes, update, after: error)
    }
    for change in changes { change.finish() }
    return changes.map(\.result)
  }

  /// See ``Sibling/removeStale(beside:in:)``.
  func removeStale(_ places: [String]) {
    for place in places { Sibling.removeStale(beside: place, in: fileSystem) }
  }

  /// Takes everything back, the last change first.
  ///
  /// - Returns: The error that led here, with the state that the files are in now.
  private func rollBack(_ changes: [PreparedChange], _ update: RecordUpdate?, after error: FileError) -> FileError {
    let state = changes.contains(where: \.isPublished) ? FileError.State.restored : .untouched
    var failure: FileError?
    for change in changes.reversed() {
      do throws(FileError) { try change.rollBack() } catch { failure = failure ?? error }
    }
    if failure == nil {
      do throws(FileError) { try update?.abandon() } catch { failure = error }
    }
    guard let failure else { return error.leaving(state) }
    var error = error
    error.found += "; then taking the change back failed: \(failure.location.path): \(failure.found)"
    if let update { return error.waiting(forRecoveryOf: update.path) }
    // All changes went to outputs, whole files which only could not be removed.
    error.remedy = "remove \(failure.location.path); then \(error.remedy)"
    return error.leaving(.untouched)
  }
}

extension FileError {
  func leaving(_ state: State) -> FileError {
    var error = self
    error.state = state
    return error
  }

  func waiting(forRecoveryOf record: String) -> FileError {
    var error = leaving(.waitingForRecovery)
    error.remedy = """
      run `yarn-patch recover \(UndoRecord.model(of: record))`, which puts the old content back from \(record); \
      then \(remedy)
      """
    return error
  }

  /// What keeps an interrupted change from being ended.
  func blocking(recoveryOf record: String) -> FileError {
    var error = leaving(.waitingForRecovery)
    error.remedy += "; then run `yarn-patch recover \(UndoRecord.model(of: record))` again, or, "
    error.remedy += "if no patch of yours is known, move \(record) away"
    return error
  }

  /// An earlier change left its record pending.
  static func interrupted(record: String) -> FileError {
    FileError(
      .interrupted, at: SourceLocation(path: record), found: "an earlier change was interrupted",
      expected: "files that no change is waiting for", remedy: "try again"
    ).waiting(forRecoveryOf: record)
  }
}
