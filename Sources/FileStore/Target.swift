import Diagnostics

/// Which name a change puts its new bytes under.
struct Target: Equatable {
  /// The file itself, the file that a link leads to, or a link that leads to a content-addressed file.
  var place: String
  /// The text of the link that stands at `place`.
  var linkText: String?
  /// Whether the bytes belong to a store where the name is the digest of the content.
  var isContentAddressed: Bool

  /// Follows symbolic links, but not into a content-addressed store: a store must never hold other bytes than a name
  /// says, so there the link is what a change replaces.
  init(of path: String, in fileSystem: any FileSystem) throws(FileError) {
    let real = try fileSystem.attempt(at: path) { () throws(SystemError) in try fileSystem.realPath(of: path) }
    let isLink = try fileSystem.attempt(at: path) { () throws(SystemError) in
      try fileSystem.status(at: path, followingLinks: false).kind == .symbolicLink
    }
    isContentAddressed = Self.isContentAddressed(real)
    place = isLink && !isContentAddressed ? real : path
    if isLink, isContentAddressed {
      linkText = try fileSystem.attempt(at: path) { () throws(SystemError) in try fileSystem.linkText(at: path) }
    }
  }

  /// The stores in use: Hugging Face (`blobs/` with 40 or 64 hexadecimal digits), Ollama (`blobs/sha256-` and 64).
  static func isContentAddressed(_ realPath: String) -> Bool {
    let name = Path.name(of: realPath)
    let digits = name.hasPrefix("sha256-") ? name.dropFirst(7) : name[...]
    let isDigest = digits.utf8.count == 64 || digits.utf8.count == 40 && digits.startIndex == name.startIndex
    return Path.name(of: Path.folder(of: realPath)) == "blobs" || isDigest && digits.allSatisfy(\.isHexDigit)
  }

  /// A blob named directly can be read, but only written elsewhere.
  func requireWritable(_ path: String) throws(FileError) {
    guard isContentAddressed, linkText == nil else { return }
    // No link of Ollama's store leads to its blobs.
    let remedy =
      Path.name(of: path).hasPrefix("sha256-")
      ? "write the result elsewhere with --output; `ollama create` takes it in, named by FROM in a Modelfile"
      : "name the link in the snapshot folder, or write the result elsewhere with --output"
    throw FileError(
      .contentAddressed, at: SourceLocation(path: path),
      found: "this file belongs to a store that names files by the digest of their content",
      expected: "a link to it, or a file outside the store",
      remedy: remedy)
  }
}
