import Glibc

@testable import FileStore

/// A folder of its own for one test, removed with everything in it at the end.
final class TemporaryFolder {
  let path: String
  private let fileSystem = POSIXFileSystem()

  /// - Parameter inMemory: Prefers Linux's shared memory, for tests of thousands of runs: a disk flushes files that are
  ///   renamed over others, and every run would wait for it.
  init(inMemory: Bool = false) {
    let disk = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    let base = inMemory && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : disk
    var template = Array("\(base)/yarn-patch-tests-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { preconditionFailure("no temporary folder in \(base)") }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }

  deinit { remove(path) }

  subscript(name: String) -> String { "\(path)/\(name)" }

  func makeFolder(_ name: String) throws { try fileSystem.makeFolder(self[name]) }

  func link(_ name: String, to text: String) throws {
    unlink(self[name])
    try fileSystem.makeLink(at: self[name], to: text)
  }

  /// Makes a regular file hold these bytes.
  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let kind = try? fileSystem.status(at: self[name], followingLinks: false).kind
    if kind == .symbolicLink { unlink(self[name]) }
    let mode = kind == .regular ? OpenMode.readWrite : .create(permissions: 0o644)
    let file = try OpenFile(self[name], mode, in: fileSystem)
    try file.write(bytes, at: 0)
    ftruncate(file.descriptor, off_t(bytes.count))
    return self[name]
  }

  /// Removes all files but those wanted.
  func empty(_ folder: String = "", except isWanted: (String) -> Bool) {
    for name in names(folder) {
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      let kind = try? fileSystem.status(at: self[path], followingLinks: false).kind
      if kind == .folder { empty(path, except: isWanted) } else if !isWanted(path) { unlink(self[path]) }
    }
  }

  func overwrite(_ name: String, _ bytes: [UInt8], at offset: UInt64) throws {
    try OpenFile(self[name], .readWrite, in: fileSystem).write(bytes, at: offset)
  }

  func bytes(_ name: String) throws -> [UInt8] {
    let source = try FileSource(self[name])
    return try source.bytes(in: 0..<source.size)
  }

  func names(_ folder: String = "") -> [String] { ((try? fileSystem.names(in: self[folder])) ?? []).sorted() }

  /// Every file's bytes and every link's text below a folder, by path; our own records and siblings are left out.
  func snapshot(_ folder: String = "") -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for name in names(folder) where !name.contains(".yarn-patch") {
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      switch try? fileSystem.status(at: self[path], followingLinks: false).kind {
      case .folder: result.merge(snapshot(path)) { old, _ in old }
      case .symbolicLink: result[path] = Array("-> \((try? fileSystem.linkText(at: self[path])) ?? "?")".utf8)
      default: result[path] = (try? bytes(path)) ?? Array("unreadable".utf8)
      }
    }
    return result
  }

  /// The staged files and links that were left anywhere below a folder.
  func leftovers(_ folder: String = "") -> [String] {
    names(folder).flatMap { name in
      let path = folder.isEmpty ? name : "\(folder)/\(name)"
      let kind = try? fileSystem.status(at: self[path], followingLinks: false).kind
      return kind == .folder ? leftovers(path) : name.contains(".yarn-patch.") ? [path] : []
    }
  }

  private func remove(_ path: String) {
    if (try? fileSystem.status(at: path, followingLinks: false).kind) == .folder {
      for name in (try? fileSystem.names(in: path)) ?? [] { remove("\(path)/\(name)") }
      rmdir(path)
    } else {
      unlink(path)
    }
  }
}
