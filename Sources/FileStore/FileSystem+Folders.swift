import Diagnostics

extension FileSystem {
  /// What a path leads to, links followed.
  package func kind(at path: String) throws(FileError) -> FileKind {
    try target(of: path).kind
  }

  /// What stands where a path leads to, links followed.
  package func target(of path: String) throws(FileError) -> FileStatus {
    try attempt(at: path) { () throws(SystemError) in try status(at: path, followingLinks: true) }
  }

  /// The names in a folder, in no order.
  package func names(in folder: String) throws(SystemError) -> [String] { try entries(of: folder).map(\.name) }

  /// What stands in a folder, in no order.
  package func entries(at folder: String) throws(FileError) -> [FolderEntry] {
    try attempt(at: folder) { () throws(SystemError) in try entries(of: folder) }
  }

  /// The names in a folder, in order.
  package func sortedNames(in folder: String) throws(FileError) -> [String] {
    try entries(at: folder).map(\.name).sorted()
  }

  /// Makes a folder that must not exist yet.
  package func createFolder(_ path: String) throws(FileError) {
    try attempt(at: path) { () throws(SystemError) in try makeFolder(path) }
  }

  /// A path as a file in another folder names it: relative, upwards with `..`, or absolute when the two have nothing but
  /// the root in common.
  package func path(_ path: String, seenFrom folder: String) throws(FileError) -> String {
    let name = Path.name(of: path)
    // Links on the way are followed, or `..` would lead elsewhere; one at the end stays what the user named.
    let place =
      [".", ".."].contains(name) ? try real(path) : Path.joined(try real(Path.folder(of: path)), name)
    let (parts, base) = (Path.components(of: place), Path.components(of: try real(folder)))
    let shared = zip(parts, base).prefix { $0 == $1 }.count
    if shared == 0 { return place }
    let steps = repeatElement("..", count: base.count - shared) + parts[shared...]
    return steps.isEmpty ? "." : steps.joined(separator: "/")
  }

  /// Where a change of a file shows: the file itself, or the one that a link leads to, by its absolute path. A link into a
  /// store of blobs is replaced itself.
  package func changedPlace(of path: String) throws(FileError) -> String { try Target(of: path, in: self).place }

  /// The absolute path without any symbolic link.
  package func real(_ path: String) throws(FileError) -> String {
    try attempt(at: path) { () throws(SystemError) in try realPath(of: path) }
  }
}
