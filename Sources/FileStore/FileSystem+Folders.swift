import Diagnostics

extension FileSystem {
  /// What a path leads to, links followed.
  package func kind(at path: String) throws(FileError) -> FileKind {
    try attempt(at: path) { () throws(SystemError) in try status(at: path, followingLinks: true).kind }
  }

  /// The names in a folder, in order.
  package func sortedNames(in folder: String) throws(FileError) -> [String] {
    try attempt(at: folder) { () throws(SystemError) in try names(in: folder) }.sorted()
  }

  /// Makes a folder that must not exist yet.
  package func createFolder(_ path: String) throws(FileError) {
    try attempt(at: path) { () throws(SystemError) in try makeFolder(path) }
  }
}
