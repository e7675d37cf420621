import ModelConfig
import RoPE

/// Something a runtime does with a file that its user should know.
public struct RuntimeNote: Sendable, Equatable {
  /// Stable name of the kind of note: `ignored-key`, `default-used`, `warning`, …
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

/// Why a runtime does not load a file.
public struct RuntimeRefusal: Error, Sendable, Equatable {
  /// The runtime's own kind of error: `KeyError`, `TypeError`, `load failed`, …
  public var kind: String
  /// The key that is missing, for a `KeyError`.
  public var missingKey: String?
  public var reason: String

  public init(_ kind: String, missing key: String? = nil, _ reason: String) {
    self.kind = kind
    missingKey = key
    self.reason = reason
  }

  /// A `head_dim` that is null where a number is needed.
  package static let nullHead = RuntimeRefusal("TypeError", "head_dim is null")
}

/// What one runtime makes of one declaration: the parameters it takes, the table it computes, the window it derives.
public struct RuntimeReading: Sendable {
  /// Runtime name of the command's contract: `formula`, `vllm`, …
  public var runtime: String
  public var version: String?
  public var layerType: String?
  /// The scaling kind that is in effect, in the runtime's own words: `default`, `linear`, `yarn`, …
  public var kind: String
  public var base: Double?
  public var rotaryDimension: Int?
  public var factor: Double?
  /// Trained length in tokens, where the kind uses one.
  public var originalContext: Double?
  /// Window in tokens, `nil` when the runtime derives none.
  public var contextLength: Int?
  /// The table in the runtime's float width (exact in double); `nil` when refused.
  public var table: FrequencyTable?
  /// Effective parameters where the published formulas describe them, for checks of their promises.
  public var parameters: RoPEParameters?
  /// Why the runtime refuses the file, `nil` when it does not.
  public var refused: RuntimeRefusal?
  public var notes: [RuntimeNote] = []
  /// How to start on the unscaled file with this table; for the published equations one for each runtime that can. Empty
  /// when the file is not scaled, or was trained as it is.
  public var startOptions: [StartOption] = []

  public init(_ runtime: String, version: String?, layerType: String? = nil, kind: String) {
    self.runtime = runtime
    self.version = version
    self.layerType = layerType
    self.kind = kind
  }
}
