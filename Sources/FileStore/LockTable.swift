/// Linux's list of file locks, `/proc/locks`.
enum LockTable {
  /// The process that holds the lock of a whole file, `nil` when the list does not say.
  ///
  /// ```
  /// 1: FLOCK  ADVISORY  WRITE 4711 fd:01:131092 0 EOF       device numbers hexadecimal, inode decimal
  /// 1: -> FLOCK  ADVISORY  WRITE 4712 fd:01:131092 0 EOF    one that waits
  /// ```
  static func holder(of file: FileIdentity, in text: String) -> Int32? {
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count >= 6, fields[1] == "FLOCK", let process = Int32(fields[4]), process > 0 else { continue }
      let place = fields[5].split(separator: ":")
      guard place.count == 3, let major = UInt64(place[0], radix: 16), let minor = UInt64(place[1], radix: 16),
        UInt64(place[2]) == file.inode, device(major, minor) == file.device
      else { continue }
      return process
    }
    return nil
  }

  /// The number that `stat` gives for a device, as glibc's `makedev` joins it.
  private static func device(_ major: UInt64, _ minor: UInt64) -> UInt64 {
    (major & 0xfff) << 8 | (major & ~0xfff) << 32 | minor & 0xff | (minor & ~0xff) << 12
  }
}
