import Bytes
import Diagnostics
import Testing

@testable import FileStore

/// One way to change a model, to be broken at every call.
struct Scenario: CustomTestStringConvertible, Sendable {
  var testDescription: String
  /// Files to lay out, by path; a text with an arrow is a link.
  var layout: [String: [UInt8]]
  var links: [String: String] = [:]
  /// The files to change.
  var edits: [(path: String, edits: EditList)]
  var atomic: Set<String> = []
  var output: String?
  /// 0 makes every renewal a clone.
  var rewriteLimit: UInt64 = 1 << 20
  var keepsRecord = true
  /// On a file system that can only replace names.
  var withoutExchange = false
  var verifyFails = false
  /// On a file system that can insert blocks.
  var inserting = false
  /// On a file system whose files can share blocks.
  var sharing = false

  static let old = (0..<400).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 5) }

  /// Two edits of the same total length; the first one shrinks by three bytes, the second grows.
  static let sameSize = EditList([
    edit(at: 20, 8, [1, 2, 3, 4, 5]), edit(at: 40, 2, [9, 8, 7, 6, 5]),
  ])
  static let growing = EditList([edit(at: 20, 4, Array(repeating: 77, count: 20)), edit(at: 50, 5, [])])

  /// One edit before the place where the file grows by two blocks, two that make it do so, and one behind.
  static let inserting = EditList([
    edit(at: 3, 1, [250]), edit(at: 55, 2, Array(repeating: 88, count: 20)), edit(at: 70, 0, Array(1...14)),
    edit(at: 210, 2, [251, 252]),
  ])

  /// Bytes far behind the header, and some behind the end.
  static let appending = EditList(
    sameSize.edits + [edit(at: 300, 3, [1, 2, 3]), edit(at: 400, 0, Array(repeating: 99, count: 45))])
  static let insertingAndAppending = EditList(inserting.edits + [edit(at: 400, 0, Array(repeating: 99, count: 45))])

  static let long = (0..<8_292).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 5) }

  /// Longer by a block of a real disk.
  static let growingLong = EditList([
    ByteEdit(at: 20, expected: Array(long[20..<24]), replacement: Array(repeating: 77, count: 4100))
  ])

  /// One byte that the others leave alone, once three bytes stand in front of the grown file.
  static let last = EditList([
    ByteEdit(at: 300, expected: [(growing.apply(to: old) ?? [])[297]], replacement: [old[0] ^ 255])
  ])

  private static func edit(at offset: Int, _ count: Int, _ new: [UInt8]) -> ByteEdit {
    ByteEdit(at: UInt64(offset), expected: Array(old[offset..<offset + count]), replacement: new)
  }

  private static let hex = String(repeating: "0a", count: 32)

  static let all: [Scenario] = [
    Scenario(testDescription: "in place", layout: ["m.gguf": old], edits: [("m.gguf", sameSize)]),
    Scenario(testDescription: "rewrite", layout: ["m.gguf": old], edits: [("m.gguf", growing)]),
    Scenario(
      testDescription: "rewrite without exchange", layout: ["m.gguf": old], edits: [("m.gguf", growing)],
      withoutExchange: true),
    Scenario(testDescription: "clone", layout: ["m.gguf": old], edits: [("m.gguf", growing)], rewriteLimit: 0),
    Scenario(
      testDescription: "insert range", layout: ["m.gguf": old], edits: [("m.gguf", inserting)], rewriteLimit: 0,
      inserting: true),
    Scenario(
      testDescription: "insert range, verification fails", layout: ["m.gguf": old], edits: [("m.gguf", inserting)],
      rewriteLimit: 0, verifyFails: true, inserting: true),
    Scenario(
      testDescription: "insert range and rewrite", layout: ["m.gguf": old, "config.json": old],
      edits: [("m.gguf", inserting), ("config.json", growing)], atomic: ["config.json"], rewriteLimit: 0,
      inserting: true),
    Scenario(testDescription: "append", layout: ["m.gguf": old], edits: [("m.gguf", appending)], rewriteLimit: 0),
    Scenario(
      testDescription: "insert range and append", layout: ["m.gguf": old], edits: [("m.gguf", insertingAndAppending)],
      rewriteLimit: 0, inserting: true),
    Scenario(
      testDescription: "append, verification fails", layout: ["m.gguf": old], edits: [("m.gguf", appending)],
      rewriteLimit: 0, verifyFails: true),
    Scenario(
      testDescription: "clone that shares", layout: ["m.gguf": long], edits: [("m.gguf", growingLong)], rewriteLimit: 0,
      sharing: true),
    Scenario(
      testDescription: "replaced link", layout: ["blobs/\(hex)": old], links: ["c.json": "blobs/\(hex)"],
      edits: [("c.json", growing)], atomic: ["c.json"]),
    Scenario(
      testDescription: "replaced link without exchange", layout: ["blobs/\(hex)": old],
      links: ["c.json": "blobs/\(hex)"], edits: [("c.json", growing)], withoutExchange: true),
    Scenario(
      testDescription: "two files", layout: ["m.gguf": old, "config.json": old],
      edits: [("m.gguf", sameSize), ("config.json", growing)], atomic: ["config.json"]),
    Scenario(
      testDescription: "two files without exchange or record", layout: ["m.gguf": old, "config.json": old],
      edits: [("config.json", growing), ("m.gguf", sameSize)], keepsRecord: false, withoutExchange: true),
    Scenario(
      testDescription: "two files, verification fails", layout: ["m.gguf": old, "config.json": old],
      edits: [("m.gguf", sameSize), ("config.json", growing)], verifyFails: true),
    Scenario(
      testDescription: "output", layout: ["m.gguf": old], edits: [("m.gguf", growing)], output: "new.gguf"),
    Scenario(
      testDescription: "output without renaming to free names", layout: ["m.gguf": old], edits: [("m.gguf", growing)],
      output: "new.gguf", withoutExchange: true),
  ]

  /// Makes the folder hold the scenario's files and nothing else. Files that are there already keep their inodes, which
  /// makes thousands of runs bearable.
  func layOut(in folder: TemporaryFolder) throws {
    folder.empty { layout[$0] != nil || links[$0] != nil }
    for (path, bytes) in layout {
      if path.contains("/") { try? folder.makeFolder(Path.folder(of: path)) }
      try folder.write(path, bytes)
    }
    for (path, text) in links { try folder.link(path, to: text) }
  }

  func record(in folder: TemporaryFolder) -> String { UndoRecord.path(forFolder: folder.path) }

  func apply(in folder: TemporaryFolder, with fileSystem: any FileSystem) throws(FileError) -> [FileResult] {
    var changes: [FileChange] = []
    for (path, edits) in edits {
      changes.append(
        FileChange(
          try FileSource(folder[path]), edits, output: output.map { folder[$0] }, atomic: atomic.contains(path)))
    }
    return try transaction(fileSystem).apply(changes, record: record(in: folder), keepsRecord: keepsRecord) {
      () throws(FileError) in
      guard verifyFails else { return }
      throw FileError("test", at: SourceLocation(path: "x"), found: "no", expected: "yes", remedy: "none")
    }
  }

  func undo(in folder: TemporaryFolder, with fileSystem: any FileSystem = POSIXFileSystem()) throws(FileError) {
    _ = try transaction(fileSystem).undo(record: record(in: folder))
  }

  func recover(in folder: TemporaryFolder, with fileSystem: any FileSystem) throws(FileError) {
    _ = try transaction(fileSystem).recover(record: record(in: folder))
  }

  private func transaction(_ fileSystem: any FileSystem) -> Transaction {
    Transaction(tool: "test", fileSystem: fileSystem, rewriteLimit: rewriteLimit)
  }
}
