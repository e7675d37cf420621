import Foundation

/// A folder of its own for one test, removed with everything in it at the end.
public final class ScratchFolder {
  public let path: String
  private let files = FileManager.default

  public init() throws {
    path = files.temporaryDirectory.appendingPathComponent("yarn-patch-\(UUID().uuidString)").path
    try files.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? files.removeItem(atPath: path) }

  /// The path of a file in the folder.
  public subscript(name: String) -> String { "\(path)/\(name)" }

  /// Copies a fixture, a file or a folder, and returns the copy's path; the name is the fixture's own by default.
  public func copy(_ fixture: String, as name: String? = nil) throws -> String {
    let target = self[name ?? (fixture as NSString).lastPathComponent]
    let folder = (target as NSString).deletingLastPathComponent
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try files.copyItem(atPath: Fixture.path(fixture), toPath: target)
    return target
  }

  @discardableResult
  public func write(_ bytes: [UInt8], to name: String) throws -> String {
    let folder = (self[name] as NSString).deletingLastPathComponent
    try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: self[name]))
    return self[name]
  }

  public func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: self[name]))) }

  public func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

  /// Replaces a phrase that stands once in a file.
  public func replace(_ phrase: String, by other: String, in name: String) throws {
    try write(Array(Fixture.replacing(try text(name), [(phrase, other)]).utf8), to: name)
  }

  public func link(_ name: String, to target: String) throws {
    try files.createDirectory(
      atPath: (self[name] as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try files.createSymbolicLink(atPath: self[name], withDestinationPath: target)
  }

  public func hardLink(_ name: String, to other: String) throws {
    try files.linkItem(atPath: self[other], toPath: self[name])
  }

  /// Every name below the folder, in order, but those of folders.
  public var names: [String] {
    ((try? files.subpathsOfDirectory(atPath: path)) ?? []).filter { name in
      var isFolder: ObjCBool = false
      let isLink = (try? files.destinationOfSymbolicLink(atPath: self[name])) != nil
      return isLink || files.fileExists(atPath: self[name], isDirectory: &isFolder) && !isFolder.boolValue
    }.sorted()
  }

  /// Bytes of every file and text of every link.
  public var contents: [String: [UInt8]] {
    Dictionary(
      uniqueKeysWithValues: names.map { name in
        let link = try? files.destinationOfSymbolicLink(atPath: self[name])
        return (name, link.map { Array("-> \($0)".utf8) } ?? (try? bytes(name)) ?? [])
      })
  }
}
