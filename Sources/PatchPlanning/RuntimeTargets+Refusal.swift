import Agreement
import Diagnostics
import Runtimes

extension RuntimeTargets {
  /// Names the runtimes that would compute something else, what they would compute, and how to go on.
  func refusal(_ departures: [Departure], _ input: RuntimeInput, at place: SourceLocation) -> FileError {
    let departing = Set(departures.map(\.runtime.name))
    let agreeing = runtimes.filter { !departing.contains($0.name) }
    var remedies = departures.compactMap { departure in
      startOptions(for: departure.runtime, input).map { "start \(departure.runtime.name) with \($0)" }
    }
    if input.format == .gguf {
      remedies.append("patch config.json alone")
    } else {
      // Where nobody agrees, the published equations are left to go by.
      let names = agreeing.isEmpty ? [Formula.name] : agreeing.map(\.name)
      remedies.append("go by those that agree: \(names.map { "--runtime \($0)" }.joined(separator: " "))")
    }
    remedies.append("ask for other values")
    return FileError(
      .runtimesDisagree, at: place,
      found: departures.map { "\($0.runtime.name) \($0.phrase)" }.joined(separator: "; "),
      expected: "a spelling that \(runtimes.map(\.name).joined(separator: ", ")) read as it is meant",
      remedy: remedies.joined(separator: "; or "))
  }
}

extension Departure {
  /// What the runtime would do instead, after its name.
  fileprivate var phrase: String { (layerType.map { "for \($0) layers " } ?? "") + effect.phrase }
}

extension Effect {
  fileprivate var phrase: String {
    switch self {
    case .refusal(let refusal): "gives no table (\(refusal.reason))"
    case .pairCount(let wanted, let found): "rotates \(found) pairs instead of \(wanted)"
    case .frequency(let pair, let wanted, let found):
      "turns pair \(pair) by \(Float(found)) instead of \(Float(wanted)) a position"
    case .magnitude(let factors, let multipliers):
      [("cos and sin", factors), ("the softmax scale", multipliers)].filter { Float($0.1.0) != Float($0.1.1) }.map {
        "multiplies \($0.0) by \(Float($0.1.1)) instead of \(Float($0.1.0))"
      }.joined(separator: " and ")
    case .window(let wanted, let found): "serves \(found) tokens instead of \(wanted)"
    }
  }
}
