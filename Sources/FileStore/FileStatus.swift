/// What kind of thing a path names.
package enum FileKind: String, Sendable {
  case regular = "a regular file"
  case folder = "a folder"
  case symbolicLink = "a symbolic link"
  case pipe = "a pipe"
  case socket = "a socket"
  case device = "a device"
}

/// Enough to tell whether a file is still the one that was looked at.
package struct FileIdentity: Sendable, Equatable {
  package var device: UInt64
  package var inode: UInt64
  /// Length in bytes.
  package var size: UInt64
  /// Time of the last change of the content, in seconds since 1970.
  package var modifiedSeconds: Int64
  /// The part of that time below a second.
  package var modifiedNanoseconds: Int64

  /// Takes the values of a `stat`, or of a saved plan.
  package init(device: UInt64, inode: UInt64, size: UInt64, modifiedSeconds: Int64, modifiedNanoseconds: Int64) {
    self.device = device
    self.inode = inode
    self.size = size
    self.modifiedSeconds = modifiedSeconds
    self.modifiedNanoseconds = modifiedNanoseconds
  }

  /// Which file this is, whatever its content.
  package var place: FilePlace { FilePlace(device: device, inode: inode) }

  /// Whether both are the same file, changed or not.
  func isSameFile(as other: FileIdentity) -> Bool { place == other.place }
}

/// What two names of the same file have in common.
package struct FilePlace: Sendable, Hashable {
  var device: UInt64
  var inode: UInt64
}

/// The parts of a file's `stat` that a change looks at or keeps.
package struct FileStatus: Sendable, Equatable {
  package var kind: FileKind
  package var identity: FileIdentity
  /// Permission bits, with set-id and sticky, without the kind.
  package var mode: UInt32
  package var user: UInt32
  package var group: UInt32
  /// How many names the file has.
  package var linkCount: UInt64
}
