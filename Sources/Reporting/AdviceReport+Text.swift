import Diagnostics
import ModelConfig
import Runtimes
import YarnPatch

extension AdviceReport {
  /// - Parameter detail: Quiet leaves out the notes.
  public static func text(_ advice: Advice, detail: ReportDetail = .normal) -> String {
    var text = printable("\(advice.path): \(verdict(advice)), \(advice.reason)") + "\n"
    if let remedy = advice.remedy { text += columns([["what to do", remedy]]) }
    // One line to copy, however long.
    if !advice.arguments.isEmpty { text += "  " + printable(advice.arguments.commandLine) + "\n" }
    if detail != .quiet { text += columns(advice.notes.map { ["note", $0] }) }
    text += lengths(advice)
    if let cost = advice.shortPrompts { text += shortPrompts(cost) }
    if let dynamic = advice.dynamic { text += self.dynamic(dynamic, advice) }
    return text + runtimes(advice)
  }

  private static func verdict(_ advice: Advice) -> String {
    switch advice.verdict {
    case .keep: "nothing to change"
    case .unreachable: "out of reach"
    case .patch:
      advice.settings.map {
        $0.method == .none ? "remove the scaling" : "\($0.method.rawValue) ×\(significant($0.factor))"
      }
        ?? "patch"
    }
  }

  // MARK: lengths

  private static func lengths(_ advice: Advice) -> String {
    let isPlanned = advice.lengths.contains { $0.factor != nil }
    let heading = isPlanned ? ["factor", "attention factor", "short prompts"] : []
    func number(_ value: Double?) -> String { value.map { significant($0, 4) } ?? "unknown" }
    let rows = advice.lengths.map { length in
      ["\(length.tokens)"]
        + (isPlanned
          ? [number(length.factor), number(length.attentionFactor), length.scoreChange.map(percent) ?? "unknown"] : [])
        + [length.cache16Bit, length.cache8Bit].map { $0.map(byteText) ?? "unknown" }
    }
    var text = "lengths, with the memory for keys and values of one sequence\n"
    text += columns([["tokens"] + heading + ["at 16 bits", "at 8 bits"]] + rows)
    text += columns(cache(advice.cache).map { [$0] })
    guard isPlanned else { return text }
    text += "  short prompts: by how much scores change at most within the first length, see below\n"
    guard advice.lengths.count > 2 else { return text }
    return text
      + "  where the weights are trained along, these are the stages, as YaRN's authors went on from 64k to 128k; each\n"
      + "  factor counts from the original length, and every second stage may be left out: a step is at most ×4\n"
  }

  private static func cache(_ cache: Result<KeyValueCache, FileError>) -> [String] {
    switch cache {
    case .failure(let error):
      return ["unknown, for \(error.location.key ?? error.location.path): \(error.found), expected \(error.expected)"]
    case .success(let cache):
      let groups = cache.layers.map { group in
        "\(group.count) of \(cache.depth) layers keep \(group.elements) numbers for each token"
          + (group.window.map { ", of the last \($0)" } ?? "")
      }
      return groups + cache.bounds.map { "at most: \($0)" } + cache.notes
    }
  }

  private static func percent(_ share: Double) -> String { "\(significant(100 * share, 3)) %" }

  // MARK: short prompts, and the way around them

  private static func shortPrompts(_ cost: ShortPromptCost) -> String {
    var lines: [String] = []
    if let kept = cost.kept, let blended = cost.blended, let divided = cost.divided {
      lines.append("of \(kept + blended + divided) pairs \(kept) are kept, \(blended) blended, \(divided) divided")
    }
    lines.append("at distance 0 every logit is multiplied by \(significant(cost.logitScale, 4))")
    let changes = cost.scoreChanges.map { "\(percent($0.relative)) at \($0.distance)" }
    lines.append("scores of random heads change, by distance: \(changes.joined(separator: ", ")) (root mean square)")
    if let before = cost.entropyBefore, let after = cost.entropyAfter {
      lines.append(
        "attention over \(cost.entropyLength) independent keys has an entropy of \(significant(after, 3)) nats instead of"
          + " \(significant(before, 3))")
    }
    lines.append("what that does to answers is not measured here; serve short prompts from files without it")
    return "what prompts of up to \(cost.length) tokens see of it\n" + columns(lines.map { [$0] })
  }

  private static func dynamic(_ dynamic: DynamicScaling, _ advice: Advice) -> String {
    var lines = [
      "a fixed table is right whatever is cached; one that follows the length (dynamic) leaves prompts of up to"
        + " \(advice.originalContext ?? 0) tokens as they were"
    ]
    if let keys = dynamic.cachedKeys, let worst = keys.errors.max(by: { $0.relative < $1.relative }) {
      lines.append(
        "from \(keys.firstChangedLength) tokens on it needs a cache of keys before rotation: turned ones put scores off by"
          + " up to \(percent(worst.relative)) at \(keys.length) tokens")
    }
    if !dynamic.runtimes.isEmpty {
      lines.append("computed as published by \(dynamic.runtimes.joined(separator: ", ")) alone")
    } else if let refusal = dynamic.refusal {
      lines.append("no runtime computes it as published from these files: \(refusal.found)")
    }
    return "fixed or dynamic: fixed\n" + columns(lines.map { [$0] })
  }

  // MARK: runtimes

  private static func runtimes(_ advice: Advice) -> String {
    // No columns: the options are copied, and are as long as a terminal is wide.
    var lines = advice.runtimes.filter { $0.file != nil }.flatMap { runtime in
      ["  \(name(runtime)): \(need(runtime, advice))"] + unpatched(runtime)
    }
    let others = advice.runtimes.filter { $0.file == nil }.map(\.runtime)
    if !others.isEmpty { lines.append("  \(others.joined(separator: ", ")): no file of this model is for them") }
    return "runtimes\n" + lines.map { printable($0) + "\n" }.joined()
  }

  private static func name(_ runtime: RuntimeAdvice) -> String {
    [runtime.runtime, runtime.version].compactMap(\.self).joined(separator: " ")
  }

  private static func need(_ runtime: RuntimeAdvice, _ advice: Advice) -> String {
    let window = runtime.plannedWindow ?? (advice.verdict == .patch ? nil : runtime.window)
    guard runtime.obstacles.isEmpty else { return "does not serve it: \(runtime.obstacles.joined(separator: "; "))" }
    if advice.verdict == .unreachable { return "refuses no length, and computes what the weights were not trained for" }
    let reach = window.map { "a window of \($0) tokens" } ?? "no window of its own, so no length is refused"
    let need = advice.verdict == .patch ? "needs the patched files" : "takes the files as they are"
    return "\(need)\(runtime.isConverted ? ", converted to GGUF" : ""): \(reach)"
  }

  private static func unpatched(_ runtime: RuntimeAdvice) -> [String] {
    guard let option = runtime.startOption else { return [] }
    if option.arguments.isEmpty { return option.remark.map { ["    not without the patch: \($0)"] } ?? [] }
    return ["    or, on the files as they are: \(option.commandLine)", option.remark.map { "    \($0)" }].compactMap(
      \.self)
  }
}
