import Bytes
import Diagnostics
import Glibc

/// A new file or link beside the one whose name it is to take, `.model.gguf.yarn-patch.1234`, hidden and ours alone.
struct Sibling {
  /// Where it is now.
  let path: String
  /// `nil` for a link.
  var file: OpenFile?
  /// What could not be kept.
  var notes: [String] = []
  /// See ``FileResult/bytesCompared``.
  var bytesCompared: UInt64 = 0
  /// Bytes in blocks that the source holds too.
  var bytesShared: UInt64 = 0

  /// A copy of the source with the edits applied, its mode, owner and extended attributes: on the disk and compared.
  static func copy(
    of source: FileSource, _ edits: EditList, beside place: String, mode: UInt32, inKernel: Bool
  ) throws(FileError) -> Sibling {
    let fileSystem = source.file.fileSystem
    return try filled(beside: place, permissions: 0o600, in: fileSystem) { file, sibling throws(FileError) in
      let shared = try file.fill(from: source, edits, inKernel: inKernel)
      sibling.notes = try file.takeAttributes(of: source, mode: mode)
      try file.sync()
      sibling.bytesCompared = try file.compare(with: source, edits, except: shared)
      sibling.bytesShared = shared.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) }
    }
  }

  /// A file with these bytes: on the disk and read back.
  static func file(holding bytes: [UInt8], beside place: String, in fileSystem: any FileSystem) throws(FileError)
    -> Sibling
  {
    try filled(beside: place, permissions: 0o666, in: fileSystem) { file, _ throws(FileError) in
      try file.write(bytes, at: 0)
      try file.sync()
      guard try file.content().bytes(in: 0..<UInt64(bytes.count)) == bytes else { throw .readBackDiffers(place) }
    }
  }

  static func link(beside place: String, to text: String, in fileSystem: any FileSystem) throws(FileError) -> Sibling {
    let (path, _) = try make(beside: place, in: fileSystem) { path throws(SystemError) in
      try fileSystem.makeLink(at: path, to: text)
    }
    return Sibling(path: path)
  }

  /// Takes the name that it was made for.
  ///
  /// - Returns: `false` when the file system knows nothing but replacing, and the old file has lost its name.
  func take(_ place: String, _ renaming: Renaming, in fileSystem: any FileSystem) throws(FileError) -> Bool {
    do throws(SystemError) {
      try fileSystem.retrying { () throws(SystemError) in try fileSystem.rename(path, to: place, renaming) }
      return true
    } catch {
      guard [EINVAL, ENOSYS, EOPNOTSUPP].contains(error.code) else { throw FileError(error, at: place) }
    }
    if renaming == .new { try fileSystem.requireFree(place) }
    try fileSystem.attempt(at: place) { () throws(SystemError) in
      try fileSystem.rename(path, to: place, .replacing)
    }
    return false
  }

  /// Errors name `place`, which the user knows. Leaves nothing behind when filling fails.
  private static func filled(
    beside place: String, permissions: UInt32, in fileSystem: any FileSystem,
    by fill: (OpenFile, inout Sibling) throws(FileError) -> Void
  ) throws(FileError) -> Sibling {
    let (path, descriptor) = try make(beside: place, in: fileSystem) { path throws(SystemError) in
      try fileSystem.open(path, .create(permissions: permissions))
    }
    let file = OpenFile(descriptor, path: place, in: fileSystem)
    var sibling = Sibling(path: path, file: file)
    do throws(FileError) {
      // From the renaming on this is the file that another process finds.
      _ = try file.lock()
      try fill(file, &sibling)
    } catch {
      try? fileSystem.remove(path)
      throw error
    }
    return sibling
  }

  private static func make<T>(
    beside place: String, in fileSystem: any FileSystem, _ make: (String) throws(SystemError) -> T
  ) throws(FileError) -> (String, T) {
    var attempt = 0
    while true {
      let suffix = attempt == 0 ? "" : "-\(attempt)"
      let path = Path.joined(Path.folder(of: place), "\(prefix(for: place))\(getpid())\(suffix)")
      do throws(SystemError) {
        return (path, try fileSystem.retrying { () throws(SystemError) in try make(path) })
      } catch {
        attempt += 1
        guard error.code == EEXIST, attempt < 100 else { throw FileError(error, at: place) }
      }
    }
  }

  private static func prefix(for place: String) -> String { ".\(cut(Path.name(of: place)))\(infix)" }

  private static let infix = ".yarn-patch."

  /// A name has at most 255 bytes on the usual file systems; what is added needs about 30 of them.
  static func cut(_ name: String) -> String { String(decoding: name.utf8.prefix(200), as: UTF8.self) }

  /// The name that a sibling was to take, as far as ``cut(_:)`` leaves it; `nil` when this is no sibling's name.
  static func fileName(from name: String) -> String? {
    guard name.hasPrefix("."), let separator = name.ranges(of: infix).last else { return nil }
    let numbers = name[separator.upperBound...].split(separator: "-", omittingEmptySubsequences: false)
    let areNumbers = numbers.allSatisfy { number in
      !number.isEmpty && number.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }
    guard areNumbers, numbers.count <= 2 else { return nil }
    let fileName = name[..<separator.lowerBound].dropFirst()
    return fileName.isEmpty ? nil : String(fileName)
  }

  /// Removes what processes that died have left beside `place`: a lost copy of a model takes much room.
  ///
  /// Nothing needs them, also after a crash: a name leads to the old file or the new one, and either is enough for the
  /// other. Only for the holder of the lock on the file at `place`; a sibling in use is locked too, and left alone.
  /// Nothing depends on the removal, so errors are no concern.
  static func removeStale(beside place: String, in fileSystem: any FileSystem) {
    let folder = Path.folder(of: place)
    guard let names = try? fileSystem.names(in: folder) else { return }
    for name in names where fileName(from: name) == cut(Path.name(of: place)) {
      let path = Path.joined(folder, name)
      if isLink(path, in: fileSystem) || lock(path, in: fileSystem) != nil { try? fileSystem.remove(path) }
    }
  }

  /// Locks a sibling that is a file; `nil` for one in use.
  static func lock(_ path: String, in fileSystem: any FileSystem) -> FileSource? {
    guard let file = try? FileSource(path, .entry(writing: false), in: fileSystem), (try? file.file.lock()) == true
    else { return nil }
    return file
  }

  private static func isLink(_ path: String, in fileSystem: any FileSystem) -> Bool {
    (try? fileSystem.status(at: path, followingLinks: false).kind) == .symbolicLink
  }
}
