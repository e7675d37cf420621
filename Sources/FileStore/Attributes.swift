import Diagnostics
import Glibc

extension OpenFile {
  /// Gives the file the source's owner and extended attributes, and a mode.
  ///
  /// - Returns: A note for each that the user has no right to keep or the file system has no room for.
  func takeAttributes(of source: FileSource, mode: UInt32) throws(FileError) -> [String] {
    let (old, new) = (source.status, try status())
    var notes: [String] = []
    // The owner first: a change of owner takes set-id bits and capabilities away.
    if (old.user, old.group) != (new.user, new.group) {
      notes += try tolerating("the owner \(old.user):\(old.group)") { () throws(SystemError) in
        try fileSystem.setOwner(of: descriptor, user: old.user, group: old.group)
      }
    }
    notes += try tolerating("some extended attributes") { () throws(SystemError) in
      try fileSystem.copyExtendedAttributes(of: source.file.descriptor, to: descriptor)
    }
    notes += try tolerating("the mode \(String(mode, radix: 8))") { () throws(SystemError) in
      try fileSystem.setMode(of: descriptor, mode)
    }
    return notes
  }

  private func tolerating(_ what: String, _ call: () throws(SystemError) -> Void) throws(FileError) -> [String] {
    do throws(SystemError) {
      try fileSystem.retrying(call)
      return []
    } catch {
      guard [EPERM, EACCES, EOPNOTSUPP].contains(error.code) else { throw FileError(error, at: path) }
      return ["could not keep \(what): \(String(cString: strerror(error.code)))"]
    }
  }
}
