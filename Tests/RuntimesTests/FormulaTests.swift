import Diagnostics
import ModelConfig
import RoPE
import Runtimes
import Testing

@Suite struct FormulaTests {
  /// Methods of the mathematics that no config.json can name.
  static let undeclared: Set = ["ntk-aware", "ntk-by-parts", "dynamic-yarn"]

  @Test func `a declared setting gives the recorded table`() throws {
    let (cases, factors) = try formulaCases()
    var compared = 0
    for recorded in cases where !Self.undeclared.contains(recorded.input.method) {
      let id = Comment(rawValue: recorded.id)
      let text = try #require(recorded.config(factors: factors[recorded.id]), id)
      let declaration = try #require(try declarations(text).first, id)
      let reading = Formula.read(declaration, sequenceLength: recorded.sequenceLength)
      #expect(reading.refused == nil, id)
      let table = try #require(reading.table, id)
      try #require(table.inverseFrequencies.count == recorded.invFreq.count, id)
      let worst = zip(table.inverseFrequencies, recorded.invFreq).map { $0 == $1 ? 0 : abs($0 / $1 - 1) }.max() ?? 1
      #expect(worst <= 1e-12, id)
      // Some cases have no magnitude at all, so the error of those is absolute.
      #expect(abs(table.attentionFactor - recorded.attentionFactor) <= 1e-12 * max(recorded.attentionFactor, 1), id)
      #expect(table.softmaxScaleMultiplier == 1, id)
      compared += 1
    }
    #expect(compared == 227)
    #expect(cases.count == 265)
  }

  private func read(_ text: String, sequenceLength: Int? = nil) throws -> RuntimeReading {
    Formula.read(try #require(try declarations(text).first), sequenceLength: sequenceLength)
  }

  private static let common = "\"rope_theta\":1e6,\"head_dim\":128,\"max_position_embeddings\":131072"
  private func scaled(_ members: String) throws -> RuntimeReading {
    try read("{\(Self.common),\"rope_scaling\":{\(members)}}")
  }

  // MARK: what is filled in, and what is not

  @Test func `YaRN without betas and rounding takes the paper's`() throws {
    let yarn = "\"rope_type\":\"yarn\",\"factor\":4.0,\"original_max_position_embeddings\":32768"
    let implied = try scaled(yarn)
    let stated = try scaled(yarn + ",\"beta_fast\":32,\"beta_slow\":1,\"truncate\":true")
    #expect(implied.table == stated.table && implied.table != nil)
    #expect(implied.parameters?.scaling == .yarn(YaRN(factor: 4, originalContextLength: 32768)))
    #expect(implied.kind == "yarn" && implied.factor == 4 && implied.originalContext == 32768)
    #expect(implied.runtime == "formula" && implied.version == nil && implied.notes.isEmpty)
    #expect(try scaled(yarn + ",\"truncate\":false").table != implied.table)
  }

  @Test(arguments: [
    ("", 1.1386294361119891), (",\"attention_factor\":2.5", 2.5), (",\"attention_factor\":0", 0),
    (",\"mscale\":0.5", 1.1386294361119891), (",\"mscale_all_dim\":0.5", 1.1386294361119891),
    (",\"mscale\":0.5,\"mscale_all_dim\":0", 1.1386294361119891),
    (",\"mscale\":0,\"mscale_all_dim\":0.5", 1.1386294361119891),
    (",\"mscale\":1,\"mscale_all_dim\":1", 1),
    (",\"mscale\":1,\"mscale_all_dim\":0.5", 1.1386294361119891 / 1.0693147180559945),
    (",\"mscale\":1,\"mscale_all_dim\":0.5,\"attention_factor\":3", 3),
    (",\"attn_factor\":7", 1.1386294361119891),
  ]) func `the magnitude is the stated one, else a complete mscale pair's, else the paper's`(
    _ members: String, _ expected: Double
  ) throws {
    let yarn = "\"type\":\"yarn\",\"factor\":4,\"original_max_position_embeddings\":32768"
    let table = try #require(try scaled(yarn + members).table)
    #expect(abs(table.attentionFactor - expected) < 1e-12)
    #expect(table.softmaxScaleMultiplier == 1)
  }

  @Test(arguments: [
    ("yarn", ",\"mscale\":1,\"mscale_all_dim\":1", 1.3688879454113936 * 1.3688879454113936),
    ("yarn", ",\"mscale\":0.707,\"mscale_all_dim\":0.707", 1.2608037774058553 * 1.2608037774058553),
    ("yarn", ",\"mscale_all_dim\":1", 1.3688879454113936 * 1.3688879454113936),
    ("yarn", ",\"mscale\":1", 1), ("yarn", ",\"mscale\":1,\"mscale_all_dim\":0", 1), ("default", "", 1),
  ]) func `latent attention scales the softmax by the square of its magnitude`(
    _ kind: String, _ members: String, _ expected: Double
  ) throws {
    let text = """
      {"rope_theta":10000,"qk_rope_head_dim":64,"qk_nope_head_dim":128,"max_position_embeddings":163840,
       "rope_scaling":{"type":"\(kind)","factor":40,"original_max_position_embeddings":4096\(members)}}
      """
    let table = try #require(try read(text).table)
    #expect(abs(table.softmaxScaleMultiplier - expected) < 1e-12)
    #expect(table.inverseFrequencies.count == 32)
    // The same dictionary on an ordinary head leaves the softmax alone.
    let ordinary = text.replacing("\"qk_rope_head_dim\":64,\"qk_nope_head_dim\":128", with: "\"head_dim\":64")
    #expect(try read(ordinary).table?.softmaxScaleMultiplier == 1)
  }

  @Test func `a base raised for a longer window is used as it is`() throws {
    let declaration = try #require(
      try declarations(
        """
        {"rope_theta":8e6,"head_dim":128,"max_position_embeddings":32768,"original_max_position_embeddings":4096}
        """
      ).first)
    #expect(declaration.staticNTKFactor == 8)
    let reading = Formula.read(declaration)
    #expect(reading.kind == "default" && reading.parameters == RoPEParameters(base: 8e6, rotaryDimension: 128))
    #expect(reading.contextLength == 32768 && reading.originalContext == 4096)
  }

  @Test func `a partly rotating head has the table of the part`() throws {
    let reading = try read("{\"rope_theta\":1e4,\"head_dim\":80,\"partial_rotary_factor\":0.4}")
    #expect(reading.parameters == RoPEParameters(base: 1e4, rotaryDimension: 32))
  }

  @Test func `each layer type is read for itself`() throws {
    let readings = try declarations(
      """
      {"head_dim":128,"max_position_embeddings":131072,"rope_parameters":{
       "full_attention":{"rope_type":"yarn","rope_theta":1e6,"factor":4,"original_max_position_embeddings":32768},
       "sliding_attention":{"rope_type":"default","rope_theta":1e4}}}
      """
    ).map { Formula.read($0) }
    #expect(readings.map(\.layerType) == ["full_attention", "sliding_attention"])
    #expect(readings.map(\.kind) == ["yarn", "default"])
    #expect(readings[1].parameters == RoPEParameters(base: 1e4, rotaryDimension: 128))
  }

  // MARK: the sequence length

  @Test func `dynamic scaling begins beyond the window`() throws {
    let text =
      "{\"rope_theta\":1e4,\"head_dim\":64,\"max_position_embeddings\":2048,"
      + "\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2}}"
    let plain = FrequencyTable(RoPEParameters(base: 1e4, rotaryDimension: 64))
    for length in [nil, 0, 1, 2048] { #expect(try read(text, sequenceLength: length).table == plain) }
    #expect(try read(text, sequenceLength: 2049).table != plain)
    #expect(try read(text, sequenceLength: -5).table == plain)
  }

  @Test func `LongRoPE takes the long list beyond the original length, and for the declared window`() throws {
    let text = """
      {"rope_theta":1e4,"head_dim":4,"max_position_embeddings":8192,"original_max_position_embeddings":4096,
       "rope_scaling":{"type":"su","long_factor":[2,4],"short_factor":[1,1]}}
      """
    func first(_ length: Int?) throws -> Double? {
      try read(text, sequenceLength: length).table?.inverseFrequencies.first
    }
    #expect(try first(4096) == 1 && first(4097) == 0.5 && first(nil) == 0.5)
    let factor = (1 + 1 / 12.0).squareRoot()
    let magnitude = try #require(try read(text, sequenceLength: 1).table?.attentionFactor)
    #expect(abs(magnitude - factor) < 1e-15)
  }

  // MARK: the window

  @Test(
    arguments: [
      ("", 131072), ("\"type\":\"linear\",\"factor\":4", 524288), ("\"type\":\"dynamic\",\"factor\":2", 262144),
      ("\"type\":\"linear\",\"factor\":1.1", 144179), ("\"type\":\"linear\",\"factor\":1e14", nil),
      ("\"type\":\"yarn\",\"factor\":4,\"original_max_position_embeddings\":32768", 131072),
      ("\"type\":\"mrope\"", 131072),
    ] as [(String, Int?)]) func `linear and dynamic windows are those before scaling`(_ members: String, _ window: Int?)
    throws
  {
    #expect(try scaled(members).contextLength == window)
  }

  @Test func `a model that scales some of its layers states its scaled window`() throws {
    let gemma = try declarations(
      """
      {"rope_theta":1e6,"rope_local_base_freq":1e4,"head_dim":64,"max_position_embeddings":131072,
       "rope_scaling":{"rope_type":"linear","factor":8.0}}
      """
    ).map { Formula.read($0) }
    #expect(gemma.map(\.kind) == ["linear", "default"])
    #expect(gemma.map(\.contextLength) == [131072, 131072])
  }

  @Test func `no window stays none`() throws {
    let reading = try read("{\"rope_theta\":1e4,\"head_dim\":64,\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}}")
    #expect(reading.contextLength == nil && reading.table != nil)
  }

  @Test func `a GGUF states its scaled window`() throws {
    var declaration = gguf(factor: 2)
    declaration.contextLength = declared(8192)
    let reading = Formula.read(declaration)
    #expect(reading.kind == "linear" && reading.contextLength == 8192)
    #expect(reading.parameters?.scaling == .linear(factor: 2))
  }

  // MARK: GGUF

  private func declared<Value: Sendable>(_ value: Value) -> Declared<Value> {
    Declared(value, at: Diagnostics.SourceLocation(path: "m.gguf", key: "key"))
  }

  private func gguf(kind: String? = nil, factor: Double? = nil) -> RoPEDeclaration {
    var declaration = RoPEDeclaration()
    declaration.absentKindIsLinear = true
    declaration.base = declared(1e4)
    declaration.rotaryDimension = declared(8)
    declaration.kind = kind.map { declared($0) }
    declaration.factor = factor.map { declared($0) }
    return declaration
  }

  @Test func `stored divisors divide the plain frequencies`() throws {
    var declaration = gguf()
    declaration.frequencyDivisors = declared([1, 1, 2, 8])
    let plain = FrequencyTable(RoPEParameters(base: 1e4, rotaryDimension: 8)).inverseFrequencies
    let table = try #require(Formula.read(declaration).table)
    #expect(table.inverseFrequencies == zip(plain, [1, 1, 2, 8]).map { $0 / $1 })
    declaration.kind = declared("none")
    declaration.factor = declared(4)
    #expect(Formula.read(declaration).table == table)
  }

  @Test(arguments: ["linear", "yarn", "llama3", "proportional"]) func `divisors and a scaling on top are refused`(
    _ kind: String
  ) {
    var declaration = gguf(kind: kind, factor: 4)
    declaration.frequencyDivisors = declared([1, 1, 2, 8])
    declaration.originalContext = declared(4096)
    declaration.headDimension = declared(8)
    declaration.lowFrequencyFactor = declared(1)
    declaration.highFrequencyFactor = declared(4)
    let reading = Formula.read(declaration)
    #expect(reading.table == nil && reading.refused?.reason.contains("per-pair divisors") == true)
    #expect(reading.refused?.reason.contains(kind) == true)
  }

  @Test func `stored LongRoPE factors are read like declared ones, with the magnitude the file states`() throws {
    var declaration = gguf()
    declaration.contextLength = declared(8192)
    declaration.originalContext = declared(4096)
    declaration.longFactors = declared([1, 2, 4, 8])
    declaration.shortFactors = declared([1, 1, 1, 1])
    declaration.attentionFactor = declared(1.25)
    let plain = FrequencyTable(RoPEParameters(base: 1e4, rotaryDimension: 8)).inverseFrequencies
    let long = Formula.read(declaration)
    #expect(long.kind == "longrope" && long.table?.attentionFactor == 1.25)
    #expect(long.table?.inverseFrequencies == zip(plain, [1, 2, 4, 8]).map { $0 / $1 })
    #expect(Formula.read(declaration, sequenceLength: 4096).table?.inverseFrequencies == plain)
  }

  @Test(
    arguments: [
      ("linear", 4, "linear scaling"), ("yarn", 4, "yarn scaling"), ("none", nil, "default scaling"),
      (nil, 4, "a factor of 4.0 on top"), ("longrope", 2, "a factor of 2.0 on top"),
    ] as [(String?, Double?, String)]) func `LongRoPE's factors and another scaling are refused`(
      _ kind: String?, _ factor: Double?, _ reason: String
    )
  {
    var declaration = gguf(kind: kind, factor: factor)
    declaration.contextLength = declared(8192)
    declaration.originalContext = declared(4096)
    declaration.longFactors = declared([1, 2, 4, 8])
    #expect(Formula.read(declaration).refused?.reason == "the file stores LongRoPE's factors and declares \(reason)")
    declaration.longFactors = nil
    #expect(Formula.read(declaration).refused?.reason.contains("LongRoPE") != true)
  }

  @Test(arguments: [nil, "longrope", "linear", "dynamic", "yarn", "none"])
  func `the longest window and length are no trap`(
    _ kind: String?
  ) {
    var declaration = gguf(kind: kind, factor: 4)
    declaration.contextLength = declared(Int.max)
    declaration.originalContext = declared(Int.max)
    declaration.longFactors = kind == "longrope" ? declared([1, 2, 4, 8]) : nil
    for length in [nil, Int.max, Int.min] { #expect(Formula.read(declaration, sequenceLength: length).kind != "") }
    declaration.absentKindIsLinear = false
    for length in [nil, Int.max, Int.min] {
      let reading = Formula.read(declaration, sequenceLength: length)
      #expect(reading.table != nil || reading.refused != nil)
    }
  }

  @Test(arguments: [3, 5]) func `divisors for another rotary dimension are refused`(_ count: Int) {
    var declaration = gguf()
    declaration.frequencyDivisors = declared([Double](repeating: 1, count: count))
    #expect(Formula.read(declaration).refused?.reason.contains("factors is \(count) numbers") == true)
  }

  @Test(arguments: ["linear", "dynamic", "llama3", "default", "proportional"])
  func `a magnitude belongs to every kind in a GGUF, and to YaRN and LongRoPE in a config`(_ kind: String) throws {
    let inConfig = try scaled(
      """
      "rope_type":"\(kind)","factor":2,"attention_factor":1.5,"low_freq_factor":1,"high_freq_factor":4,
      "original_max_position_embeddings":8192
      """)
    #expect(inConfig.table?.attentionFactor == 1)
    guard ["linear", "default"].contains(kind) else { return }
    var declaration = gguf(kind: kind == "default" ? "none" : kind, factor: 2)
    declaration.attentionFactor = declared(1.5)
    #expect(Formula.read(declaration).table?.attentionFactor == 1.5)
  }

  // MARK: refusals

  @Test(arguments: [
    ("{}", "RoPE base"), ("{\"rope_theta\":1e4}", "rotary dimension"), ("{\"head_dim\":64}", "RoPE base"),
    ("{@\"type\":\"linear\"}}", "scaling factor"), ("{@\"type\":\"yarn\"}}", "scaling factor"),
    ("{@\"type\":\"yarn\",\"factor\":4}}", "original context length"),
    ("{@\"type\":\"dynamic\",\"factor\":4}}", "context length"),
    ("{\"max_position_embeddings\":8,@\"type\":\"dynamic\"}}", "scaling factor"),
    ("{@\"type\":\"llama3\"}}", "scaling factor"), ("{@\"type\":\"llama3\",\"factor\":8}}", "low_freq_factor"),
    ("{@\"type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1}}", "high_freq_factor"),
    ("{@\"type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,\"high_freq_factor\":4}}", "original context length"),
    ("{@\"type\":\"longrope\"}}", "context length"),
    ("{\"max_position_embeddings\":8,@\"type\":\"longrope\"}}", "original context length"),
    (
      "{\"max_position_embeddings\":8,@\"type\":\"longrope\",\"original_max_position_embeddings\":4,\"short_factor\":[1]}}",
      "per-pair factors"
    ),
  ]) func `a missing input is named`(_ text: String, _ name: String) throws {
    let text = text.replacing("@", with: "\"rope_theta\":1e4,\"head_dim\":64,\"rope_scaling\":{")
    let reading = try read(text)
    #expect(reading.table == nil && reading.parameters == nil)
    #expect(
      reading.refused?.reason.hasPrefix("the file states no \(name)") == true, "\(reading.refused?.reason ?? "read")")
  }

  @Test func `proportional needs the head it is a part of`() throws {
    let text = "{\"rope_theta\":1e4,\"rotary_dim\":8,\"rope_scaling\":{\"type\":\"proportional\"}}"
    #expect(try read(text).refused?.reason == "the file states no head dimension")
    #expect(try read(text.replacing("{\"rope", with: "{\"head_dim\":16,\"rope")).table?.inverseFrequencies.count == 8)
  }

  @Test func `two bases are refused with both places, equal ones are not`() throws {
    let text =
      "{\"head_dim\":64,\"rope_theta\":1e4,\"rope_scaling\":{\"type\":\"linear\",\"factor\":2,\"rope_theta\":5e5}}"
    let refused = try #require(try read(text).refused?.reason)
    #expect(refused == "the base is 10000.0 at /rope_theta and 500000.0 at /rope_scaling/rope_theta")
    #expect(try read(text.replacing("5e5", with: "1e4")).refused == nil)
  }

  @Test(arguments: ["ntk", "dynamic-yarn", "telechat3-yarn", "", "yarn ", "llama-3"])
  func `a kind of no published equation is refused by its name`(_ kind: String) throws {
    let reading = try scaled("\"rope_type\":\"\(kind)\",\"factor\":4.0,\"original_max_position_embeddings\":32768")
    #expect(reading.refused?.reason == "\"\(kind)\" is not a scaling kind of the published equations")
    #expect(reading.table == nil && reading.kind == kind)
  }

  @Test(arguments: [
    ("{\"head_dim\":64,\"rope_theta\":1e300}", "base"),
    ("{\"rotary_dim\":1000000,\"rope_theta\":1e4}", "rotaryDimension"),
    (
      "{\"head_dim\":2,\"rope_theta\":1e4,\"max_position_embeddings\":9,\"rope_scaling\":{\"type\":\"dynamic\",\"factor\":2}}",
      "rotaryDimension"
    ),
    ("{\"head_dim\":64,\"rope_theta\":1e4,\"rope_scaling\":{\"type\":\"linear\",\"factor\":1e-300}}", "factor"),
    (
      "{\"head_dim\":4,\"rope_theta\":1e4,\"max_position_embeddings\":8,\"original_max_position_embeddings\":4,"
        + "\"rope_scaling\":{\"type\":\"longrope\",\"long_factor\":[1,2,3]}}", "factors"
    ),
    (
      "{\"head_dim\":4,\"rope_theta\":1e4,\"max_position_embeddings\":8,\"original_max_position_embeddings\":4,"
        + "\"rope_scaling\":{\"type\":\"longrope\",\"long_factor\":[1,0]}}", "factors"
    ),
  ]) func `values beyond all reason are refused by their name`(_ text: String, _ parameter: String) throws {
    let reading = try read(text)
    #expect(
      reading.table == nil && reading.refused?.reason.hasPrefix("\(parameter) is ") == true,
      "\(reading.refused?.reason ?? "")")
  }
}
