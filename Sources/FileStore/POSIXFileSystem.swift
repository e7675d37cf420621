import CSystem
import Glibc

/// The real file system.
package struct POSIXFileSystem: FileSystem {
  package init() {}

  package func open(_ path: String, _ mode: OpenMode) throws(SystemError) -> Int32 {
    try check("open", Glibc.open(path, mode.flags, mode.permissions))
  }
  package func close(_ file: Int32) throws(SystemError) { try check("close", Glibc.close(file)) }
  package func read(_ file: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SystemError)
    -> Int
  {
    // Memory for a large header is new; in pages of 2 MiB the system gives it in a fraction of the time. A hint only.
    if buffer.count >= 4 << 20, let start = buffer.baseAddress?.alignedUp(toMultipleOf: 1 << 12) {
      _ = madvise(start, buffer.count - (1 << 12), MADV_HUGEPAGE)
    }
    return try check("pread", pread(file, buffer.baseAddress, buffer.count, off_t(clamping: offset)))
  }
  package func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) -> Int {
    try check("pwrite", pwrite(file, bytes.baseAddress, bytes.count, off_t(clamping: offset)))
  }
  package func copy(_ count: Int, of source: Int32, at start: UInt64, to file: Int32, at offset: UInt64)
    throws(SystemError) -> Int
  {
    let (start, offset) = (off_t(clamping: start), off_t(clamping: offset))
    return try check("copy_file_range", csystem_copy_file_range(source, start, file, offset, count))
  }
  package func share(_ count: UInt64, of source: Int32, at start: UInt64, to file: Int32, at offset: UInt64)
    throws(SystemError)
  {
    let (start, offset) = (off_t(clamping: start), off_t(clamping: offset))
    try check("ioctl FICLONERANGE", csystem_share(source, start, Int(clamping: count), file, offset))
  }
  package func insert(_ count: UInt64, into file: Int32, at offset: UInt64) throws(SystemError) {
    try check("fallocate insert", csystem_insert_range(file, off_t(clamping: offset), off_t(clamping: count)))
  }
  package func collapse(_ count: UInt64, of file: Int32, at offset: UInt64) throws(SystemError) {
    try check("fallocate collapse", csystem_collapse_range(file, off_t(clamping: offset), off_t(clamping: count)))
  }
  package func truncate(_ file: Int32, to size: UInt64) throws(SystemError) {
    try check("ftruncate", ftruncate(file, off_t(clamping: size)))
  }
  package func extents(of file: Int32, from offset: UInt64) throws(SystemError) -> [Extent] {
    var (extents, start) = ([] as [Extent], offset)
    var buffer = [csystem_extent](repeating: csystem_extent(), count: 4096)
    while true {
      let count = try check(
        "ioctl FIEMAP", csystem_extents(file, off_t(clamping: start), &buffer, UInt32(buffer.count)))
      for extent in buffer[..<Int(count)] {
        extents.append(Extent(logical: extent.logical, physical: extent.physical, length: extent.length))
      }
      guard count == buffer.count, let last = extents.last else { return extents }
      start = last.logical + last.length
    }
  }
  package func blockAbilities(of file: Int32, in folder: String) throws(SystemError) -> BlockAbilities {
    var blockSize: UInt64 = 0
    let abilities = try check("statfs", csystem_block_abilities(file, folder, &blockSize))
    return BlockAbilities(
      blockSize: blockSize, inserts: abilities & Int32(CSYSTEM_CAN_INSERT) != 0,
      shares: abilities & Int32(CSYSTEM_CAN_SHARE) != 0)
  }
  package func isOpenElsewhere(_ file: Int32) throws(SystemError) -> Bool {
    try check("sigaction", csystem_is_open_elsewhere(file)) == 1
  }
  package func freeSpace(in folder: String) throws(SystemError) -> UInt64 {
    var system = statvfs()
    try check("statvfs", statvfs(folder, &system))
    return UInt64(system.f_bavail) &* UInt64(system.f_frsize)
  }
  package func lockHolder(of file: Int32) throws(SystemError) -> Int32? {
    let identity = try status(of: file).identity
    return try LockTable.holder(of: identity, in: text(at: "/proc/locks"))
  }
  package func sync(_ file: Int32) throws(SystemError) { try check("fsync", fsync(file)) }
  package func lock(_ file: Int32) throws(SystemError) { try check("flock", flock(file, LOCK_EX | LOCK_NB)) }
  package func status(of file: Int32) throws(SystemError) -> FileStatus {
    var status = stat()
    try check("fstat", fstat(file, &status))
    return FileStatus(status)
  }
  package func status(at path: String, followingLinks: Bool) throws(SystemError) -> FileStatus {
    var status = stat()
    try check("stat", fstatat(AT_FDCWD, path, &status, followingLinks ? 0 : AT_SYMLINK_NOFOLLOW))
    return FileStatus(status)
  }
  package func setMode(of file: Int32, _ mode: UInt32) throws(SystemError) { try check("fchmod", fchmod(file, mode)) }
  package func setOwner(of file: Int32, user: UInt32, group: UInt32) throws(SystemError) {
    try check("fchown", fchown(file, user, group))
  }
  package func copyExtendedAttributes(of source: Int32, to file: Int32) throws(SystemError) {
    try check("fsetxattr", csystem_copy_attributes(source, file))
  }
  package func realPath(of path: String) throws(SystemError) -> String {
    guard let real = realpath(path, nil) else { throw SystemError("realpath", errno) }
    defer { free(real) }
    return String(cString: real)
  }
  package func linkText(at path: String) throws(SystemError) -> String {
    var text = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = try check("readlink", readlink(path, &text, text.count))
    // A text that is not Unicode could not be written back as it was.
    guard let text = String(validating: text[..<count], as: UTF8.self) else { throw SystemError("readlink", EILSEQ) }
    return text
  }
  package func makeLink(at path: String, to text: String) throws(SystemError) {
    try check("symlink", symlink(text, path))
  }
  package func rename(_ path: String, to target: String, _ kind: Renaming) throws(SystemError) {
    try check("rename", csystem_rename(path, target, kind.flag))
  }
  package func remove(_ path: String) throws(SystemError) { try check("unlink", unlink(path)) }
  package func entries(of folder: String) throws(SystemError) -> [FolderEntry] {
    guard let stream = opendir(folder) else { throw SystemError("opendir", errno) }
    defer { closedir(stream) }
    var entries: [FolderEntry] = []
    while let entry = readdir(stream) {
      // SAFETY: the system ends every name with a zero byte, and `entry` is valid until the next `readdir`.
      let name = String(cString: csystem_name(entry))
      if name != ".", name != ".." { entries.append(FolderEntry(name, FileKind(entryType: entry.pointee.d_type))) }
    }
    return entries
  }
  package func makeFolder(_ path: String) throws(SystemError) { try check("mkdir", mkdir(path, 0o777)) }
  package func removeFolder(_ path: String) throws(SystemError) { try check("rmdir", rmdir(path)) }

  /// A file of the system's own, whose length only reading tells.
  private func text(at path: String) throws(SystemError) -> String {
    let file = try open(path, .read)
    defer { try? close(file) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = try check("read", Glibc.read(file, &buffer, buffer.count))
      if count == 0 { return String(decoding: text, as: UTF8.self) }
      text += buffer[..<count]
    }
  }
}

@discardableResult
private func check<T: SignedInteger>(_ call: String, _ result: T) throws(SystemError) -> T {
  guard result >= 0 else { throw SystemError(call, errno) }
  return result
}

extension OpenMode {
  fileprivate var flags: Int32 {
    switch self {
    case .read: O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    case .readWrite: O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    case .entry(let writing): (writing ? Self.readWrite : Self.read).flags | O_NOFOLLOW
    case .create: O_RDWR | O_CLOEXEC | O_CREAT | O_EXCL
    case .folder: O_RDONLY | O_CLOEXEC | O_DIRECTORY
    }
  }

  fileprivate var permissions: mode_t {
    if case .create(let permissions) = self { permissions } else { 0 }
  }
}

extension Renaming {
  fileprivate var flag: Int32 {
    switch self {
    case .replacing: Int32(CSYSTEM_RENAME_REPLACE)
    case .new: Int32(CSYSTEM_RENAME_NEW)
    case .exchanging: Int32(CSYSTEM_RENAME_EXCHANGE)
    }
  }
}

extension FileKind {
  /// Takes the kind that a folder's entry states; the kinds that nobody looks for need no number here.
  fileprivate init?(entryType: UInt8) {
    switch Int(entryType) {
    case Int(DT_REG): self = .regular
    case Int(DT_DIR): self = .folder
    case Int(DT_LNK): self = .symbolicLink
    default: return nil
    }
  }
}

extension FileStatus {
  fileprivate init(_ status: stat) {
    kind =
      switch status.st_mode & S_IFMT {
      case S_IFREG: .regular
      case S_IFDIR: .folder
      case S_IFLNK: .symbolicLink
      case S_IFIFO: .pipe
      case S_IFSOCK: .socket
      default: .device
      }
    identity = FileIdentity(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: UInt64(clamping: status.st_size),
      modifiedSeconds: Int64(status.st_mtim.tv_sec), modifiedNanoseconds: Int64(status.st_mtim.tv_nsec))
    mode = status.st_mode & 0o7777
    user = status.st_uid
    group = status.st_gid
    linkCount = UInt64(status.st_nlink)
  }
}
