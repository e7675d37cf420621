import Bytes
import Runtimes

/// One value that changes, as a reviewer reads it.
public struct PlannedChange: Sendable, Equatable {
  /// JSON pointer or GGUF key.
  public var at: String
  /// Text of the old value, `nil` when the member is new.
  public var before: String?
  /// Text of the new value, `nil` when the member goes.
  public var after: String?

  package init(at: String, before: String?, after: String?) {
    (self.at, self.before, self.after) = (at, before, after)
  }
}

/// The edits of one file.
public struct FilePlan: Sendable {
  public var path: String
  public var changes: [PlannedChange]
  package var edits: EditList
  /// The old and the new text of a JSON file, `nil` for a GGUF.
  public var texts: (old: String, new: String)?

  package init(path: String, changes: [PlannedChange], edits: EditList, oldText: [UInt8]? = nil) {
    self.path = path
    self.changes = changes
    self.edits = edits
    if let oldText, let newText = edits.apply(to: oldText) {
      texts = (String(decoding: oldText, as: UTF8.self), String(decoding: newText, as: UTF8.self))
    }
  }
}

/// What a patch will do, before anything is written.
public struct PatchPlan: Sendable {
  public var settings: RoPESettings
  public var files: [FilePlan]
  /// Those whose readings of the planned files are what is asked.
  public var runtimes: [Runtime] = []
  /// What the user should know although it does not stop the patch.
  public var notes: [String] = []

  package init(settings: RoPESettings, files: [FilePlan], runtimes: [Runtime] = [], notes: [String] = []) {
    self.settings = settings
    self.files = files
    self.runtimes = runtimes
    self.notes = notes
  }

  public var changesNothing: Bool { files.allSatisfy { $0.edits.isEmpty } }
}
