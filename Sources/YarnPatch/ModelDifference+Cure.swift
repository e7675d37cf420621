import ModelConfig

extension ModelDifference {
  private static let ramp = ["betaFast", "betaSlow", "truncate"]
  /// Members that options of `patch` change.
  private static let curable = Set(["kind", "factor", "originalContext", "contextLength", "base"] + ramp)

  /// How a cure begins that is a command.
  private var command: String { "yarn-patch patch \(second)" }

  /// Whether the first model's ramp is one that every reader takes from the factor alone.
  private var hasUsualRamp: Bool {
    guard let wanted, wanted.scalingKind == "yarn" else { return true }
    return (wanted.betaFast?.value ?? 32, wanted.betaSlow?.value ?? 1, wanted.truncate?.value ?? true) == (32, 1, true)
  }

  /// How the second model comes to say what the first one says.
  func cure(_ causes: [Setting]) -> String? {
    let members = Set(causes.map(\.member))
    // Heads of another size belong to another model, and so do divisors that weights were trained with.
    guard !members.contains("rotaryDimension"), !members.contains("factors") else { return nil }
    guard let options = wanted?.patchOptions, members.isSubset(of: Self.curable) else {
      return "make the second state what the first does: "
        + causes.map { "\($0.member) \($0.first ?? "(none)")" }.joined(separator: ", ")
    }
    let more = (["base"] + Self.ramp).filter(members.contains).compactMap { wanted?.option(for: $0) }
    // A GGUF's keys do not say it to every architecture of llama.cpp.
    let encoding = hasGGUF && !hasUsualRamp ? ["--encoding factors"] : []
    return ([command, options] + more + encoding).joined(separator: " ")
  }

  /// Some runtimes do not read another ramp from a config.json; without names, `patch` would refuse for their sake.
  mutating func nameRuntimesInCures() {
    guard !hasGGUF, !hasUsualRamp else { return }
    for index in results.indices where results[index].cure?.hasPrefix(command) == true {
      let runtimes = results[index].runtimes.map { " --runtime \($0)" }
      results[index].cure?.append(runtimes.joined())
    }
  }
}

extension RoPEDeclaration {
  /// Options of `patch` that make another file state this scaling; `nil` for kinds it does not write.
  fileprivate var patchOptions: String? {
    guard let kind = scalingKind else { return "--method none" }
    guard ["yarn", "linear", "dynamic"].contains(kind), let factor = factor?.value else { return nil }
    let original = (kind == "yarn" ? originalContext : contextLength).map { " --original-context \($0.value)" } ?? ""
    return (kind == "yarn" ? "" : "--method \(kind) ") + "--factor \(DeclaredValue.number(factor))\(original)"
  }

  /// The option that makes another file state this member; of YaRN's ramp the usual value where none is stated.
  fileprivate func option(for member: String) -> String? {
    switch member {
    case "base": base.map { "--base \(DeclaredValue.number($0.value))" }
    case _ where scalingKind != "yarn": nil
    case "betaFast": "--beta-fast \(DeclaredValue.number(betaFast?.value ?? 32))"
    case "betaSlow": "--beta-slow \(DeclaredValue.number(betaSlow?.value ?? 1))"
    case "truncate": truncate?.value == false ? "--no-truncate" : "--truncate"
    default: nil
    }
  }
}
