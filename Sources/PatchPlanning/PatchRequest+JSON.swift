import LosslessJSON
import Runtimes

// A request in a saved plan: the options that were given, by their names on the command line.

extension PatchRequest {
  /// What was asked. Options that were not given have no member.
  ///
  /// - Parameter knownModels: The user's table of known models as the plan names it.
  package func json(knownModels: String?) -> JSONText {
    var (factor, context): (Double?, Int?)
    switch reach {
    case .factor(let asked): factor = asked
    case .context(let tokens): context = tokens
    case nil: break
    }
    let members: [(key: String, value: JSONText)] = [
      ("method", .string(method.rawValue)), ("factor", .optional(factor)), ("context", .optional(context)),
      ("originalContext", .optional(originalContext)), ("base", .optional(base)), ("betaFast", .optional(betaFast)),
      ("betaSlow", .optional(betaSlow)), ("attentionFactor", .optional(attentionFactor)),
      ("mscale", .optional(mscale)), ("mscaleAllDim", .optional(mscaleAllDim)), ("truncate", .optional(truncate)),
      ("section", .optional(section)), ("knownModels", .optional(knownModels)),
      ("encoding", encoding == .keys ? .null : .string(encoding.rawValue)),
      ("runtimes", runtimes.map { .array($0.map { .string($0.exactName) }) } ?? .null),
      ("allowed", allowed.isEmpty ? .null : .array(allowed.sorted().map(JSONText.string))),
    ]
    return .object(members.filter { if case .null = $0.value { false } else { true } })
  }

  /// What ``json(knownModels:)`` wrote, but for the table of known models.
  ///
  /// Takes what it can read: whoever reads a file writes the request again and compares.
  package init(_ node: JSONNode) {
    func value(_ key: String) -> JSONValue? { node.child(key)?.value }
    func number(_ key: String) -> Double? { value(key)?.number?.double }
    func integer(_ key: String) -> Int? { value(key)?.number?.integer }
    func texts(_ key: String) -> [String]? { value(key)?.elements?.compactMap(\.value.string) }
    self.init(
      value("method")?.string.flatMap(PatchMethod.init) ?? .yarn,
      reach: number("factor").map(Reach.factor) ?? integer("context").map(Reach.context))
    originalContext = integer("originalContext")
    base = number("base")
    betaFast = number("betaFast")
    betaSlow = number("betaSlow")
    attentionFactor = number("attentionFactor")
    mscale = number("mscale")
    mscaleAllDim = number("mscaleAllDim")
    truncate = value("truncate")?.bool
    section = value("section")?.string
    encoding = value("encoding")?.string.flatMap(PatchEncoding.init) ?? .keys
    runtimes = texts("runtimes")?.compactMap { try? Runtime.named($0) }
    allowed = Set(texts("allowed") ?? [])
  }
}

extension Runtime {
  /// Name and version as `--runtime` takes them: `vllm@0.33.0`.
  package var exactName: String { version.map { "\(name)@\($0)" } ?? name }
}
