/// Paths as text; nothing here asks the file system.
package enum Path {
  /// The folder that holds the path's last component: `.` for a bare name.
  package static func folder(of path: String) -> String {
    let path = withoutTrailingSlashes(path)
    guard let slash = path.utf8.lastIndex(of: separator) else { return "." }
    return slash == path.startIndex ? "/" : withoutTrailingSlashes(String(path[..<slash]))
  }

  /// The path's last component.
  package static func name(of path: String) -> String {
    let path = withoutTrailingSlashes(path)
    return path.utf8.lastIndex(of: separator).map { String(path[path.utf8.index(after: $0)...]) } ?? path
  }

  package static func joined(_ folder: String, _ name: String) -> String {
    if name.hasPrefix("/") || folder == "." { return name }
    return folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
  }

  /// The path as seen from the folder, or `nil` when it does not lead downwards from there.
  package static func relative(_ path: String, to folder: String) -> String? {
    guard path.hasPrefix("/") == folder.hasPrefix("/") else { return nil }
    let (parts, base) = (components(of: path), components(of: folder))
    let rest = parts.dropFirst(base.count)
    guard parts.starts(with: base), !rest.isEmpty, !rest.contains("..") else { return nil }
    return rest.joined(separator: "/")
  }

  static func components(of path: String) -> [Substring] { path.split(separator: "/").filter { $0 != "." } }

  /// Whether the bytes of one path come before those of another; no two paths are equal in this order.
  package static func precedes(_ path: String, _ other: String) -> Bool {
    // Asks for the storage once instead of for each byte.
    let precedes = path.utf8.withContiguousStorageIfAvailable { bytes in
      other.utf8.withContiguousStorageIfAvailable { bytes.lexicographicallyPrecedes($0) }
    }
    return (precedes ?? nil) ?? path.utf8.lexicographicallyPrecedes(other.utf8)
  }

  /// The path as it stands before the names of what is in the folder.
  package static func withoutTrailingSlashes(_ path: String) -> String {
    var rest = path.utf8[...]
    while rest.count > 1, rest.last == separator { rest.removeLast() }
    return rest.endIndex == path.endIndex ? path : String(path[..<rest.endIndex])
  }

  // Bytes are looked at, not characters: a slash separates names whatever mark follows it.
  private static let separator = UInt8(ascii: "/")
}
