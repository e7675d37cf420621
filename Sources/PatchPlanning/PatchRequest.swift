import ModelConfig
import Runtimes

/// How a context is extended.
public enum PatchMethod: String, Sendable, CaseIterable {
  case yarn
  /// Position interpolation: every frequency divided by the factor.
  case linear
  /// NTK-aware: a larger base, no scaling entry.
  case ntk
  /// YaRN's frequencies without its magnitude.
  case ntkByParts = "ntk-by-parts"
  /// Dynamic NTK: the base follows the sequence length.
  case dynamic
  /// Scaling removed, window restored.
  case none

  /// Whether the files' scaling kind is `yarn`.
  package var writesYaRN: Bool { self == .yarn || self == .ntkByParts }
}

/// How a GGUF says what its frequencies are.
public enum PatchEncoding: String, Sendable, CaseIterable {
  /// The scaling keys, which every reader of GGUF files knows.
  case keys
  /// One divisor for each pair in `rope_freqs.weight`, which some architectures of llama.cpp load: any table, exactly.
  case factors
  /// Keys where llama.cpp computes from them what is asked, factors otherwise.
  case auto
}

/// What a user asks for, before the files have been looked at.
public struct PatchRequest: Sendable {
  /// How far the window should reach.
  public enum Reach: Sendable, Equatable {
    case factor(Double)
    /// The smallest factor whose window holds this many tokens; no scaling where the original length holds them.
    case context(Int)
  }

  /// `nil` only for ``PatchMethod/none``.
  public var reach: Reach?
  public var method: PatchMethod
  /// Trained length in tokens; from the files when `nil`.
  public var originalContext: Int?
  public var base: Double?
  public var betaFast: Double?
  public var betaSlow: Double?
  /// Final magnitude that multiplies cos and sin.
  public var attentionFactor: Double?
  public var mscale: Double?
  public var mscaleAllDim: Double?
  public var truncate: Bool?
  /// Keys unless told otherwise: to other readers than llama.cpp, and to tools, a file with factors is not scaled.
  public var encoding = PatchEncoding.keys
  /// JSON pointer of the language section, where the search would choose another.
  public var section: String?
  /// What is published about models whose files leave it out.
  public var knownModels = KnownModels.published
  /// Who is to compute what is asked; `nil` for every serving runtime that can read the files.
  public var runtimes: [Runtime]?
  /// Rule ids whose refusal the user takes on.
  public var allowed: Set<String> = []

  public init(_ method: PatchMethod = .yarn, reach: Reach?) {
    self.method = method
    self.reach = reach
  }
}
