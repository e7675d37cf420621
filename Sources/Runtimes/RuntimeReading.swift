import ModelConfig
import RoPE

/// Something a runtime does with a file that its user should know.
public struct RuntimeNote: Sendable, Equatable {
  /// Stable name of the kind of note: `ignored-key`, `default-used`, …
  public var code: String
  /// JSON pointer or GGUF key concerned.
  public var key: String?
  public var message: String

  public init(_ code: String, key: String? = nil, _ message: String) {
    self.code = code
    self.key = key
    self.message = message
  }
}

/// What one runtime makes of one declaration: the parameters it takes, the table it computes, the window it derives.
public struct RuntimeReading: Sendable {
  /// Runtime name of the command's contract: `formula`, `vllm`, …
  public var runtime: String
  public var version: String?
  public var layerType: String?
  /// The scaling kind that is in effect: `default`, `linear`, `yarn`, …
  public var kind: String
  public var factor: Double?
  /// Trained length in tokens, where the kind uses one.
  public var originalContext: Int?
  /// Window in tokens, `nil` when the runtime derives none.
  public var contextLength: Int?
  /// Effective parameters and their table; `nil` when refused.
  public var parameters: RoPEParameters?
  public var table: FrequencyTable?
  /// Why the runtime refuses the file, `nil` when it does not.
  public var refused: String?
  public var notes: [RuntimeNote] = []
}
