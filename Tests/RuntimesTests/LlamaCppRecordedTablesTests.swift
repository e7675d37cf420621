import Bytes
import Foundation
import GGUF
import LosslessJSON
import ModelConfig
import TestSupport
import Testing

@testable import Runtimes

/// Every case of the three recorded files, with the files' own tolerances or closer ones.
///
/// Angles are compared within 5e-7: the recorded ones are measured with float32 cosines at position 1, ours are built in
/// the library's order. (Exact reproduction shows in the samples of cos and sin.)
@Suite struct LlamaCppRecordedTablesTests {
  @Test func `the rotary operation gives the recorded angles, magnitudes and samples`() throws {
    let file = try RecordedTables("llamacpp_op")
    var report = CaseReport("llama.cpp operation")
    var samples = (equal: 0, all: 0)
    for entry in file.cases {
      report.check(entry) { problems in
        let rotation = GGMLRotation(operation: entry["input"])
        problems.compare(rotation, with: entry)
        for sample in entry["cos_sin"].elements {
          let position = sample["pos"].double
          let angles = rotation.angles(at: Float(position))
          let magnitude = rotation.magnitude
          for (index, angle) in angles.enumerated() {
            let tolerance = Double(magnitude) * (Double(abs(angle)) * 1e-6 + 1e-6)
            for (ours, theirs) in [
              (Foundation.cos(angle) * magnitude, sample["cos"].doubles[index]),
              (Foundation.sin(angle) * magnitude, sample["sin"].doubles[index]),
            ] {
              samples.all += 1
              samples.equal += Double(ours) == theirs ? 1 : 0
              problems.require(abs(Double(ours) - theirs) <= tolerance, "position \(position), pair \(index)")
            }
          }
        }
      }
    }
    print("llama.cpp operation: \(samples.equal) of \(samples.all) samples of cos and sin equal to the bit")
    #expect(samples.all >= 12_372)
    report.finish(recorded: file.count, atLeast: 205)
  }

  @Test func `a GGUF gives the recorded operation, window and softmax scale, or the recorded refusal`() throws {
    let file = try RecordedTables("llamacpp_gguf")
    var report = CaseReport("llama.cpp GGUF")
    for entry in file.cases {
      let (gguf, tensors) = try entry["input"].toyGGUF()
      let options = RuntimeOptions(recorded: entry["input"])
      report.check(entry) { problems in
        let readings = Runtime.llamaCpp.read(.gguf(gguf, tensors), options)
        problems.require(readings.count == 1, "\(readings.count) readings")
        guard let reading = readings.first else { return }
        if let error = entry.value("error") {
          problems.require(
            reading.refused?.kind == error["type"].string, "refused: \(String(describing: reading.refused))")
          problems.require(reading.refused?.missingKey == nil && reading.table == nil, "a missing key or a table")
          return
        }
        guard reading.refused == nil, let table = reading.table,
          let model = try? LlamaCppReading(LlamaCppModel(gguf, tensors), options),
          let rotation = model.rotations.first?.rotation
        else { return problems.require(false, "refused: \(String(describing: reading.refused))") }

        let recorded = entry["rope_op_params"]
        var expected = GGMLRotation(operation: recorded)
        problems.require(
          abs(rotation.attentionFactor - expected.attentionFactor) <= 1e-6 * expected.attentionFactor, "attn_factor")
        expected.attentionFactor = rotation.attentionFactor
        problems.require(rotation == expected, "operation \(rotation) instead of \(expected)")
        problems.require(
          LlamaCppArchitecture(entry["input"]["arch"].string).rotatesAdjacentPairs == (recorded["mode"].double == 0),
          "mode")
        problems.compare(rotation, with: entry)
        problems.require(table.inverseFrequencies == rotation.angles().map { Double($0) }, "table")
        problems.require(table.attentionFactor == Double(rotation.magnitude), "attention factor")
        problems.require(Double(reading.contextLength ?? 0) == entry["n_ctx_train"].double, "n_ctx_train")
        problems.require(Double(model.file.frequencyScale) == entry["rope_freq_scale_train"].double, "trained scale")

        // Some graphs scale the queries themselves and leave 1 to the softmax.
        let width = entry["input"].value("mla_key_length") ?? entry["input"]["head_dim"]
        let scale = entry["softmax_scale"].double * (entry["softmax_scale"].double == 1 ? 1 : width.double.squareRoot())
        problems.require(abs(table.softmaxScaleMultiplier - scale) <= 1e-6 * scale, "softmax scale")
      }
    }
    report.finish(recorded: file.count, atLeast: 68)
  }

  @Test func `the converter writes the recorded keys and tensors`() throws {
    let file = try RecordedTables("llamacpp_convert")
    var report = CaseReport("llama.cpp converter")
    for entry in file.cases {
      // Long lists are left out of the recorded config; they are what the tensors hold.
      var text = String(decoding: file.text(of: entry["input"]), as: UTF8.self)
      for (member, tensor) in [
        ("short_factor", "rope_factors_short.weight"), ("long_factor", "rope_factors_long.weight"),
      ] {
        guard let values = entry["extra_tensors"].value(tensor)?.doubles else { continue }
        text = text.replacingOccurrences(
          of: "\"\(member)\":\"<\(values.count) numbers>\"", with: "\"\(member)\":\(values)")
      }
      let config = try HuggingFaceConfig(JSONDocument(Array(text.utf8), path: "config.json"))
      report.check(entry) { problems in
        guard let conversion = try? LlamaCppConversion(config) else { return problems.require(false, "refused") }
        problems.require(conversion.family.architecture == entry["arch"].string, "architecture")
        let recorded = entry["gguf_keys"]
        for key in recorded.keys {
          let value = conversion.metadata[key]
          problems.require(value?.type.name == recorded[key]["type"].string, "\(key) is \(String(describing: value))")
          switch value {
          case .string(let text)?: problems.require(text == recorded[key]["value"].string, key)
          case .float32(let number)?: problems.require(number == Float(recorded[key]["value"].double), key)
          default: problems.require(value?.doubleValue == recorded[key]["value"].double, key)
          }
        }
        // The recording keeps rotary keys, lengths and head sizes only.
        let sizes = ["embedding_length", "attention.head_count", "attention.sliding_window"].map {
          "\(entry["arch"].string).\($0)"
        }
        let extra = Set(conversion.metadata.keys).subtracting(recorded.keys).subtracting(sizes)
        problems.require(extra.isEmpty, "also writes \(extra.sorted())")
        problems.require(Set(conversion.tensors.keys) == Set(entry["extra_tensors"].keys), "tensors")
        for (name, values) in conversion.tensors {
          problems.compare(values, with: entry["extra_tensors"][name].doubles, name)
        }
      }
    }
    report.finish(recorded: file.count, atLeast: 14)
  }
}

// MARK: The recorded files

/// A value of a recorded file; an absent member is an empty value, which no comparison takes for a right one.
struct Recorded {
  let json: JSONValue?
  let range: Range<Int>

  init(_ node: JSONNode?) {
    json = node?.value
    range = node?.range ?? 0..<0
  }

  func value(_ key: String) -> Recorded? {
    json?.members?.last { $0.key == key }.map { Recorded($0.node) }
  }

  subscript(key: String) -> Recorded { value(key) ?? Recorded(nil) }

  var keys: [String] { json?.members?.map(\.key) ?? [] }
  var elements: [Recorded] { json?.elements?.map { Recorded($0) } ?? [] }
  var string: String { json?.string ?? "" }
  var double: Double { json?.number?.double ?? .nan }
  var doubles: [Double] { elements.map(\.double) }
}

struct RecordedTables {
  private let document: JSONDocument
  let cases: [Recorded]
  let count: Int

  init(_ name: String) throws {
    document = try RecordedFile(name).document
    let root = Recorded(document.root)
    cases = root["cases"].elements
    count = Int(root["count"].double)
  }

  func text(of value: Recorded) -> ArraySlice<UInt8> { document.bytes[value.range] }
}

extension Recorded {
  /// A metadata value of the type that the case means: a plain integer is UINT32, a plain decimal FLOAT32.
  private var metadataValue: GGUFBuilder.Value? {
    switch json {
    case .string(let text)?: return .string(text)
    case .bool(let flag)?: return .bool(flag)
    case .number(let number)?: return number.isInteger ? .uint32(UInt32(number.double)) : .float32(Float(number.double))
    case .object?:
      switch self["t"].string {
      case "u32": return .uint32(UInt32(self["v"].double))
      case "u64": return .uint64(UInt64(self["v"].double))
      case "i32": return .int32(Int32(self["v"].double))
      case "f64": return .float64(self["v"].double)
      default: return nil
      }
    default: return nil
    }
  }

  /// A file with the case's keys, and with the sizes that its toy model had.
  func toyGGUF() throws -> (GGUFFile, [String: [Double]]) {
    let architecture = self["arch"].string
    let head = UInt32(self["head_dim"].double)
    var builder = GGUFBuilder(metadata: [
      ("general.architecture", .string(architecture)), ("\(architecture).embedding_length", .uint32(2 * head)),
      ("\(architecture).attention.head_count", .uint32(2)),
    ])
    if let latent = value("mla_key_length") {
      builder.metadata.append(("\(architecture).attention.key_length", .uint32(head + 16)))
      builder.metadata.append(("\(architecture).attention.key_length_mla", .uint32(UInt32(latent.double))))
    }
    for key in self["gguf"].keys {
      builder.metadata.append(("\(architecture).\(key)", try #require(self["gguf"][key].metadataValue)))
    }
    for name in keys where name.hasSuffix(".weight") {
      let values = self[name].doubles
      let data = values.flatMap { builder.encode(Float($0).bitPattern) }
      builder.tensors.append(GGUFBuilder.Tensor(name, [UInt64(values.count)], data: data))
    }
    let source = MemorySource(builder.bytes())
    let file = try GGUFFile(source)
    var tensors: [String: [Double]] = [:]
    for tensor in file.tensors { tensors[tensor.name] = try file.floatValues(of: tensor, in: source) }
    return (file, tensors)
  }
}

extension RuntimeOptions {
  /// The `n_ctx` and the context parameters of a case.
  fileprivate init(recorded input: Recorded) {
    self.init(sequenceLength: input.value("n_ctx").map { Int($0.double) })
    let parameters = input["context_params"]
    func number(_ key: String) -> Double? { parameters.value(key)?.double }
    llamaCpp.scaling = number("rope_scaling_type").flatMap { [0: .unscaled, 1: .linear, 2: .yarn, 3: .longrope][$0] }
    llamaCpp.base = number("rope_freq_base")
    llamaCpp.frequencyScale = number("rope_freq_scale")
    llamaCpp.originalContext = number("yarn_orig_ctx").map { Int($0) }
    llamaCpp.extrapolationFactor = number("yarn_ext_factor")
    llamaCpp.attentionFactor = number("yarn_attn_factor")
    llamaCpp.betaFast = number("yarn_beta_fast")
    llamaCpp.betaSlow = number("yarn_beta_slow")
  }
}

extension GGMLRotation {
  init(operation input: Recorded) {
    self.init(
      dimension: Int(input["n_dims"].double), originalContext: UInt32(input["n_ctx_orig"].double),
      base: Float(input["freq_base"].double), frequencyScale: Float(input["freq_scale"].double),
      extrapolation: Float(input["ext_factor"].double), attentionFactor: Float(input["attn_factor"].double),
      betaFast: Float(input["beta_fast"].double), betaSlow: Float(input["beta_slow"].double),
      divisors: input.value("freq_factors")?.doubles.map { Float($0) })
  }
}

// MARK: Counting

/// Counts cases and failures of one recorded file and remembers the largest error.
struct CaseReport {
  private let title: String
  private var cases = 0
  private var failures: [String] = []
  private var largestULP = 0.0

  init(_ title: String) { self.title = title }

  mutating func check(_ entry: Recorded, _ body: (inout Problems) -> Void) {
    var problems = Problems()
    body(&problems)
    cases += 1
    largestULP = max(largestULP, problems.largestULP)
    if !problems.found.isEmpty {
      failures.append("\(entry["id"].string): \(problems.found.prefix(3).joined(separator: "; "))")
    }
  }

  func finish(recorded: Int, atLeast least: Int) {
    print("\(title): \(cases) cases, \(failures.count) failures, largest error \(largestULP) ULP")
    #expect(cases == recorded && cases >= least)
    #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
  }
}

/// What does not fit in one case.
struct Problems {
  private(set) var found: [String] = []
  private(set) var largestULP = 0.0

  mutating func require(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds { found.append(what()) }
  }

  /// Relative 5e-7 each; zeros exactly.
  mutating func compare(_ values: [Float], with expected: [Double], _ what: String) {
    require(
      values.count == expected.count && !values.isEmpty, "\(what): \(values.count) values, \(expected.count) recorded")
    for (index, (ours, theirs)) in zip(values, expected).enumerated() {
      largestULP = max(largestULP, abs(Double(ours) - theirs) / Double(Float(theirs).ulp))
      require(abs(Double(ours) - theirs) <= 5e-7 * abs(theirs), "\(what) \(index): \(ours) instead of \(theirs)")
    }
  }

  mutating func compare(_ rotation: GGMLRotation, with entry: Recorded) {
    compare(rotation.angles(), with: entry["inv_freq"].doubles, "inverse frequency")
    let magnitude = entry["attention_factor"].double
    require(abs(Double(rotation.magnitude) - magnitude) <= 1e-6 * magnitude, "magnitude \(rotation.magnitude)")
  }
}
