import Bytes
import Diagnostics

/// Edits of one file, to be made by a ``Transaction``.
package struct FileChange: Sendable {
  /// The file as the user named it; may be a symbolic link.
  package var path: String
  package var edits: EditList
  /// The file that the edits were planned for.
  package var identity: FileIdentity
  /// Where the result goes instead; no file may be there. The source stays as it is.
  package var output: String?
  /// Whether other programs must see the old or the new text and nothing between: never changed in place.
  package var atomic: Bool
  /// Whether a file with several names may be replaced under one of them.
  package var splitsHardLinks: Bool

  /// A change of a file that was just read.
  package init(
    _ source: FileSource, _ edits: EditList, output: String? = nil, atomic: Bool = false, splitsHardLinks: Bool = false
  ) {
    self.init(
      path: source.path, identity: source.identity, edits, output: output, atomic: atomic,
      splitsHardLinks: splitsHardLinks)
  }

  /// A change that was planned earlier.
  package init(
    path: String, identity: FileIdentity, _ edits: EditList, output: String? = nil, atomic: Bool = false,
    splitsHardLinks: Bool = false
  ) {
    self.path = path
    self.identity = identity
    self.edits = edits
    self.output = output
    self.atomic = atomic
    self.splitsHardLinks = splitsHardLinks
  }
}

/// How a file gets its new bytes. The raw values appear in reports.
package enum Strategy: String, Sendable {
  /// Nothing to change.
  case none
  /// The same number of bytes, written over the old ones.
  case inPlace = "in-place"
  /// Whole blocks inserted, so that the bytes behind them need not be copied, and the rest written over the old ones.
  case insertRange = "insert-range"
  /// A small file, written anew beside the old one, whose name it takes.
  case rewrite
  /// As ``rewrite``, with the bytes between the edits shared or copied by the kernel.
  case clone
}

/// What became of one file.
package struct FileResult: Sendable, Equatable {
  /// The file as the user named it, or the output.
  package var path: String
  /// How it was changed.
  package var strategy: Strategy
  /// Bytes put into the file, those that the kernel copied included.
  package var bytesWritten: UInt64 = 0
  /// Bytes outside the edits that were read back from both files and found equal; shared ones need no reading.
  package var bytesCompared: UInt64 = 0
  /// Length of the source in bytes.
  package var sizeBefore: UInt64
  /// Length of the changed file, or of the output.
  package var sizeAfter: UInt64
  /// What could not be kept, and what the user should know about other names of the file.
  package var notes: [String] = []
}

extension FileError.Code {
  /// The file is not the one that the edits were planned for.
  package static let changedSincePlanning: Self = "changed-since-planning"
  /// The file is no longer as the patch left it, so it cannot be undone.
  package static let changedSincePatch: Self = "changed-since-patch"
  /// A file whose name is the digest of its content.
  package static let contentAddressed: Self = "content-addressed"
  /// An earlier change was interrupted and waits for `yarn-patch recover`.
  package static let interrupted: Self = "interrupted"
  /// What was written does not read back.
  package static let readBackDiffers: Self = "read-back-differs"
  /// Other names of the file would keep the old bytes.
  package static let hardLinks: Self = "hard-links"
  /// One transaction would change the same file twice.
  package static let namedTwice: Self = "named-twice"
}
