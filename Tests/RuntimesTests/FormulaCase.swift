import Foundation
import LosslessJSON
import ModelConfig
import TestSupport
import Testing

/// One setting of `fixtures/frequency-tables/formula.json`, evaluated elsewhere with mpmath at 50 digits.
struct FormulaCase: Decodable {
  var id: String
  var input: Input
  var invFreq: [Double]
  var attentionFactor: Double

  struct Input: Decodable {
    var method: String
    var dim: Int
    var base: Double
    var factor: Double?
    var original: Int?
    var betaFast: Double?
    var betaSlow: Double?
    var truncate: Bool?
    var attentionFactor: Double?
    var mscale: Double?
    var mscaleAllDim: Double?
    var lowFreqFactor: Double?
    var highFreqFactor: Double?
    var maxPositionEmbeddings: Int?
    var seqLen: Int?
    var headDim: Int?
    var which: String?
  }

  /// The setting as the config.json of a model that declares it; `nil` for methods no file can declare.
  ///
  /// - Parameter factors: Divisors of a LongRoPE case.
  func config(factors: [Double]?) -> String? {
    guard let (kind, members) = scaling(factors: factors) else { return nil }
    var top = ["\"rope_theta\":\(input.base)", "\"head_dim\":\(input.headDim ?? input.dim)"]
    if let window = input.maxPositionEmbeddings { top.append("\"max_position_embeddings\":\(window)") }
    if let head = input.headDim { top.append("\"partial_rotary_factor\":\(Double(input.dim) / Double(head))") }
    let inner = members.compactMap { key, value in value.map { "\"\(key)\":\($0)" } } + ["\"rope_type\":\"\(kind)\""]
    return "{\(top.joined(separator: ",")),\"rope_scaling\":{\(inner.joined(separator: ","))}}"
  }

  /// The length at which the table is taken, where it depends on one.
  var sequenceLength: Int? {
    switch input.which {
    case "long": (input.original ?? 0) + 1
    case "short": input.original
    default: input.seqLen
    }
  }

  private func scaling(factors: [Double]?) -> (kind: String, members: [(String, (any Sendable)?)])? {
    let original = ("original_max_position_embeddings", input.original as (any Sendable)?)
    let factor = ("factor", input.factor as (any Sendable)?)
    switch input.method {
    case "rope": return ("default", [])
    case "PI": return ("linear", [factor])
    case "dynamic-ntk": return ("dynamic", [factor])
    case "proportional": return ("proportional", [factor])
    case "yarn":
      return (
        "yarn",
        [
          factor, original, ("beta_fast", input.betaFast), ("beta_slow", input.betaSlow), ("truncate", input.truncate),
          ("attention_factor", input.attentionFactor), ("mscale", input.mscale),
          ("mscale_all_dim", input.mscaleAllDim),
        ]
      )
    case "llama3":
      return (
        "llama3",
        [
          factor, original, ("low_freq_factor", input.lowFreqFactor), ("high_freq_factor", input.highFreqFactor),
        ]
      )
    case "longrope":
      // The list that is not meant would give another table.
      let other = [Double](repeating: 3, count: input.dim / 2)
      let isLong = input.which == "long"
      return (
        "longrope", [original, ("long_factor", isLong ? factors : other), ("short_factor", isLong ? other : factors)]
      )
    default: return nil
    }
  }
}

/// The recorded cases, and the divisors of the LongRoPE ones by case id.
func formulaCases() throws -> (cases: [FormulaCase], factors: [String: [Double]]) {
  struct Cases: Decodable { var cases: [FormulaCase] }
  func data(_ name: String) throws -> Data { Data(try Fixture.bytes("frequency-tables/\(name).json")) }
  let decoder = JSONDecoder()
  decoder.keyDecodingStrategy = .convertFromSnakeCase
  return (
    try decoder.decode(Cases.self, from: data("formula")).cases,
    try JSONDecoder().decode([String: [Double]].self, from: data("longrope-factors"))
  )
}

/// What a config.json in this text declares; it must be free of problems.
func declarations(_ text: String) throws -> [RoPEDeclaration] {
  let read = try HuggingFaceConfig(try JSONDocument(Array(text.utf8), path: "config.json")).ropeDeclarations()
  #expect(read.problems.map(\.description) == [], "\(text)")
  return read.declarations
}
