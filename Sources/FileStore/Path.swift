/// Paths as text; nothing here asks the file system.
///
/// Slashes are looked for among the bytes, as the system does: before a combining mark one is no character of its own.
package enum Path {
  private static let slash = UInt8(ascii: "/")

  /// The folder that holds the path's last component: `.` for a bare name.
  package static func folder(of path: String) -> String {
    let path = withoutTrailingSlashes(path)
    guard let slash = path.utf8.lastIndex(of: slash) else { return "." }
    return slash == path.startIndex ? "/" : withoutTrailingSlashes(String(path[..<slash]))
  }

  /// The path's last component.
  package static func name(of path: String) -> String {
    let path = withoutTrailingSlashes(path)
    return path.utf8.lastIndex(of: slash).map { String(path[path.utf8.index(after: $0)...]) } ?? path
  }

  package static func joined(_ folder: String, _ name: String) -> String {
    if name.utf8.first == slash || folder == "." { return name }
    return folder.utf8.last == slash ? folder + name : "\(folder)/\(name)"
  }

  /// The path as seen from the folder, or `nil` when it does not lead downwards from there.
  package static func relative(_ path: String, to folder: String) -> String? {
    guard (path.utf8.first == slash) == (folder.utf8.first == slash) else { return nil }
    let (parts, base) = (components(of: path), components(of: folder))
    let rest = parts.dropFirst(base.count)
    guard parts.starts(with: base), !rest.isEmpty, !rest.contains("..") else { return nil }
    return rest.joined(separator: "/")
  }

  static func components(of path: String) -> [Substring] {
    path.utf8.split(separator: slash).map { Substring($0) }.filter { $0 != "." }
  }

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
    guard path.utf8.count > 1, path.utf8.last == slash else { return path }
    var path = path[...]
    while path.utf8.count > 1, path.utf8.last == slash { path = Substring(path.utf8.dropLast()) }
    return String(path)
  }
}
