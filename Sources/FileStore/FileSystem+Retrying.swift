import Diagnostics
import Glibc

extension FileSystem {
  /// Makes a call again for as long as a signal interrupts it.
  func retrying<T>(_ call: () throws(SystemError) -> T) throws(SystemError) -> T {
    while true {
      do throws(SystemError) { return try call() } catch {
        if error.code != EINTR { throw error }
      }
    }
  }

  /// Makes a call for the file that errors shall name.
  func attempt<T>(at path: String, _ call: () throws(SystemError) -> T) throws(FileError) -> T {
    do throws(SystemError) { return try retrying(call) } catch { throw FileError(error, at: path) }
  }

  /// Waits until the folder's names are on the disk. A renaming survives a power cut from then on.
  func syncFolder(of path: String) throws(FileError) {
    let folder = try OpenFile(Path.folder(of: path), .folder, in: self)
    // Some network file systems answer that a folder is not something to sync; they need no such call.
    do throws(SystemError) { try retrying { () throws(SystemError) in try sync(folder.descriptor) } } catch {
      if error.code != EINVAL { throw FileError(error, at: path) }
    }
  }
}

extension FileError.Code {
  /// The system could not do it, and none of the more exact codes fits.
  package static let ioError: Self = "io-error"
  /// A file or a folder on the way to it does not exist.
  package static let notFound: Self = "not-found"
  /// Something has the name that a new file should get.
  package static let alreadyExists: Self = "already-exists"
  /// The user has no right to it.
  package static let permissionDenied: Self = "permission-denied"
  /// A folder where a file is needed.
  package static let isADirectory: Self = "is-a-directory"
  /// The disk or the user's share of it is full.
  package static let noSpace: Self = "no-space"
  /// The file system cannot be written.
  package static let readOnly: Self = "read-only-file-system"
  /// Another process holds the file.
  package static let busy: Self = "busy"
}

extension FileError {
  /// Keeps the call's name, the errno and its text.
  init(_ error: SystemError, at path: String) {
    let (code, expected, remedy) = Self.meaning(of: error.code)
    let text = String(cString: strerror(error.code))
    self.init(
      code, at: SourceLocation(path: path), found: "\(error.call) failed: \(text) (errno \(error.code))",
      expected: expected, remedy: remedy)
  }

  private static func meaning(of errno: Int32) -> (Code, expected: String, remedy: String) {
    switch errno {
    case ENOENT, ENOTDIR: (.notFound, "an existing file or folder", "check the path")
    case EEXIST: (.alreadyExists, "a name that is free", "choose another name, or move the existing file away")
    case EACCES, EPERM:
      (.permissionDenied, "the permission to do so", "change the permissions, or write elsewhere with --output")
    case EISDIR: (.isADirectory, "a regular file", "name a file inside the folder")
    case ENOSPC, EDQUOT: (.noSpace, "room on the disk", "free some space and run the command again")
    case EROFS: (.readOnly, "a file system that can be written", "write elsewhere with --output")
    case EWOULDBLOCK, EBUSY, ETXTBSY:
      (.busy, "a file that no other process holds", "let the other process finish and run the command again")
    default: (.ioError, "the call to succeed", "check the disk and the path, and run the command again")
    }
  }
}
