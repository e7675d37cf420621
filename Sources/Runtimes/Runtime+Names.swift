/// A name that no runtime has, or a version that was not read.
public struct UnknownRuntime: Error, CustomStringConvertible {
  public let description: String
}

extension Runtime {
  /// Every runtime, in the order in which they are listed.
  public static let all: [Runtime] = [
    .transformers4, .transformers5, .vllm, .sglang, .mlxLM, .llamaCpp, .yarnRepository, .formula,
  ]

  /// Whether people serve models with it; the authors' code and the equations are what engines are measured by.
  public var isEngine: Bool { ![Runtime.yarnRepository.name, Formula.name].contains(name) }

  /// Those that serve models.
  public static let engines = all.filter(\.isEngine)

  /// The runtime of a name that may carry a version, the newest that fits: `vllm`, `vllm@0.33`, `vllm@0.33.0`.
  ///
  /// - Throws: ``UnknownRuntime`` with the known names or versions.
  public static func named(_ text: String) throws(UnknownRuntime) -> Runtime {
    let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let versions = all.filter { $0.name == parts[0] }
    guard let newest = versions.last else {
      let names = all.map(\.name).uniqued()
      throw UnknownRuntime(description: "unknown runtime \(parts[0]); known: \(names.joined(separator: ", "))")
    }
    guard parts.count > 1 else { return newest }
    guard let fitting = versions.last(where: { $0.version?.isVersion(parts[1]) == true }) else {
      let known = versions.map { $0.version ?? "none, it has no versions" }.joined(separator: ", ")
      throw UnknownRuntime(description: "unknown version \(parts[1]) of \(parts[0]); known: \(known)")
    }
    return fitting
  }
}

extension String {
  /// Whether `prefix` is this version or its first components: 0.33 is 0.33.0, 0.3 is not.
  fileprivate func isVersion(_ prefix: String) -> Bool { self == prefix || !prefix.isEmpty && hasPrefix(prefix + ".") }
}
