import Bytes
import Diagnostics
import Glibc

/// One file on its way through a transaction: staged, published, checked, then finished or rolled back.
final class PreparedChange {
  enum Kind: Equatable {
    /// The edits are written over the old bytes, once the file has grown or shrunk so that no other byte moves.
    case overwrite(Growth?)
    /// A sibling with the edits applied takes the name.
    case replace
    /// The same, for a name that is free.
    case create
    /// A symbolic link with this text takes the name.
    case link(String)
  }

  private enum Published { case no, written, exchanged, renamed }

  /// The name that gets the new content.
  let place: String
  /// The text of the link that stands there now.
  let oldLink: String?
  /// The old bytes, locked.
  let source: FileSource
  let edits: EditList
  let kind: Kind
  /// Permission bits of the new file.
  let mode: UInt32
  private(set) var result: FileResult
  private var published = Published.no
  /// The staged file or link; after an exchange of names the old one.
  private var sibling: Sibling?

  /// - Parameter mode: `nil` keeps the source's.
  init(
    _ path: String, at place: String, oldLink: String? = nil, source: FileSource, edits: EditList, kind: Kind,
    strategy: Strategy, mode: UInt32? = nil, notes: [String] = []
  ) {
    self.place = place
    self.oldLink = oldLink
    self.source = source
    self.edits = edits
    self.kind = kind
    self.mode = mode ?? source.status.mode
    let sizes: (before: UInt64, after: UInt64)
    if case .overwrite(let growth?) = kind, edits.sizeChange < 0 {
      // The source may be torn, and then it has neither.
      sizes = (growth.newSize, growth.oldSize)
    } else {
      sizes = (source.size, UInt64(Int64(source.size) + edits.sizeChange))
    }
    result = FileResult(
      path: path, strategy: strategy, sizeBefore: sizes.before, sizeAfter: sizes.after, notes: notes)
    noteOtherNames()
  }

  /// How the undo record puts it.
  var recordedChange: UndoRecord.Change {
    if case .overwrite(let growth) = kind { return growth?.gap.map { .inserted(at: $0.offset) } ?? .inPlace }
    return oldLink.map { .replacedLink($0) } ?? .replaced
  }

  private var fileSystem: any FileSystem { source.file.fileSystem }

  /// Whether another program may have seen a change.
  var isPublished: Bool { published != .no }

  /// Gets ready, and onto the disk, all that can be without a visible change.
  func stage() throws(FileError) {
    switch kind {
    case .overwrite: result.bytesWritten = edits.edits.reduce(0) { $0 + UInt64($1.replacement.count) }
    case .replace, .create:
      let copy = try copyOfSource(edits, mode: mode)
      sibling = copy
      result.notes += copy.notes
      result.bytesCompared = copy.bytesCompared
      result.bytesWritten = result.sizeAfter - copy.bytesShared
    case .link(let text): sibling = try .link(beside: place, to: text, in: fileSystem)
    }
  }

  /// Makes the change visible and lasting.
  ///
  /// - Throws: `changedSincePlanning` when another program was at the file meanwhile, and what the calls throw.
  func publish() throws(FileError) {
    if kind != .create { try requireOld(at: place) }
    guard let sibling else {
      published = .written
      return try overwrite(edits)
    }
    // Where the file system can exchange names the old file stays as it was, and rolling back is instant.
    let isExchanged = try sibling.take(place, kind == .create ? .new : .exchanging, in: fileSystem)
    published = isExchanged && kind != .create ? .exchanged : .renamed
    try confirm()
    try fileSystem.syncFolder(of: place)
  }

  /// Makes sure that the file which lost its name is the one that was read, and still holds what it held.
  func confirm() throws(FileError) {
    if published == .exchanged, let sibling { try requireOld(at: sibling.path) }
  }

  /// - Throws: `changedSincePlanning` when something else than the source, or the link to it, stands at a path.
  private func requireOld(at path: String) throws(FileError) {
    do throws(SystemError) {
      let isOld = try fileSystem.retrying { () throws(SystemError) in
        if let oldLink { return try fileSystem.linkText(at: path) == oldLink }
        return try fileSystem.status(at: path, followingLinks: false).identity == source.identity
      }
      if isOld { return }
    } catch {
      // A file where the link was.
      if error.code != EINVAL || oldLink == nil { throw FileError(error, at: place) }
    }
    throw .changedSincePlanning(place)
  }

  /// - Throws: `changedSincePlanning` when another program has taken the name from what was staged.
  private func requireNew() throws(FileError) {
    guard let sibling else { return }
    let now = try fileSystem.attempt(at: place) { () throws(SystemError) in
      try fileSystem.status(at: place, followingLinks: false)
    }
    let isNew = try sibling.file.map { file throws(FileError) in
      try file.status().identity.isSameFile(as: now.identity)
    }
    guard isNew ?? (now.kind == .symbolicLink) else { throw .changedSincePlanning(place) }
  }

  /// Reads the new bytes back by the file's name.
  func check() throws(FileError) {
    if case .link(let text) = kind {
      let now = try fileSystem.attempt(at: place) { () throws(SystemError) in try fileSystem.linkText(at: place) }
      guard now == text else { throw .readBackDiffers(place) }
    } else {
      let written = try FileSource(place, in: fileSystem)
      guard written.size == result.sizeAfter, try written.holds(edits.inverse) else { throw .readBackDiffers(place) }
    }
  }

  /// Puts back what was published, and removes what was staged.
  func rollBack() throws(FileError) {
    switch published {
    case .no: break
    case .written:
      // A call that failed as a whole has left the old bytes, which need not be written again.
      let now = try source.file.content()
      if now.size == source.size, try now.holds(edits) { try source.file.sync() } else { try overwrite(edits.inverse) }
    case .exchanged:
      try requireNew()
      if let sibling { _ = try sibling.take(place, .exchanging, in: fileSystem) }
      try fileSystem.syncFolder(of: place)
    case .renamed:
      try requireNew()
      try restoreName()
      try fileSystem.syncFolder(of: place)
    }
    published = .no
    finish()
  }

  /// Removes the sibling: a staged file that is not wanted any more, or the old file.
  func finish() {
    guard let sibling, published != .renamed else { return }
    do throws(FileError) {
      try fileSystem.attempt(at: sibling.path) { () throws(SystemError) in try fileSystem.remove(sibling.path) }
    } catch {
      result.notes.append("\(sibling.path) could not be removed (\(error.found)); it is not needed any more")
    }
    self.sibling = nil
  }

  private func overwrite(_ edits: EditList) throws(FileError) {
    if case .overwrite(let growth?) = kind {
      if edits.sizeChange > 0 { try growth.open(in: source.file) } else { try growth.close(in: source.file) }
    }
    let wanted = edits.inverse
    for edit in wanted.edits { try source.file.write(edit.expected, at: edit.offset) }
    try source.file.sync()
    guard try source.file.content().holds(wanted) else { throw .readBackDiffers(place) }
  }

  private func copyOfSource(_ edits: EditList, mode: UInt32) throws(FileError) -> Sibling {
    try .copy(of: source, edits, beside: place, mode: mode, inKernel: result.strategy == .clone)
  }

  /// After a plain renaming the old file has no name, but `source` still holds its bytes.
  private func restoreName() throws(FileError) {
    if kind == .create {
      return try fileSystem.attempt(at: place) { () throws(SystemError) in try fileSystem.remove(place) }
    }
    let old: Sibling =
      if let oldLink { try .link(beside: place, to: oldLink, in: fileSystem) } else {
        try copyOfSource(EditList([]), mode: source.status.mode)
      }
    do throws(FileError) { _ = try old.take(place, .replacing, in: fileSystem) } catch {
      try? fileSystem.remove(old.path)
      throw error
    }
    sibling = nil
  }

  private func noteOtherNames() {
    guard source.status.linkCount > 1 else { return }
    let others = source.status.linkCount - 1
    switch kind {
    case .overwrite: result.notes.append("\(others) other name(s) of the file (hard links) changed with it")
    case .replace where oldLink == nil:
      result.notes.append("\(others) other name(s) of the file (hard links) keep the old bytes")
    default: break
    }
  }
}

extension FileSystem {
  /// - Throws: `alreadyExists` when anything has the name.
  func requireFree(_ path: String) throws(FileError) {
    do throws(SystemError) {
      _ = try retrying { () throws(SystemError) in try status(at: path, followingLinks: false) }
      throw SystemError("rename", EEXIST)
    } catch {
      if error.code != ENOENT { throw FileError(error, at: path) }
    }
  }
}

extension FileError {
  package static func changedSincePlanning(_ path: String) -> FileError {
    FileError(
      .changedSincePlanning, at: SourceLocation(path: path), found: "the file has changed since the edits were planned",
      expected: "the file that was read", remedy: "run the command again")
  }
}
