import Diagnostics

extension FileSystem {
  /// Puts a file with these bytes under a name in one step: whoever looks finds the whole file or the former one.
  ///
  /// - Parameter replacing: Whether a file that has the name loses it; otherwise the name must be free.
  /// - Throws: `alreadyExists`, `readBackDiffers`, and the codes of the system's calls; nothing is left behind then.
  package func put(_ bytes: [UInt8], at path: String, replacing: Bool) throws(FileError) {
    let sibling = try Sibling.file(holding: bytes, beside: path, in: self)
    do throws(FileError) { _ = try sibling.take(path, replacing ? .replacing : .new, in: self) } catch {
      try? remove(sibling.path)
      throw error
    }
    try syncFolder(of: path)
  }
}
