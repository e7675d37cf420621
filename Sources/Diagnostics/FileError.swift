/// Where in a model's files something was found.
public struct SourceLocation: Sendable, Hashable {
  /// The file as the user named it, or the file that was reached from there.
  public var path: String
  /// First byte concerned, counted from the start of the file.
  public var byteOffset: UInt64?
  /// A JSON pointer (`/rope_scaling/factor`) or a GGUF key (`llama.rope.freq_base`) or a tensor name.
  public var key: String?

  public init(path: String, byteOffset: UInt64? = nil, key: String? = nil) {
    self.path = path
    self.byteOffset = byteOffset
    self.key = key
  }
}

/// Why a file could not be read, planned for or changed: place, finding, expectation, remedy.
///
/// One type serves all modules, so an error needs no wrapping on its way up. Each module names its own codes in an
/// extension of ``Code``; callers and tests match on those, messages are free to improve.
public struct FileError: Error, Sendable, CustomStringConvertible {
  /// What kind of error, for callers and tests. Codes are never reused for something else.
  public struct Code: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
    public var rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public init(stringLiteral value: String) { rawValue = value }
  }

  /// What a change that failed left behind.
  public enum State: String, Sendable {
    /// No file was changed.
    case untouched
    /// Something was changed and put back.
    case restored
    /// A file may be half changed; the remedy names the command that puts the old content back.
    case waitingForRecovery = "waiting-for-recovery"

    var sentence: String {
      switch self {
      case .untouched: "nothing was changed"
      case .restored: "the old content was restored"
      case .waitingForRecovery: "waiting for recovery"
      }
    }
  }

  public var code: Code
  public var location: SourceLocation
  /// What stands in the file, as a phrase: `the value type is string`.
  public var found: String
  /// What should stand there, as a phrase: `float32`.
  public var expected: String
  /// What the user can do. What became of the files is said by ``state``.
  public var remedy: String
  /// Set by a change that failed; `nil` for an error of reading or planning.
  public var state: State?

  public init(_ code: Code, at location: SourceLocation, found: String, expected: String, remedy: String) {
    self.code = code
    self.location = location
    self.found = found
    self.expected = expected
    self.remedy = remedy
  }

  /// `model.gguf: byte 0x1f40, key "llama.rope.scaling.factor": the value type is string, expected float32`, then the
  /// remedy and the state of the files on lines of their own.
  public var description: String {
    var place = location.path
    var details: [String] = []
    if let offset = location.byteOffset { details.append("byte 0x\(String(offset, radix: 16))") }
    if let key = location.key { details.append(key.hasPrefix("/") ? "at \(key)" : "key \"\(key)\"") }
    if !details.isEmpty { place += ": " + details.joined(separator: ", ") }
    let state = self.state.map { "\n  the files: \($0.sentence)" } ?? ""
    return "\(place): \(found), expected \(expected)\n  what to do: \(remedy)\(state)"
  }
}
