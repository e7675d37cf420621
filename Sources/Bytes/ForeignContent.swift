import Diagnostics

extension FileError.Code {
  /// A Git LFS pointer stands where the file itself should be.
  package static let gitLFSPointer: Self = "git-lfs-pointer"
  /// A web page was saved under the file's name.
  package static let html: Self = "html"
}

/// What a failed download left in place of a model file, recognised by the first bytes.
///
/// - Parameter start: The file's beginning; a few hundred bytes are enough.
/// - Returns: The error to throw, or `nil` when the bytes are neither a Git LFS pointer nor a web page.
package func foreignContent(_ start: [UInt8], path: String) -> FileError? {
  let text = start.drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a || $0 == 0x0d }.prefix(16)
  guard text.first == UInt8(ascii: "v") || text.first == UInt8(ascii: "<") else { return nil }
  if start.starts(with: "version https://git-lfs.github.com/spec/v1".utf8) {
    return FileError(
      .gitLFSPointer, at: SourceLocation(path: path, byteOffset: 0),
      found: "the file is a Git LFS pointer", expected: "the file it points to",
      remedy: "run `git lfs pull` in the model's repository, or download the file itself")
  }
  let lowercased = text.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 | 0x20 : $0 }
  guard lowercased.starts(with: "<!doctype".utf8) || lowercased.starts(with: "<html".utf8) else { return nil }
  return FileError(
    .html, at: SourceLocation(path: path, byteOffset: 0),
    found: "the file is a web page", expected: "the model file",
    remedy: "download the raw file; pages for logging in or for viewing a file are often saved instead")
}
