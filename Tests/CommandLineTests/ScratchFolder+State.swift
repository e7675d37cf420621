import Foundation
import TestSupport

extension ScratchFolder {
  /// With copies of fixtures, each under a name of its own.
  convenience init(_ fixtures: [String: String]) throws {
    try self.init()
    for (name, fixture) in fixtures { _ = try copy(fixture, as: name) }
  }

  func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

  /// Every entry with its kind, permissions, size and content: equal when nothing was changed.
  ///
  /// Of a sparse giant only the first mebibyte is compared.
  func state() throws -> [String: Entry] {
    var result: [String: Entry] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
      let attributes = try FileManager.default.attributesOfItem(atPath: self[name])
      var entry = Entry(
        kind: attributes[.type] as? FileAttributeType, permissions: attributes[.posixPermissions] as? Int,
        size: attributes[.size] as? Int)
      if entry.kind == .typeRegular {
        entry.start = try FileHandle(forReadingFrom: URL(fileURLWithPath: self[name])).read(
          upToCount: entry.size ?? 0 > 1 << 30 ? 1 << 20 : 1 << 30)
      }
      result[name] = entry
    }
    return result
  }

  struct Entry: Equatable, CustomStringConvertible {
    var kind: FileAttributeType?
    var permissions: Int?
    var size: Int?
    var start: Data?
    var description: String { "\(kind?.rawValue ?? "") \(permissions ?? 0) \(size ?? 0) bytes" }
  }
}

extension Fixture {
  /// The trained model.
  static let model = "models/tiny-llama-ctx256"
}
