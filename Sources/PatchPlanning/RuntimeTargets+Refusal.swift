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
    if departures.contains(where: { Self.patchedLayer(of: $0.runtime.read(input))?.refused == .nullHead }) {
      remedies.append("write the head size in the place of the null")
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
      found: departures.map { "\($0.runtime.name): \($0.phrase)" }.joined(separator: "; "),
      expected: "a spelling that \(runtimes.map(\.name).joined(separator: ", ")) read as it is meant",
      remedy: remedies.joined(separator: "; or "))
  }
}

extension Departure {
  /// What the runtime would do instead, after its name.
  fileprivate var phrase: String { (layerType.map { "for \($0) layers " } ?? "") + effect.phrase }
}
