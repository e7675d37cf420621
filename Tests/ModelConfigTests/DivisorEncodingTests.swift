import Diagnostics
import GGUF
import ModelConfig
import RoPE
import TestSupport
import Testing

/// Scalings spelled as divisors, and read back from them.
@Suite struct DivisorEncodingTests {
  /// A GGUF's keys, as far as a scaling is read back from them.
  struct Keys {
    var base: Float = 10_000
    var rotary = 64
    var original = 4096
    var window = 16_384
    var betas: (Float, Float)?
    var magnitude: Float?
  }

  static func declaration(_ keys: Keys, _ divisors: [Float], kind: String = "none") throws -> RoPEDeclaration {
    var builder = GGUFBuilder(metadata: [
      ("general.architecture", .string("llama")), ("llama.context_length", .uint32(UInt32(keys.window))),
      ("llama.attention.key_length", .uint32(UInt32(keys.rotary))), ("llama.rope.freq_base", .float32(keys.base)),
      ("llama.rope.scaling.type", .string(kind)),
    ])
    func add(_ name: String, _ value: GGUFBuilder.Value?) {
      if let value { builder.metadata.append(("llama.rope.scaling.\(name)", value)) }
    }
    if keys.original > 0 { add("original_context_length", .uint32(UInt32(keys.original))) }
    add("yarn_beta_fast", keys.betas.map { .float32($0.0) })
    add("yarn_beta_slow", keys.betas.map { .float32($0.1) })
    add("attn_factor", keys.magnitude.map { .float32($0) })
    if kind == "yarn" { add("factor", .float32(4)) }
    let file = try GGUFFile(builder.bytes(), named: "m.gguf")
    let read = file.ropeDeclarations(tensors: ["rope_freqs.weight": divisors.map { Double($0) }])
    return try #require(read.declarations.first)
  }

  static func divisors(_ scaling: RoPEScaling, base: Double = 10_000, rotary: Int = 64) -> [Float] {
    let table = FrequencyTable(RoPEParameters(base: base, rotaryDimension: rotary, scaling: scaling))
    return DivisorEncoding.divisors(of: table.inverseFrequencies, base: base)
  }

  @Test(arguments: 0..<300)
  func `any YaRN table is given back within float32 rounding, and its settings are recognised`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    let base = Float.random(in: 5_000...5_000_000, using: &generator).rounded()
    let rotary = 2 * Int.random(in: 8...64, using: &generator)
    let original = Int.random(in: 1024...131_072, using: &generator)
    let factor = Float.random(in: 1.05...64, using: &generator)
    let slow = Float.random(in: 0.5...4, using: &generator)
    let fast = slow * Float.random(in: 1...40, using: &generator)
    let yarn = YaRN(
      factor: Double(factor), originalContextLength: Double(original), betaFast: Double(fast), betaSlow: Double(slow),
      truncate: seed % 2 == 0)
    let parameters = RoPEParameters(base: Double(base), rotaryDimension: rotary, scaling: .yarn(yarn))
    let wanted = FrequencyTable(parameters).inverseFrequencies
    let plain = FrequencyTable(RoPEParameters(base: Double(base), rotaryDimension: rotary)).inverseFrequencies
    let divisors = DivisorEncoding.divisors(of: wanted, base: Double(base))
    for (pair, (plain, wanted)) in zip(plain, wanted).enumerated() {
      let given = plain / Double(divisors[pair])
      #expect(abs(given - wanted) <= wanted * 0x1.001p-24, "seed \(seed), pair \(pair)")
    }
    let window = Int((Double(original) * Double(factor)).rounded(.down))
    let read = try Self.declaration(
      Keys(
        base: base, rotary: rotary, original: original, window: window, betas: (fast, slow),
        magnitude: Float(yarnMagnitude(factor: Double(factor)))), divisors)
    #expect(read.scalingKind == "yarn" && read.attentionFactor == nil, "seed \(seed)")
    #expect(abs((read.factor?.value ?? 0) - Double(factor)) <= Double(factor) * 1e-4, "seed \(seed)")
    #expect(read.encodedDivisors != nil && read.frequencyDivisors == nil, "seed \(seed)")
    // The two ramps may be the same one.
    let both = [true, false].map { truncates in
      var yarn = yarn
      yarn.truncate = truncates
      return Self.divisors(.yarn(yarn), base: Double(base), rotary: rotary)
    }
    if both[0] != both[1] { #expect(read.truncate?.value ?? true == yarn.truncate, "seed \(seed)") }
  }

  static let yarn = RoPEScaling.yarn(YaRN(factor: 4, originalContextLength: 4096))

  @Test func `the magnitude is that of the key, automatic or stated`() throws {
    let divisors = Self.divisors(Self.yarn)
    func magnitude(_ value: Float?) throws -> Double? {
      try Self.declaration(Keys(magnitude: value), divisors).attentionFactor?.value
    }
    #expect(try magnitude(Float(yarnMagnitude(factor: 4))) == nil)
    #expect(try magnitude(1.5) == 1.5)
    #expect(try magnitude(nil) == 1)
  }

  @Test func `linear scaling is recognised, with the factor of the divisors`() throws {
    let read = try Self.declaration(Keys(), Self.divisors(.linear(factor: 4)))
    #expect(read.scalingKind == "linear" && read.factor?.value == 4 && read.truncate == nil)
  }

  @Test(arguments: ["none", "yarn"])
  func `divisors that are all 1 stand for nothing`(kind: String) throws {
    let ones = [Float](repeating: 1, count: 32)
    let read = try Self.declaration(Keys(), ones, kind: kind)
    #expect(read.scalingKind == (kind == "yarn" ? "yarn" : nil) && read.frequencyDivisors == nil)
    #expect(read.encodedDivisors?.value.count == 32)
    // With an original length that is the window, they say YaRN with factor 1.
    let one = try Self.declaration(Keys(window: 4096), ones)
    #expect(one.scalingKind == "yarn" && one.factor?.value == 1)
  }

  struct Custom: CustomTestStringConvertible {
    var testDescription: String
    var keys = Keys()
    var divisors = DivisorEncodingTests.divisors(DivisorEncodingTests.yarn)
    var kind = "none"
  }

  static let custom = [
    Custom(testDescription: "another factor than the window says", keys: Keys(window: 32_768)),
    Custom(testDescription: "other betas than the keys say", keys: Keys(betas: (16, 1))),
    Custom(testDescription: "another base", keys: Keys(base: 500_000)),
    Custom(testDescription: "no original length", keys: Keys(original: 0)),
    Custom(
      testDescription: "one pair is off", divisors: divisors(yarn).enumerated().map { $0 == 9 ? $1 * 1.00001 : $1 }),
    Custom(testDescription: "a divisor is no number", divisors: divisors(yarn).dropLast() + [.nan]),
    Custom(testDescription: "a divisor is 0", divisors: [0] + divisors(yarn).dropFirst()),
    Custom(testDescription: "another length", divisors: divisors(yarn).dropLast()),
    Custom(testDescription: "none at all", divisors: []),
    Custom(testDescription: "a scaling besides", kind: "yarn"),
    Custom(
      testDescription: "llama3",
      divisors: divisors(
        .llama3(factor: 4, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: 4096))),
  ]

  @Test(arguments: custom)
  func `divisors that the keys do not give are left as they are`(_ test: Custom) throws {
    let read = try Self.declaration(test.keys, test.divisors, kind: test.kind)
    #expect(read.encodedDivisors == nil && read.frequencyDivisors?.value.count == test.divisors.count)
    #expect(read.scalingKind == (test.kind == "yarn" ? "yarn" : nil))
  }
}
