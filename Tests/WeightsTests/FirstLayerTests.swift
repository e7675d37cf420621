import Bytes
import Diagnostics
import Foundation
import GGUF
import LosslessJSON
import ModelConfig
import Safetensors
import TestSupport
import Testing

@testable import Weights

@Suite struct FirstLayerTests {
  static let bound = 1e-5

  @Test func `every family that is read from checkpoints was recorded`() {
    let recorded = Set(RecordedFamily.all.map(\.modelType))
    // The same code as a recorded family, for what is computed here.
    let twins = ["gemma3", "granitemoe", "kimi_k2", "mixtral", "qwen2_moe", "qwen3_moe"]
    #expect(Set(AttentionFamily.huggingFace.keys) == recorded.union(twins))
  }

  @Test(arguments: RecordedFamily.all)
  func `a checkpoint gives the scores of transformers`(family: RecordedFamily) throws {
    let layer = try family.inSafetensors()
    let difference = try family.scores.difference(
      of: layer, rotaryDimension: family.rotaryDimension, base: try #require(family.number("rope_theta")))
    #expect(difference <= Self.bound)
    // transformers brings the interleaved lanes of this family into another order.
    if !family.modelType.hasPrefix("deepseek_v3") { try family.scores.expectLanes(of: layer) }
  }

  @Test(arguments: RecordedFamily.all.filter { $0.architecture != nil })
  func `the converted model gives the same scores`(family: RecordedFamily) throws {
    let difference = try family.scores.difference(
      of: try family.inGGUF(), rotaryDimension: family.rotaryDimension, base: try #require(family.number("rope_theta")))
    #expect(difference <= Self.bound)
  }

  @Test func `keys of latent attention may stand by themselves, transposed`() throws {
    let family = try #require(RecordedFamily.all.first { $0.name == "deepseek_v3" })
    let (joined, split) = (try family.inGGUF(), try family.inGGUF(splitsKeys: true))
    #expect(try split.keys(ofHeads: [0, 2], tokens: [3, 1]) == joined.keys(ofHeads: [0, 2], tokens: [3, 1]))
    #expect(split.firstRotatingLane == 10)
  }

  @Test func `what scores need beside queries and keys is told`() throws {
    func layer(_ name: String) throws -> FirstLayer {
      try #require(try RecordedFamily.all.first { $0.name == name }?.inSafetensors())
    }
    let gemma = try layer("gemma2")
    #expect(gemma.scoreCap == 30)
    #expect(gemma.slides)
    #expect(gemma.softmaxScale == 1 / 20.0.squareRoot())
    let sinks = RecordedFamily.numbers("model.layers.0.self_attn.sinks", 3)
    #expect(try layer("gpt_oss").sinks == sinks)
    #expect(try RecordedFamily.all.first { $0.name == "gpt_oss" }?.inGGUF().sinks == sinks)
    let llama = try layer("llama")
    #expect(llama.sinks == [])
    #expect(llama.scoreCap == nil)
    #expect(!llama.slides)
    #expect(llama.softmaxScale == 1 / 12.0.squareRoot())
    #expect((llama.headCount, llama.keyHeadCount, llama.headDimension, llama.vocabularySize) == (3, 1, 12, 24))
  }

  @Test(arguments: ["model.safetensors", "tiny-llama-ctx256-f16.gguf"])
  func `the trained model gives the scores of transformers from both of its files`(file: String) throws {
    let folder = "models/tiny-llama-ctx256"
    let source = MemorySource(try Fixture.bytes("\(folder)/\(file)"), path: file)
    let recorded = try #require(RecordedFamily.file?.tiny)
    let layer: FirstLayer
    if file.hasSuffix(".gguf") {
      layer = try FirstLayer([(try GGUFFile(source), source)])
    } else {
      let config = try JSONDocument(try Fixture.bytes("\(folder)/config.json"), path: "config.json")
      layer = try FirstLayer(try HuggingFaceConfig(config), [(try SafetensorsFile(source), source)])
      try recorded.expectLanes(of: layer)
    }
    #expect(try recorded.difference(of: layer, rotaryDimension: 64, base: 10_000) <= Self.bound)
  }

  @Test func `heads and tokens may be asked for in any order and number`() throws {
    let layer = try #require(try RecordedFamily.all.first { $0.name == "olmo2" }?.inSafetensors())
    let all = try layer.queries(ofHeads: [0, 1, 2], tokens: Array(0..<24))
    let some = try layer.queries(ofHeads: [2, 0], tokens: [23, 4, 4])
    let lanes = layer.headDimension
    for (i, head) in [2, 0].enumerated() {
      for (j, token) in [23, 4, 4].enumerated() {
        #expect(some[i][j * lanes..<(j + 1) * lanes] == all[head][token * lanes..<(token + 1) * lanes])
      }
    }
    #expect(try layer.queries(ofHeads: [], tokens: [1]) == [])
    #expect(try layer.keys(ofHeads: [0], tokens: []) == [[]])
  }

  @Test(arguments: [-1, 24, Int.max]) func `a token outside the vocabulary is refused`(token: Int) throws {
    let layer = try #require(try RecordedFamily.all.first?.inSafetensors())
    let error = refusal { () throws(FileError) in try layer.keys(ofHeads: [0], tokens: [0, token]) }
    #expect(error?.code == .weightsTokens)
    #expect(error?.found == "there is no token \(token)")
  }

  @Test func `more than fits the promised memory is refused before anything is read`() throws {
    let layer = try #require(try RecordedFamily.all.first?.inSafetensors())
    let many = [Int](repeating: 0, count: FirstLayer.maximumResult / layer.headDimension + 1)
    #expect(refusal { () throws(FileError) in try layer.keys(ofHeads: [0], tokens: many) }?.code == .weightsTokens)
  }
}
