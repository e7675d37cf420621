import Bytes
import Diagnostics
import FileStore

/// What the `.gitignore` files of a folder and of those above it say about names in the folder.
final class IgnoreRules {
  /// A larger file is no list that a person wrote, and each name in the tree is held against each line.
  static let maximumSize: UInt64 = 256 << 10

  private let patterns: [IgnorePattern]
  /// The folder's name in the folder above.
  private let name: [UInt8]
  private let outer: IgnoreRules?

  /// - Parameters:
  ///   - text: The folder's own `.gitignore`, empty where it has none.
  ///   - outer: The rules of the folder above; `nil` at the top of a repository.
  init(_ text: [UInt8], in name: String, below outer: IgnoreRules?) {
    // Windows editors leave a byte-order mark and carriage returns.
    let text = text.starts(with: [0xef, 0xbb, 0xbf]) ? text[3...] : text[...]
    patterns = text.split(separator: UInt8(ascii: "\n")).compactMap { line in
      IgnorePattern(line: line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
    }
    self.name = Array(name.utf8)
    self.outer = outer
  }

  /// Whether git would pass over a name in the folder, which it does not pass over itself.
  ///
  /// The last line that matches decides, in the innermost file that has one. A link is no folder.
  func ignore(_ entry: String, isFolder: Bool) -> Bool {
    var path = [Array(entry.utf8)]
    var rules: IgnoreRules? = self
    while let current = rules {
      if let pattern = current.patterns.last(where: { $0.matches(path[...], isFolder: isFolder) }) {
        return !pattern.isNegated
      }
      path.insert(current.name, at: 0)
      rules = current.outer
    }
    return false
  }
}

extension FileSystem {
  /// The rules that hold in a folder from above: those between it and the top of the repository that it stands in.
  ///
  /// - Parameter path: An absolute path without links.
  /// - Returns: `nil` when the folder stands in no repository.
  func ignoreRules(above path: String) throws(FileError) -> IgnoreRules? {
    var folders: [String] = []
    var folder = path
    repeat {
      guard folder != "/" else { return nil }
      folder = Path.folder(of: folder)
      folders.append(folder)
    } while (try? status(at: Path.joined(folder, ".git"), followingLinks: false)) == nil
    var rules: IgnoreRules?
    for folder in folders.reversed() {
      rules = IgnoreRules(try ignoreText(in: folder), in: Path.name(of: folder), below: rules)
    }
    return rules
  }

  /// The folder's `.gitignore`, empty when there is none. Like git, this does not follow a link of that name.
  ///
  /// - Throws: `io-error` for a file larger than ``IgnoreRules/maximumSize``, and the codes of reading.
  func ignoreText(in folder: String) throws(FileError) -> [UInt8] {
    let path = Path.joined(folder, ".gitignore")
    guard (try? status(at: path, followingLinks: false))?.kind == .regular else { return [] }
    let source = try FileSource(path, in: self)
    guard source.size <= IgnoreRules.maximumSize else {
      throw FileError(
        .ioError, at: SourceLocation(path: path), found: "the file has \(source.size) bytes",
        expected: "at most \(IgnoreRules.maximumSize)", remedy: "check that this is a list of patterns")
    }
    return try source.bytes(in: 0..<source.size)
  }
}
