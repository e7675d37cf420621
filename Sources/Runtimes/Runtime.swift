import GGUF
import ModelConfig

/// What a runtime is given to read.
public enum RuntimeInput: Sendable {
  /// A config.json, with what the folder adds to it.
  case config(HuggingFaceConfig, Surroundings)
  /// A GGUF's first shard and its rotary tensors by name.
  case gguf(GGUFFile, [String: [Double]])

  /// The kinds of files.
  public enum Format: Sendable { case config, gguf }

  public var format: Format {
    switch self {
    case .config: .config
    case .gguf: .gguf
    }
  }

  /// Facts outside config.json that some runtime looks at.
  public struct Surroundings: Sendable {
    /// `model_max_length` of tokenizer_config.json.
    public var tokenizerLimit: Double?
    /// What the weights' shapes say about head sizes.
    public var shapes = TensorShapes()
    public init() {}
  }
}

/// What the user of a runtime chooses beside the model.
public struct RuntimeOptions: Sendable {
  /// Longest sequence, in tokens, for kinds whose table depends on it; the largest position is one less.
  public var sequenceLength: Int?
  /// Whether readings say how to start on the unscaled file; finding that out takes as long as the reading.
  public var offersStart = true
  /// Options of llama.cpp's command line.
  public var llamaCpp = LlamaCppContext()
  public init(sequenceLength: Int? = nil) { self.sequenceLength = sequenceLength }
}

/// One version of one runtime: its name and how it reads a model.
public struct Runtime: Sendable {
  /// Name of the command's contract: `vllm`, `llama.cpp`, …
  public let name: String
  /// The version that was read and executed for the recorded tables; `nil` for the published equations.
  public let version: String?
  /// What it reads, the kind of file it runs from first.
  public let formats: [RuntimeInput.Format]
  private let readings: @Sendable (RuntimeInput, RuntimeOptions) -> [RuntimeReading]

  init(
    _ name: String, version: String?, formats: [RuntimeInput.Format],
    readings: @escaping @Sendable (RuntimeInput, RuntimeOptions) -> [RuntimeReading]
  ) {
    self.name = name
    self.version = version
    self.formats = formats
    self.readings = readings
  }

  /// A runtime that reads config.json and nothing else.
  init(
    _ name: String, version: String,
    configs: @escaping @Sendable (HuggingFaceConfig, RuntimeInput.Surroundings, RuntimeOptions) -> [RuntimeReading]
  ) {
    self.init(name, version: version, formats: [.config]) { input, options in
      guard case .config(let config, let surroundings) = input else { return [] }
      return configs(config, surroundings, options)
    }
  }

  /// One reading per kind of layer; an input that the runtime cannot load at all gives a refusal.
  public func read(_ input: RuntimeInput, _ options: RuntimeOptions = RuntimeOptions()) -> [RuntimeReading] {
    guard formats.contains(input.format) else {
      var reading = RuntimeReading(name, version: version, kind: "unknown")
      reading.refused = RuntimeRefusal("unsupported", "\(name) is read for config.json only, not for GGUF files")
      return [reading]
    }
    return readings(input, options)
  }
}
