import Glibc

@testable import FileStore

/// What goes wrong, and how.
enum Fault: Equatable, CustomStringConvertible {
  case nothing
  /// One call fails.
  case once(Int32)
  /// That call and all after it fail.
  case always(Int32)
  /// Every call of this name fails, whenever it is made.
  case call(String, Int32)
  /// Calls transfer at most this many bytes.
  case short(Int)
  /// That call writes something else and says nothing.
  case corrupt
  case crash(Crash)

  enum Crash: CaseIterable {
    /// The process dies before the call.
    case killed
    /// The process dies in the call; of a write, half has happened.
    case torn
    /// The machine loses all that was not synced.
    case powerCut
    /// The machine loses the bytes that were not synced, while the names are there.
    case powerCutKeepingNames
    /// As before, but every other sector of those bytes is there, and of the extents that were to move the last ones have.
    case powerCutTearing
  }

  var description: String {
    switch self {
    case .nothing: "nothing"
    case .once(let code): "errno \(code) once"
    case .always(let code): "errno \(code) from then on"
    case .call(let name, let code): "errno \(code) of \(name)"
    case .corrupt: "wrong bytes"
    case .short(let count): "\(count) bytes at a time"
    case .crash(let crash): "crash: \(crash)"
    }
  }
}

/// The real file system with one fault at the n-th call.
///
/// Syncing only keeps the books: what a power cut loses is put back by hand. Used by one thread at a time.
final class FaultyFileSystem: FileSystem, @unchecked Sendable {
  private let real = POSIXFileSystem()
  private let fault: Fault
  private let position: Int
  private let folder: TemporaryFolder
  /// Whether names can be exchanged, or only replaced.
  private let exchanges: Bool
  /// Where blocks can be inserted.
  private let disk: SimulatedDisk?
  private(set) var calls: [String] = []
  /// What another program does before the call of this number.
  var meanwhile: ((Int) -> Void)?
  private(set) var copies: [(count: Int, start: UInt64)] = []
  /// The call that met the fault.
  private(set) var hit: String?
  private var unsynced: [Unsynced] = []
  private var keptCount = 0

  private enum Unsynced {
    case bytes(inode: UInt64, offset: UInt64, old: [UInt8], oldSize: UInt64)
    case blocks(inode: UInt64, SimulatedDisk.Shift)
    /// Bytes that were cut off: all of them are there again, or none.
    case end(inode: UInt64, offset: UInt64, old: [UInt8])
    case name(folder: UInt64, undo: () -> Void)
  }

  init(
    _ fault: Fault, at position: Int = 1, in folder: TemporaryFolder, exchanges: Bool = true, disk: SimulatedDisk? = nil
  ) {
    self.fault = fault
    self.position = position
    self.folder = folder
    self.exchanges = exchanges
    self.disk = disk
    if tracksSyncs { try? folder.makeFolder("kept.yarn-patch") }
  }

  private var tracksSyncs: Bool {
    [.crash(.powerCut), .crash(.powerCutKeepingNames), .crash(.powerCutTearing)].contains(fault)
  }

  private func pass(_ call: String) throws(SystemError) {
    calls.append(call)
    meanwhile?(calls.count)
    let isHit: Bool
    var code = ECANCELED
    switch fault {
    case .nothing, .short, .corrupt: isHit = false
    case .once(let errno): (isHit, code) = (calls.count == position, errno)
    case .always(let errno): (isHit, code) = (calls.count >= position, errno)
    case .call(let name, let errno): (isHit, code) = (call == name, errno)
    case .crash: isHit = calls.count >= position
    }
    guard isHit else { return }
    hit = hit ?? call
    throw SystemError(call, code)
  }

  /// What a transfer moves before it fails or ends.
  private func limited(_ count: Int) -> Int {
    if case .short(let limit) = fault { min(count, limit) } else { count }
  }

  private var isTearing: Bool { fault == .crash(.torn) && calls.count + 1 == position }

  /// A disk writes all of a sector or nothing. Real ones have 512 bytes, the files here are as much shorter.
  private static let sectorSize = 16

  /// Puts back what the disk would not have, once the process is gone.
  func loseUnsynced() {
    for entry in unsynced.reversed() {
      switch entry {
      case .name(_, let undo): if fault == .crash(.powerCut) { undo() }
      case .bytes(let inode, let offset, let old, let oldSize):
        guard let path = find(inode, ""), let file = try? real.open(path, .readWrite) else { continue }
        for sector in stride(from: 0, to: old.count, by: Self.sectorSize) {
          let isLost = fault != .crash(.powerCutTearing) || (Int(offset) + sector) / Self.sectorSize % 2 == 0
          guard isLost else { continue }
          _ = old[sector..<min(sector + Self.sectorSize, old.count)].withUnsafeBytes {
            try? real.write(file, $0, at: offset + UInt64(sector))
          }
        }
        if fault != .crash(.powerCutTearing) { ftruncate(file, off_t(oldSize)) }
        try? real.close(file)
      case .end(let inode, let offset, let old):
        guard let path = find(inode, ""), let file = try? real.open(path, .readWrite) else { continue }
        _ = old.withUnsafeBytes { try? real.write(file, $0, at: offset) }
        try? real.close(file)
      case .blocks(let inode, let shift):
        guard let path = find(inode, ""), let file = try? real.open(path, .readWrite) else { continue }
        let moved = fault == .crash(.powerCutTearing) ? shift.extentCount / 2 : 0
        try? disk?.perform(shift, on: file, inode: inode, moving: moved)
        try? real.close(file)
      }
    }
    unsynced = []
  }

  private func find(_ inode: UInt64, _ path: String) -> String? {
    for name in folder.names(path) {
      let inner = path.isEmpty ? name : "\(path)/\(name)"
      guard let status = try? real.status(at: folder[inner], followingLinks: false) else { continue }
      if status.kind == .folder, let found = find(inode, inner) { return found }
      if status.identity.inode == inode { return folder[inner] }
    }
    return nil
  }

  private func noteBytes(_ file: Int32, _ count: Int, at offset: UInt64) throws(SystemError) {
    guard tracksSyncs else { return }
    var old = [UInt8](repeating: 0, count: count)
    let read = pread(file, &old, count, off_t(offset))
    let identity = try real.status(of: file).identity
    unsynced.append(
      .bytes(inode: identity.inode, offset: offset, old: Array(old[..<max(read, 0)]), oldSize: identity.size))
  }

  private func noteName(_ path: String, undo: @escaping () -> Void) {
    guard tracksSyncs else { return }
    let folder = try? real.status(at: Path.folder(of: path), followingLinks: true).identity.inode
    unsynced.append(.name(folder: folder ?? 0, undo: undo))
  }

  /// Keeps a file that is about to lose its name; gives the name it is kept under.
  private func keep(_ path: String) -> String? {
    guard tracksSyncs else { return nil }
    keptCount += 1
    let kept = folder["kept.yarn-patch/\(keptCount)"]
    return linkat(AT_FDCWD, path, AT_FDCWD, kept, 0) == 0 ? kept : nil
  }

  func open(_ path: String, _ mode: OpenMode) throws(SystemError) -> Int32 {
    var isNew = false
    if case .create = mode { isNew = true }
    try pass(isNew ? "open create" : "open")
    let file = try real.open(path, mode)
    if isNew { noteName(path) { [real] in try? real.remove(path) } }
    return file
  }
  // A dead process has its files closed too, and an error of closing leaves a file closed.
  func close(_ file: Int32) throws(SystemError) { try real.close(file) }
  func read(_ file: Int32, into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(SystemError) -> Int {
    try pass("pread")
    return try real.read(file, into: .init(rebasing: buffer[..<limited(buffer.count)]), at: offset)
  }
  func write(_ file: Int32, _ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) -> Int {
    if isTearing { _ = try real.write(file, .init(rebasing: bytes[..<(bytes.count / 2)]), at: offset) }
    try pass("pwrite")
    try noteBytes(file, bytes.count, at: offset)
    if fault == .corrupt, calls.count == position {
      hit = "pwrite"
      var wrong = Array(bytes)
      wrong[wrong.count / 2] ^= 4
      return try wrong.span.bytes.withUnsafeBytes { bytes throws(SystemError) in
        try real.write(file, bytes, at: offset)
      }
    }
    let count = try real.write(file, .init(rebasing: bytes[..<limited(bytes.count)]), at: offset)
    try disk?.fill(offset..<offset + UInt64(count), of: file, inode: real.status(of: file).identity.inode)
    return count
  }
  func copy(_ count: Int, of source: Int32, at start: UInt64, to file: Int32, at offset: UInt64) throws(SystemError)
    -> Int
  {
    try pass("copy_file_range")
    copies.append((count, start))
    try noteBytes(file, count, at: offset)
    return try real.copy(limited(count), of: source, at: start, to: file, at: offset)
  }
  func share(_ count: UInt64, of source: Int32, at start: UInt64, to file: Int32, at offset: UInt64)
    throws(SystemError)
  {
    try pass("share")
    guard let disk, disk.shares else { throw SystemError("share", EOPNOTSUPP) }
    try noteBytes(file, Int(count), at: offset)
    var bytes = [UInt8](repeating: 0, count: Int(count))
    guard pread(source, &bytes, bytes.count, off_t(start)) == bytes.count else { throw SystemError("share", EINVAL) }
    pwrite(file, bytes, bytes.count, off_t(offset))
  }
  func insert(_ count: UInt64, into file: Int32, at offset: UInt64) throws(SystemError) {
    try shift(file, .insertion(at: offset, count), "insert")
  }
  func collapse(_ count: UInt64, of file: Int32, at offset: UInt64) throws(SystemError) {
    try shift(file, .removal(at: offset, count), "collapse")
  }
  private func shift(_ file: Int32, _ kind: SimulatedDisk.Shift.Kind, _ call: String) throws(SystemError) {
    guard let disk else { throw SystemError(call, EOPNOTSUPP) }
    let inode = try real.status(of: file).identity.inode
    let shift = try disk.shift(kind, of: file, inode: inode)
    let torn = shift.extentCount / 2
    if isTearing { try disk.perform(shift, on: file, inode: inode, moving: torn) }
    do throws(SystemError) { try pass(call) } catch {
      // Unlike others, this call can fail halfway.
      if error.code == EIO { try disk.perform(shift, on: file, inode: inode, moving: torn) }
      throw error
    }
    try disk.perform(shift, on: file, inode: inode, moving: shift.extentCount)
    if tracksSyncs { unsynced.append(.blocks(inode: inode, shift)) }
  }
  func truncate(_ file: Int32, to size: UInt64) throws(SystemError) {
    try pass("ftruncate")
    let status = try real.status(of: file).identity
    var old = [UInt8](repeating: 0, count: Int(status.size - size))
    guard pread(file, &old, old.count, off_t(size)) == old.count else { throw SystemError("ftruncate", EIO) }
    if tracksSyncs { unsynced.append(.end(inode: status.inode, offset: size, old: old)) }
    try real.truncate(file, to: size)
    disk?.truncate(inode: status.inode, to: size)
  }
  func extents(of file: Int32, from offset: UInt64) throws(SystemError) -> [Extent] {
    try pass("extents")
    return try disk?.extents(of: file, inode: real.status(of: file).identity.inode, from: offset) ?? []
  }
  func blockAbilities(of file: Int32, in folder: String) throws(SystemError) -> BlockAbilities {
    try pass("statfs")
    return BlockAbilities(
      blockSize: SimulatedDisk.blockSize, inserts: disk.map { !$0.shares } ?? false, shares: disk?.shares ?? false)
  }
  func isOpenElsewhere(_ file: Int32) throws(SystemError) -> Bool {
    try pass("lease")
    return disk?.isInUse ?? false
  }
  func freeSpace(in folder: String) throws(SystemError) -> UInt64 {
    try pass("statvfs")
    return disk?.freeSpace ?? .max
  }
  func lockHolder(of file: Int32) throws(SystemError) -> Int32? { try real.lockHolder(of: file) }
  func sync(_ file: Int32) throws(SystemError) {
    try pass("fsync")
    guard tracksSyncs else { return }
    let inode = try real.status(of: file).identity.inode
    unsynced.removeAll { entry in
      switch entry {
      case .bytes(inode, _, _, _), .name(inode, _), .blocks(inode, _), .end(inode, _, _): true
      default: false
      }
    }
  }
  func lock(_ file: Int32) throws(SystemError) {
    try pass("flock")
    try real.lock(file)
  }
  func status(of file: Int32) throws(SystemError) -> FileStatus {
    try pass("fstat")
    return try real.status(of: file)
  }
  func status(at path: String, followingLinks: Bool) throws(SystemError) -> FileStatus {
    try pass("stat")
    return try real.status(at: path, followingLinks: followingLinks)
  }
  func setMode(of file: Int32, _ mode: UInt32) throws(SystemError) {
    try pass("fchmod")
    try real.setMode(of: file, mode)
  }
  func setOwner(of file: Int32, user: UInt32, group: UInt32) throws(SystemError) {
    try pass("fchown")
    try real.setOwner(of: file, user: user, group: group)
  }
  func copyExtendedAttributes(of source: Int32, to file: Int32) throws(SystemError) {
    try pass("fsetxattr")
    try real.copyExtendedAttributes(of: source, to: file)
  }
  func realPath(of path: String) throws(SystemError) -> String {
    try pass("realpath")
    return try real.realPath(of: path)
  }
  func linkText(at path: String) throws(SystemError) -> String {
    try pass("readlink")
    return try real.linkText(at: path)
  }
  func makeLink(at path: String, to text: String) throws(SystemError) {
    try pass("symlink")
    try real.makeLink(at: path, to: text)
    noteName(path) { [real] in try? real.remove(path) }
  }
  func rename(_ path: String, to target: String, _ kind: Renaming) throws(SystemError) {
    try pass("rename")
    if kind != .replacing, !exchanges { throw SystemError("rename", EINVAL) }
    let kept = kind == .replacing ? keep(target) : nil
    try real.rename(path, to: target, kind)
    noteName(path) { [real] in
      try? real.rename(target, to: path, kind == .exchanging ? .exchanging : .replacing)
      if let kept { try? real.rename(kept, to: target, .replacing) }
    }
  }
  func remove(_ path: String) throws(SystemError) {
    try pass("unlink")
    let kept = keep(path)
    try real.remove(path)
    noteName(path) { [real] in if let kept { try? real.rename(kept, to: path, .replacing) } }
  }
  func entries(of folder: String) throws(SystemError) -> [FolderEntry] {
    try pass("readdir")
    return try real.entries(of: folder)
  }
  func makeFolder(_ path: String) throws(SystemError) {
    try pass("mkdir")
    try real.makeFolder(path)
  }
  func removeFolder(_ path: String) throws(SystemError) {
    try pass("rmdir")
    try real.removeFolder(path)
  }
}
