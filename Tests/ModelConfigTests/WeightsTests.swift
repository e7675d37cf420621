import Bytes
import Diagnostics
import GGUF
import LosslessJSON
import RoPE
import Safetensors
import TestSupport
import Testing

@testable import ModelConfig

/// What shapes and stored tables of the weights say beside the config.
@Suite struct WeightsTests {
  /// A fixture's config with its weights, read as the loader does.
  private func model(_ name: String, shards: [String] = ["model.safetensors"]) throws -> (
    declaration: RoPEDeclaration, report: BaseReport
  ) {
    var shapes = TensorShapes()
    var stored: [StoredTable] = []
    for shard in shards {
      let source = MemorySource(try fixture("safetensors/\(name)/\(shard)"), path: shard)
      let file = try SafetensorsFile(source)
      shapes.add(file)
      for tensor in file.tensors.inverseFrequencyBuffers {
        let values = Declared(
          try file.floatValues(of: tensor, in: source), at: Diagnostics.SourceLocation(path: shard, key: tensor.name))
        stored.append(StoredTable(values, relativeRounding: 0x1p-24))
      }
    }
    let text = String(decoding: try fixture("safetensors/\(name)/config.json"), as: UTF8.self)
    let read = try config(text).ropeDeclarations(shapes: shapes)
    #expect(read.complaints == [])
    let declaration = try #require(read.declarations.first)
    return (declaration, BaseReport(declaration, stored: stored, path: name))
  }

  private let buffer = "model.layers.0.self_attn.rotary_emb.inv_freq"

  @Test func `the projections tell the head size where the config does not`() throws {
    let declaration = try model("no-head-dim").declaration
    #expect(
      declaration.claims.suffix(2) == [
        "head=24@model.layers.0.self_attn.q_proj.weight", "rotary=24@model.layers.0.self_attn.q_proj.weight",
      ])
  }

  @Test func `the config's own head size goes before the shapes`() throws {
    #expect(try model("single").declaration.headDimension?.place.key == "/head_dim")
    let sharded = try model(
      "sharded", shards: ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"])
    #expect(sharded.declaration.headDimension?.value == 16 && sharded.report.problems.isEmpty)
    #expect(sharded.report.comparedTables == 0)
  }

  @Test func `a stored table that agrees is counted and nothing else`() throws {
    let report = try model("stored-inv-freq").report
    #expect(report.problems.isEmpty && report.comparedTables == 1 && report.base?.value == 10000)
  }

  @Test func `a stored table of another base is reported with the base it implies`() throws {
    let report = try model("stored-inv-freq-wrong-base").report
    #expect(report.comparedTables == 1 && report.problems.map(\.code) == [.storedTableDisagrees])
    let problem = try #require(report.problems.first)
    #expect(problem.location.key == buffer && problem.location.path == "model.safetensors")
    #expect(problem.found.contains("a base near 10000") && problem.expected.contains("base 1000000"))
  }

  // MARK: shapes

  private func shapes(_ tensors: [(name: String, shape: [Int])]) throws -> TensorShapes {
    let bytes = SafetensorsBuilder(
      tensors.map { ($0.name, "F32", $0.shape, [UInt8](repeating: 0, count: 4 * $0.shape.reduce(1, *))) }
    ).bytes
    var shapes = TensorShapes()
    shapes.add(try SafetensorsFile(MemorySource(bytes, path: "w")))
    return shapes
  }

  private func head(_ text: String, _ tensors: [(name: String, shape: [Int])]) throws -> [String] {
    try config(text).ropeDeclarations(shapes: try shapes(tensors)).claims.joined().filter {
      $0.hasPrefix("head") || $0.hasPrefix("rotary")
    }
  }

  private let heads = "{\"hidden_size\":16,\"num_attention_heads\":2,\"num_key_value_heads\":1}"

  @Test func `query rows, then key rows, then a norm over one head`() throws {
    let (q, k) = ("l.0.self_attn.q_proj.weight", "l.0.self_attn.k_proj.weight")
    let norm = "l.0.self_attn.q_norm.weight"
    #expect(try head(heads, [(q, [24, 4]), (k, [12, 4])]) == ["head=12@\(q)", "rotary=12@\(q)"])
    #expect(try head(heads, [(k, [12, 4])]) == ["head=12@\(k)", "rotary=12@\(k)"])
    // Rows that heads do not divide tell nothing.
    #expect(try head(heads, [(q, [25, 4])]) == ["head=8@/hidden_size", "rotary=8@/hidden_size"])
    #expect(try head("{}", [(q, [24, 4]), (norm, [12])]) == ["head=12@\(norm)", "rotary=12@\(norm)"])
    // A norm as wide as all heads together is not one head's.
    #expect(try head("{}", [(q, [24, 4]), (norm, [24])]) == [])
    #expect(try head("{}", [(q, [24, 4])]) == [])
  }

  @Test func `towers and packed projections tell nothing of the language model's heads`() throws {
    let stated = ["head=8@/hidden_size", "rotary=8@/hidden_size"]
    let q = "model.layers.0.self_attn.q_proj.weight"
    for tower in ["vision_tower.", "audio_tower.", "model.visual.", "image_encoder."] {
      #expect(try head(heads, [("\(tower)layers.0.self_attn.q_proj.weight", [24, 4])]) == stated)
      #expect(
        try head(heads, [("\(tower)layers.0.self_attn.q_proj.weight", [24, 4]), (q, [20, 4])])
          == ["head=10@\(q)", "rotary=10@\(q)"])
    }
    // bitsandbytes stores four-bit weights as one column, two of them in a byte.
    #expect(try head(heads, [(q, [192, 1])]) == stated)
    #expect(try head(heads, [(q, [192])]) == stated)
  }

  @Test func `a stored table tells the rotary dimension where nothing else does`() throws {
    #expect(try head("{}", [(buffer, [6])]) == ["rotary=12@\(buffer)"])
    #expect(try head("{}", [(buffer, [0])]) == [])
    #expect(try head("{}", [(buffer, [2, 3])]) == [])
  }

  // MARK: base report

  private func declaration(_ base: Double?, rotary: Int? = 32, others: [Double] = []) -> RoPEDeclaration {
    var declaration = RoPEDeclaration()
    func place(_ key: String) -> Diagnostics.SourceLocation { .init(path: "c", key: key) }
    declaration.base = base.map { Declared($0, at: place("/rope_theta")) }
    declaration.bases =
      [base].compactMap { $0.map { Declared($0, at: place("/rope_theta")) } }
      + others.map { Declared($0, at: place("/other")) }
    declaration.rotaryDimension = rotary.map { Declared($0, at: place("/head_dim")) }
    return declaration
  }

  private func table(_ values: [Double], rounding: Double = 0x1p-24) -> StoredTable {
    StoredTable(Declared(values, at: Diagnostics.SourceLocation(path: "w", key: buffer)), relativeRounding: rounding)
  }

  private func frequencies(_ base: Double, rotary: Int = 32) -> [Double] {
    FrequencyTable(RoPEParameters(base: base, rotaryDimension: rotary)).inverseFrequencies
  }

  @Test func `a missing base is reported once, whatever is stored`() {
    let report = BaseReport(declaration(nil), stored: [table(frequencies(1e4))], path: "c")
    #expect(report.problems.map(\.code) == [.baseMissing] && report.problems.first?.location.path == "c")
    #expect(report.comparedTables == 0)
  }

  @Test func `bases that differ are reported at the other place`() {
    let report = BaseReport(declaration(1e4, others: [1e4, 5e5]), stored: [], path: "c")
    #expect(report.problems.map(\.code) == [.basesDisagree])
    #expect(report.problems.first?.location.key == "/other" && report.places.count == 3)
  }

  @Test func `half-precision tables are compared within their rounding, no further`() {
    let exact = frequencies(1e4)
    let half = exact.map { Double(Float16($0)) }
    let brain = exact.map { Double(Float(bitPattern: (Float($0).bitPattern + 0x8000) & 0xffff_0000)) }
    func codes(_ values: [Double], _ rounding: Double, base: Double = 1e4) -> [FileError.Code] {
      BaseReport(declaration(base), stored: [table(values, rounding: rounding)], path: "c").problems.map(\.code)
    }
    // The slowest pairs of a float16 table are subnormal from base 16384 on; at 10000 they are not.
    #expect(codes(half, 0x1p-11) == [])
    #expect(codes(brain, 0x1p-8) == [])
    #expect(codes(half, 0x1p-24) == [.storedTableDisagrees])
    #expect(codes(brain, 0x1p-11) == [.storedTableDisagrees])
    #expect(codes(half, 0x1p-11, base: 11000) == [.storedTableDisagrees])
  }

  @Test(arguments: [Double.nan, .infinity, 0, -1]) func `a stored value that is no frequency disagrees`(_ value: Double)
  {
    for pair in [0, 1, 15] {
      var stored = frequencies(1e4)
      stored[pair] = value
      let report = BaseReport(declaration(1e4), stored: [table(stored)], path: "c")
      #expect(report.problems.map(\.code) == [.storedTableDisagrees], "\(pair)")
      #expect(report.problems.first?.found.hasPrefix("pair \(pair) is stored as \(value)") == true)
    }
  }

  @Test(arguments: [0, 1, 15, 17, 32]) func `a table of another length is reported`(_ count: Int) {
    let stored = (0..<count).map { _ in 1.0 }
    let report = BaseReport(declaration(1e4), stored: [table(stored)], path: "c")
    #expect(report.problems.map(\.code) == [.storedTableDisagrees])
    #expect(report.problems.first?.found.contains("\(count) frequencies") == true)
  }

  @Test func `without a rotary dimension nothing is compared`() {
    let report = BaseReport(declaration(1e4, rotary: nil), stored: [table([1])], path: "c")
    #expect(report.problems.isEmpty && report.comparedTables == 0)
  }

  // MARK: divisors

  /// What a converter stores for the llama3 kind: what the unscaled frequency has to be divided by.
  private func llama3Divisors(base: Double) -> [Double] {
    let scaled = RoPEParameters(
      base: base, rotaryDimension: 128,
      scaling: .llama3(factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: 8192))
    return zip(frequencies(base, rotary: 128), FrequencyTable(scaled).inverseFrequencies).map {
      Double(Float($0 / $1))
    }
  }

  private func report(divisors: [Double], base: Double = 5e5) -> [FileError.Code] {
    var declaration = declaration(base, rotary: 128)
    declaration.frequencyDivisors = Declared(
      divisors, at: Diagnostics.SourceLocation(path: "g", key: "rope_freqs.weight"))
    return BaseReport(declaration, stored: [], path: "g").problems.map(\.code)
  }

  @Test func `llama3 divisors agree with the base they were made for and with no other`() {
    #expect(report(divisors: llama3Divisors(base: 5e5)) == [])
    #expect(report(divisors: llama3Divisors(base: 5e5), base: 1e6) == [.storedTableDisagrees])
    #expect(report(divisors: llama3Divisors(base: 1e4)) == [.storedTableDisagrees])
    #expect(report(divisors: llama3Divisors(base: 1e4), base: 1e4) == [])
  }

  @Test func `the fixture's divisors agree with its base`() throws {
    let bytes = try fixture("gguf/llama3-freqs.gguf")
    let file = try GGUFFile(bytes, named: "f")
    var declaration = try #require(
      file.ropeDeclarations(tensors: try GGUFDeclarationTests.rotaryTensors(file, bytes)).declarations.first)
    #expect(BaseReport(declaration, stored: [], path: "f").problems.isEmpty)
    declaration.base?.value = 1e4
    declaration.bases = []
    #expect(BaseReport(declaration, stored: [], path: "f").problems.map(\.code) == [.storedTableDisagrees])
  }

  @Test(arguments: [
    Double.nan, .infinity, 0, -1, -.infinity,
  ]) func `a divisor that is no positive number is reported`(_ value: Double) {
    var divisors = llama3Divisors(base: 5e5)
    divisors[40] = value
    #expect(report(divisors: divisors) == [.badDivisors])
    #expect(report(divisors: Array(divisors.dropLast())) == [.badDivisors])
  }

  @Test func `divisors that are all alike tell nothing of a base`() {
    #expect(report(divisors: [Double](repeating: 1, count: 64)) == [])
    #expect(report(divisors: [Double](repeating: 4, count: 64)) == [])
    #expect(report(divisors: []) == [.badDivisors])
  }
}
