import LosslessJSON
import ModelConfig
import RoPE
import Testing

@testable import Runtimes

@Suite struct `Recorded tables of the YaRN authors' repository` {
  @Test func `every recorded method gives the classes' tables`() throws {
    let cases = try RecordedFile("paper_repo").cases
    #expect(cases.count >= 245)
    var comparison = RecordedComparison()
    for recorded in cases {
      comparison.compare(try reading(of: recorded), with: recorded.members, id: recorded.id)
    }
    print(comparison.summary("yarn-repo", cases: cases.count))
    #expect(comparison.failures.isEmpty, "\(comparison.failures.prefix(20).joined(separator: "\n"))")
  }

  /// The classes are recorded without the model files, which a reading of a config goes through.
  private func reading(of recorded: RecordedCase) throws -> RuntimeReading {
    let made = YaRNRepositoryTable(
      try #require(method(of: recorded), "\(recorded.id)"),
      base: try #require(recorded.input["base"]?.number?.double),
      dimension: try #require(recorded.input["dim"]?.number?.integer))
    var reading = RuntimeReading("yarn-repo", version: nil, kind: "class")
    do throws(RuntimeRefusal) { reading.table = try made.table() } catch { reading.refused = error }
    return reading
  }

  /// The class and its arguments; members that a case does not have are left to the class's defaults.
  private func method(of recorded: RecordedCase) -> YaRNRepositoryMethod? {
    func value(_ key: String, _ absent: Double = 1) -> Double { recorded.input[key]?.number?.double ?? absent }
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

    let name = recorded.input["method"]?.string ?? ""
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
