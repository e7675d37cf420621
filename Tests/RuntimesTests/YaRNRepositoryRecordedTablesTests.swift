import LosslessJSON
import ModelConfig
import RoPE
import Testing

@testable import Runtimes

@Suite struct `Recorded tables of the YaRN authors' repository` {
  @Test func `every recorded method gives the classes' tables`() throws {
    let file = try RecordedFile("paper_repo.json")
    #expect(file.count == 245)
    var comparison = RecordedComparison()
    for recorded in file.cases {
      try compare(recorded, in: &comparison)
      comparison.finish(recorded.id)
    }
    comparison.report("yarn-repo 995db5b", recorded: file.count)
  }

  private func compare(_ recorded: RecordedCase, in comparison: inout RecordedComparison) throws {
    let made = YaRNRepositoryTable(
      try #require(method(of: recorded), "\(recorded.id)"), base: try #require(recorded.number("input", "base")),
      dimension: Int(try #require(recorded.number("input", "dim"))))
    let table: FrequencyTable
    do throws(RuntimeRefusal) {
      table = try made.table()
    } catch {
      let type = recorded["error", "type"]?.string
      return comparison.expect(error.kind == type, "\(error), recorded \(type ?? "a table")")
    }
    comparison.expect(recorded["error"] == nil, "a table, recorded \(recorded["error", "type"]?.string ?? "")")
    comparison.table(table.inverseFrequencies, recorded.numbers("inv_freq") ?? [], within: 5e-7)
    comparison.number("attention factor", table.attentionFactor, recorded.number("attention_factor"))
    comparison.rotations(recorded, table.inverseFrequencies, magnitude: table.attentionFactor)
  }

  /// The class and its arguments; members that a case does not have are left to the class's defaults.
  private func method(of recorded: RecordedCase) -> YaRNRepositoryMethod? {
    func value(_ key: String, _ absent: Double = 1) -> Double { recorded.number("input", key) ?? absent }
    let window = value("max_position_embeddings")
    let length = value("seq_len")
    let original = value("original_max_position_embeddings")
    let yarn = YaRNRepositoryMethod.YaRNSettings(
      YaRN(
        factor: value("scale"), originalContextLength: original, betaFast: value("beta_fast", 32),
        betaSlow: value("beta_slow", 1)),
      extrapolationFactor: value("extrapolation_factor"), attentionFactor: value("attn_factor"))
    var parts = YaRNRepositoryMethod.ByPartsSettings(scale: value("scale"), originalContextLength: original)
    parts.ntkFactor = value("ntk_factor")
    parts.extrapolationFactor = value("extrapolation_factor")

    let name = recorded["input", "method"]?.string ?? ""
    switch name.split(separator: "-seq").first.map(String.init) {
    case "yarn": return .yarn(yarn)
    case "dynamic-yarn": return .dynamicYaRN(yarn, sequenceLength: length, window: window, divisor: original)
    case "linear": return .linear(scale: value("scale"))
    case "dynamic-linear": return .dynamicLinear(sequenceLength: length, window: window)
    case "ntk-aware": return .ntkAware(alpha: value("alpha"))
    case "dynamic-ntk": return .dynamicNTK(value("ntk"), sequenceLength: length, window: window)
    case "ntk-by-parts", "ntk-by-parts-nontk": return .byParts(parts)
    case "dynamic-ntk-by-parts":
      parts.originalContextLength = window
      return .dynamicByParts(parts, sequenceLength: length, window: window)
    default: return nil
    }
  }
}
