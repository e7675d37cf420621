import Bytes
import Diagnostics

/// What it takes to put a model's files back: one step per change, the newest last.
///
/// It stands beside the model from before the first visible change on. As long as its newest step is not `done` the files
/// may be in any state between, and undoing that step leads back from all of them.
package struct UndoRecord: Sendable, Equatable {
  package var steps: [Step]

  /// One transaction.
  package struct Step: Sendable, Equatable {
    package enum State: String, Sendable {
      /// The change has begun.
      case pending
      case done
      /// Taking the change back has begun.
      case undoing
    }
    package var state: State
    /// What made the change, with its version.
    package var tool: String
    package var files: [File]
  }

  /// How a file was changed.
  package enum Change: Sendable, Equatable {
    /// The file kept its length, or only grew at its end.
    case inPlace
    /// Blocks were inserted at this offset, and the file may have grown at its end too.
    case inserted(at: UInt64)
    /// A new file took its name.
    case replaced
    /// A new file took the name of a symbolic link with this text.
    case replacedLink(String)
  }

  /// One changed file.
  package struct File: Sendable, Equatable {
    /// Its name in the record's folder.
    package var path: String
    package var change: Change
    package var oldSize: UInt64
    package var newSize: UInt64
    /// Permission bits before the change.
    package var mode: UInt32
    /// From the old bytes to the new ones.
    package var edits: EditList
    /// SHA-256 of the header before the change, up to its last edit.
    package var oldHeader: String
    package var newHeader: String
    /// SHA-256 of samples of the data, the same before and after the change.
    package var samples: String
    /// SHA-256 of all data that no edit touches, or `nil` when the change did not read it.
    package var rest: String?
    /// What leads back from between the two, while the change or its undoing goes on.
    package var interim: Interim?
  }

  /// What a file held and where, before its bytes began to move.
  package struct Interim: Sendable, Equatable {
    /// The old bytes of each region that is rewritten as a whole, in the old file's order.
    package var before: [[UInt8]]
    /// See ``Gap/extents``.
    package var extents: [Extent]
  }

  /// The record's place for a model that is one file.
  package static func path(forFile path: String) -> String { path + suffix }
  /// The record's place for a model that is a folder.
  package static func path(forFolder path: String) -> String { Path.joined(path, suffix) }

  /// The files of a folder that were patched by themselves, as far as their records are there.
  ///
  /// - Parameter names: The names in the folder.
  package static func files(patchedIn folder: String, _ names: [String]) -> [String] {
    names.filter { $0.hasSuffix(suffix) && $0 != suffix }.map { model(of: Path.joined(folder, $0)) }
  }

  /// Whether yarn-patch alone gives such a name: to a record, or to a copy on its way to another name.
  package static func isOurs(_ name: String) -> Bool { name.hasSuffix(suffix) || Sibling.fileName(from: name) != nil }

  /// The model that the record is for, as a command would name it.
  package static func model(of path: String) -> String {
    Path.name(of: path) == suffix ? Path.folder(of: path) : String(path.dropLast(suffix.count))
  }

  /// Whether a file is a record, by its name.
  package static func isRecord(_ name: String) -> Bool { name.hasSuffix(suffix) }

  private static let suffix = ".yarn-patch-undo"

  /// The record as it was before its newest step, `nil` when that was the only one.
  var withoutNewestStep: UndoRecord? { steps.count > 1 ? UndoRecord(steps: steps.dropLast()) : nil }

  /// The record with its newest step done.
  var done: UndoRecord {
    var record = self
    if var step = record.steps.popLast() {
      step.state = .done
      for index in step.files.indices { step.files[index].interim = nil }
      record.steps.append(step)
    }
    return record
  }

  /// Whether a change or its undoing was begun and not ended.
  package var isInterrupted: Bool { steps.last.map { $0.state != .done } ?? false }

  /// Reads a record, `nil` when there is none.
  ///
  /// - Throws: `damagedRecord`, `unknownRecordVersion`, `notARegularFile` for a link, and the codes of reading a file.
  package static func read(at path: String, in fileSystem: any FileSystem = POSIXFileSystem()) throws(FileError)
    -> UndoRecord?
  {
    do throws(FileError) { return try UndoRecord(FileSource(path, .entry(writing: false), in: fileSystem)) } catch {
      if error.code == .notFound { return nil }
      throw error
    }
  }
}

extension UndoRecord {
  init(_ source: FileSource) throws(FileError) {
    guard source.size <= Self.sizeLimit else { throw .damagedRecord(source.path, "it has \(source.size) bytes") }
    try self.init(text: source.bytes(in: 0..<source.size), path: source.path)
  }

  /// A record names each extent behind an insertion, in some 40 bytes. A usual model has about ten per gigabyte.
  package static let extentLimit = 1 << 21

  /// Edits are parts of headers, and no header is this long; a larger file is not ours.
  private static let sizeLimit: UInt64 = 1 << 28
}
