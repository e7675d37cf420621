import Bytes
import Diagnostics
import Foundation
import GGUF
import PatchPlanning
import RoPE
import TestSupport
import Testing
import Weights

@testable import YarnPatch

@Suite struct FirstLayerAttentionTests {
  /// What transformers computes in the first layer of the trained model: `fixtures/weights/README.md`.
  struct Recorded: Decodable {
    struct Tiny: Decodable {
      var tokens: [Int]
      /// Of the last position with each position, for each head.
      var scores: [[Double]]
    }
    var tiny: Tiny
  }

  private let folder: ScratchFolder
  private let model: String
  static let gguf = "tiny-llama-ctx256-f16.gguf"

  init() throws {
    folder = try ScratchFolder()
    model = try folder.copy("models/tiny-llama-ctx256", as: "model")
  }

  private func result(
    _ path: String, tokens: [Int] = [], context: Int? = nil
  ) throws -> Result<FirstLayerAttention, FileError> {
    var options = VerifyOptions()
    options.attention = .weights
    options.tokens = tokens
    options.context = context
    return try #require(try verify(path, options).firstLayer)
  }

  private func refused(_ path: String) throws -> FileError? {
    if case .failure(let error) = try result(path) { error } else { nil }
  }

  @Test(arguments: [16, 20, 48]) func `profiles follow from the scores that transformers computes`(
    original: Int
  ) throws {
    let data = Data(try Fixture.bytes("weights/first-layer.json"))
    let recorded = try JSONDecoder().decode(Recorded.self, from: data).tiny
    let source = MemorySource(try Fixture.bytes("models/tiny-llama-ctx256/\(Self.gguf)"))
    let last = recorded.tokens.count - 1
    let sample = AttentionSample(
      try FirstLayer([(try GGUFFile(source), source)]), TokenSequence(recorded.tokens), originalContext: original,
      lengths: [last + 1], positions: [last])
    let table = FrequencyTable(RoPEParameters(base: 10_000, rotaryDimension: 64))
    let profiles = try sample.profiles([table], path: "")[0]
    #expect(profiles.count == recorded.scores.count)
    for (profile, scores) in zip(profiles, recorded.scores) {
      let byDistance = Array(scores.reversed())
      let largest = scores.reduce(0) { max($0, abs($1)) }
      func isNear(_ a: Double?, _ b: Double?) -> Bool { abs((a ?? .nan) - (b ?? .nan)) <= 1e-5 * largest }
      for distance in profile.distances {
        let logits = byDistance[distance.range]
        #expect(isNear(distance.mean, logits.reduce(0, +) / Double(logits.count)))
        #expect(isNear(distance.largest, logits.max()))
      }
      #expect(isNear(profile.largestInside, byDistance.prefix(original).max()))
      #expect(
        original > last ? profile.largestBeyond == nil : isNear(profile.largestBeyond, byDistance[original...].max()))
      let weights = byDistance.map { exponential($0) }
      let sum = weights.reduce(0, +)
      let entropy = weights.reduce(0) { $0 - $1 / sum * logarithm($1 / sum) }
      #expect(abs(profile.lengths[0].entropy - entropy) <= 1e-4)
      #expect(abs(profile.lengths[0].nearShare - weights.prefix(32).reduce(0, +) / sum) <= 1e-4)
    }
  }

  @Test func `both files of a model give the same, whatever lanes they rotate together`() throws {
    _ = try patch(model, request(.yarn, 4))
    let first = try result(model).get()
    let second = try result("\(model)/\(Self.gguf)").get()
    #expect(first.source == "\(model)/config.json")
    #expect(second.source == "\(model)/\(Self.gguf)")
    #expect(first.settings.map(\.name) == ["unscaled", "declared"])
    for (one, other) in zip(first.settings, second.settings) {
      for (a, b) in zip(one.profiles, other.profiles) {
        #expect(a.lengths.map(\.length) == b.lengths.map(\.length))
        for (x, y) in zip(a.lengths, b.lengths) { #expect(abs(x.entropy - y.entropy) <= 1e-4) }
        for (x, y) in zip(a.distances, b.distances) {
          #expect(x.range == y.range)
          #expect(abs(x.mean - y.mean) <= 1e-4 && abs(x.largest - y.largest) <= 1e-4)
        }
      }
    }
  }

  @Test func `scaling is seen in the trained model's own heads`() throws {
    _ = try patch(model, request(.yarn, 4))
    let attention = try result(model).get()
    #expect((attention.tokenCount, attention.originalContext, attention.heads) == (1024, 256, [0, 1]))
    #expect(attention.settings[1].attentionFactor == 1 + 0.1 * logarithm(4.0))
    let summaries = attention.settings.compactMap { AttentionProfile(of: $0.profiles) }
    #expect(summaries.map { $0.lengths.map(\.length) } == Array(repeating: [64, 128, 256, 512, 1024], count: 2))
    // Attention that spreads over four windows is gathered again; the query's own logit grows by the factor's square.
    let (unscaled, declared) = (summaries[0], summaries[1])
    #expect(declared.lengths[4].entropy < unscaled.lengths[4].entropy - 1)
    let growth = attention.settings[1].attentionFactor * attention.settings[1].attentionFactor
    #expect(abs(declared.distances[0].mean / unscaled.distances[0].mean - growth) <= 1e-5)
  }

  @Test func `without scaling there is one setting, and a longer context can be asked for`() throws {
    let attention = try result(model).get()
    #expect(attention.settings.map(\.name) == ["declared"])
    #expect(attention.tokenCount == 256)
    #expect(attention.settings[0].profiles[0].largestBeyond == nil)
    let longer = try result(model, context: 600).get()
    #expect(longer.tokenCount == 600)
    #expect(longer.settings[0].profiles[0].largestBeyond != nil)
    #expect(longer.settings[0].profiles[0].lengths.map(\.length) == [64, 128, 256, 512, 600])
  }

  @Test func `given tokens are looked at in their order`() throws {
    let tokens = Array("the exact sequence, of 31 bytes".utf8.map { Int($0) })
    let attention = try result(model, tokens: tokens).get()
    #expect((attention.tokenCount, attention.hasGivenTokens) == (31, true))
    #expect(attention.distinctTokenCount == Set(tokens).count)
    let repeated = try result(model, tokens: [Int](repeating: 7, count: 31)).get()
    let reversed = try result(model, tokens: tokens.reversed()).get()
    for other in [repeated, reversed] { #expect(other.settings[0].profiles != attention.settings[0].profiles) }
  }

  @Test func `the same again, to the last bit`() throws {
    let (first, second) = (try result(model).get(), try result(model).get())
    #expect(first.settings.map(\.profiles) == second.settings.map(\.profiles))
  }

  // MARK: what cannot be looked at

  @Test func `settings without weights are refused, the other checks hold`() throws {
    let error = try refused("\(model)/config.json")
    #expect(error?.code == .weightsMissing)
    #expect(error?.location.path == "\(model)/config.json")
    var options = VerifyOptions()
    options.attention = .weights
    #expect(try verify("\(model)/config.json", options).passed)
  }

  @Test func `weights without settings are refused`() throws {
    try FileManager.default.removeItem(atPath: "\(model)/config.json")
    #expect(try refused("\(model)/model.safetensors")?.code == .weightsMissing)
  }

  @Test func `a folder without safetensors is read from its GGUF`() throws {
    try FileManager.default.removeItem(atPath: "\(model)/model.safetensors")
    #expect(try result(model).get().source == "\(model)/\(Self.gguf)")
  }

  @Test func `a missing tensor is named`() throws {
    var text = try folder.bytes("model/model.safetensors")
    let name = Array("model.layers.0.self_attn.q_proj.weight".utf8)
    let start = try #require(text.indices.first { text[$0...].starts(with: name) })
    text[start + 13] = UInt8(ascii: "7")
    try folder.write(text, to: "model/model.safetensors")
    let error = try refused(model)
    #expect(error?.code == .weightsMissing)
    #expect(error?.location.key == "model.layers.0.self_attn.q_proj.weight")
  }

  @Test func `a family that is not known is refused by name`() throws {
    try folder.replace(#""model_type": "llama""#, by: #""model_type": "llama4""#, in: "model/config.json")
    #expect(try refused(model)?.code == .weightsFamily)
  }

  @Test func `a weight that is no number is refused`() throws {
    var bytes = try folder.bytes("model/model.safetensors")
    // NaN in float16, from the first tensor to the last byte.
    for i in stride(from: bytes.count - 1_600_000, to: bytes.count, by: 1) { bytes[i] = 0x7f }
    try folder.write(bytes, to: "model/model.safetensors")
    #expect(try refused(model)?.code == .weightsNotFinite)
  }

  @Test func `a token outside the vocabulary is refused`() throws {
    guard case .failure(let error) = try result(model, tokens: [257]) else {
      Issue.record("it is read")
      return
    }
    #expect(error.code == .weightsTokens)
  }
}
