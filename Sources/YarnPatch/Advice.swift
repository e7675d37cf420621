import Diagnostics
import ModelConfig
import PatchPlanning
import Runtimes

/// What to do so that a model serves a length: every number is from its files.
public struct Advice: Sendable {
  /// The answer in one word.
  public enum Verdict: String, Sendable {
    /// The files as they are serve the length.
    case keep
    /// The files need ``Advice/arguments``.
    case patch
    /// The length is out of reach by any scaling that this program writes.
    case unreachable
  }

  public var path: String
  /// The length that was asked for, in tokens.
  public var context: Int
  public var verdict: Verdict
  public var reason: String
  /// What to do where the verdict is `unreachable`.
  public var remedy: String?
  /// What the files are to state, `nil` where they stay as they are.
  public var settings: RoPESettings?
  /// The arguments of yarn-patch that make it so.
  public var arguments: [String] = []
  /// Length that a scaling starts from, where one is known, and window that the files state, in tokens.
  public var originalContext, window: Int?
  /// The length that the weights serve, the stages in between and the window; without a scaling those that matter.
  public var lengths: [Length] = []
  /// The shape of the cache, or what the files leave open about it.
  public var cache: Result<KeyValueCache, FileError>
  /// `nil` where nothing is scaled.
  public var shortPrompts: ShortPromptCost?
  /// `nil` where nothing is scaled, and for weights that were trained with a scaling.
  public var dynamic: DynamicScaling?
  public var runtimes: [RuntimeAdvice] = []
  public var notes: [String] = []
}

extension Advice {
  /// One length, with what it takes.
  public struct Length: Sendable, Equatable {
    public var tokens: Int
    /// The scaling that covers it, counted from the original length; `nil` where no scaling is planned.
    public var factor: Double?
    /// Of cos and sin under that factor.
    public var attentionFactor: Double?
    /// Largest change of scores within the first of the lengths; see ``ScoreChange/relative``.
    public var scoreChange: Double?
    /// The cache of one sequence of this length in bytes, with numbers of 16 and of 8 bits.
    public var cache16Bit, cache8Bit: UInt64?
  }

  /// The lengths that weights are trained at on the way to a longer window, each step at most doubling.
  ///
  /// Every second one may be left out: steps of four are as far as publishers went without training in between.
  ///
  /// - Source: `train.sh` of the YaRN authors' repository, where the 128k models continue from the 64k ones with a
  ///   factor that counts from the first length; lint rule YP205.
  static func stages(from original: Int, to window: Int) -> [Int] {
    guard original > 0, window > original else { return [original] }
    var lengths = [original]
    while let last = lengths.last, last < window - last { lengths.append(2 * last) }
    return lengths + [window]
  }
}

/// Dynamic NTK scaling in place of a fixed table: prompts within the trained length lose nothing, and what is cached of
/// longer ones does not fit what comes later.
public struct DynamicScaling: Sendable {
  /// Those that compute it as published, from a file that states it; the table then follows the length of each sequence.
  public var runtimes: [String]
  /// Why the others do not, or nobody.
  public var refusal: FileError?
  /// How far scores are off where turned keys are cached; `nil` where that is not known.
  public var cachedKeys: CachedKeys?
}

/// What one engine makes of a model's files, and what it needs to serve a length.
public struct RuntimeAdvice: Sendable {
  public var runtime: String
  public var version: String?
  /// What it runs from, `nil` when it reads no file of the model.
  public var file: String?
  /// Whether it runs from what its converter makes of that file.
  public var isConverted = false
  /// What it derives from the files as they are, and as they will be; `nil` when it derives none.
  public var window, plannedWindow: Int?
  /// What keeps it from computing the advised table, or from serving the length; empty when nothing does.
  public var obstacles: [String] = []
  /// How to start it on the files as they are with the advised table.
  public var startOption: StartOption?
}
