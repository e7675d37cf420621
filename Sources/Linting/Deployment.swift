import Runtimes

/// What is known about how a model will be used.
public struct Deployment: Sendable {
  /// What servers do with cached keys.
  public enum Feature: String, Sendable, CaseIterable {
    case prefixCaching = "prefix-caching"
    case cacheReuse = "cache-reuse"
    case continuousBatching = "continuous-batching"
  }

  /// Longest sequence that is to be served, in tokens.
  public var serveLength: Int?
  /// Who is to run the model.
  public var targets = Runtime.engines
  public var features: Set<Feature> = []
  /// Command lines with which servers are started, as a shell takes them.
  public var launches: [String] = []

  public init() {}

  /// Whether a runtime is one of the targets, by its contract name.
  package func targets(_ name: String) -> Bool { targets.contains { $0.name == name } }
}
