import Attention
import Bytes
import Diagnostics
import GGUF
import RoPE
import TestSupport
import Testing
import Weights

@testable import YarnPatch

/// Heads that share keys, caps, sinks and lanes that do not turn, one key after the other in double precision.
@Suite struct AttentionSampleTests {
  private static let width = 16, vocabulary = 20, heads = 8
  private static let table = FrequencyTable(
    inverseFrequencies: [1, 0.01], attentionFactor: 1.25, softmaxScaleMultiplier: 1.5)

  private func layer(_ architecture: String) throws -> FirstLayer {
    var random = SeededGenerator(seed: 5)
    func tensor(_ name: String, _ dimensions: [Int]) -> GGUFBuilder.Tensor {
      let values = (0..<dimensions.reduce(1, *)).map { _ in Float.random(in: -1...1, using: &random) }
      let data = values.flatMap { value in withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) } }
      return .init("\(name).weight", dimensions.map { UInt64($0) }, data: data)
    }
    let (width, heads) = (Self.width, Self.heads)
    var tensors = [tensor("token_embd", [width, Self.vocabulary]), tensor("blk.0.attn_norm", [width])]
    var metadata: [(key: String, value: GGUFBuilder.Value)] = [
      ("general.architecture", .string(architecture)), ("\(architecture).attention.head_count", .uint32(UInt32(heads))),
      ("\(architecture).attention.layer_norm_rms_epsilon", .float32(1e-5)),
    ]
    if architecture == "deepseek2" {
      metadata.append(("deepseek2.attention.key_length_mla", .uint32(12)))
      metadata.append(("deepseek2.rope.dimension_count", .uint32(4)))
      tensors += [
        tensor("blk.0.attn_q", [width, heads * 12]), tensor("blk.0.attn_kv_a_mqa", [width, 6 + 4]),
        tensor("blk.0.attn_kv_a_norm", [6]), tensor("blk.0.attn_kv_b", [6, heads * (8 + 8)]),
      ]
    } else {
      metadata.append(("\(architecture).attention.key_length", .uint32(8)))
      tensors += [tensor("blk.0.attn_q", [width, heads * 8]), tensor("blk.0.attn_k", [width, 2 * 8])]
    }
    if architecture == "gemma2" { metadata.append(("gemma2.attn_logit_softcapping", .float32(3))) }
    if architecture == "gpt-oss" { tensors.append(tensor("blk.0.attn_sinks", [heads])) }
    let source = MemorySource(GGUFBuilder(metadata: metadata, tensors: tensors).bytes())
    return try FirstLayer([(try GGUFFile(source), source)])
  }

  @Test(arguments: ["llama", "gemma2", "gpt-oss", "deepseek2"])
  func `a profile is that of the scores one by one`(architecture: String) throws {
    let layer = try layer(architecture)
    // More than one piece of keys.
    let tokens = TokenSequence(seed: 3, count: 1100, vocabularySize: Self.vocabulary)
    let last = 1099
    let sample = AttentionSample(layer, tokens, originalContext: 1024, lengths: [last + 1], positions: [last])
    #expect(sample.heads == [0, 2, 4, 6])
    #expect(layer.sinks.isEmpty == (architecture != "gpt-oss"))
    #expect((layer.scoreCap == nil) == (architecture != "gemma2"))
    #expect((layer.firstRotatingLane == 0) == (architecture != "deepseek2"))
    let lanes = layer.headDimension
    for (head, profile) in zip(sample.heads, try sample.profiles([Self.table], path: "")[0]) {
      let keyHead = head * layer.keyHeadCount / layer.headCount
      let keys = try layer.keys(ofHeads: [keyHead], tokens: tokens.distinct)[0]
      let query = try layer.queries(ofHeads: [head], tokens: [tokens.distinct[Int(tokens.indices[last])]])[0]
      func turned(_ head: some Sequence<Float>, _ position: Int) -> [Double] {
        ReferenceRotation(Self.table, position: position)
          .applied(to: head.map { Double($0) }, layer.pairing, firstLane: layer.firstRotatingLane)
      }
      let turnedQuery = turned(query, last)
      let logits = (0...last).reversed().map { position in
        let row = Int(tokens.indices[position]) * lanes
        let score = dotProduct(turnedQuery, turned(keys[row..<row + lanes], position)) * layer.softmaxScale * 1.5
        return layer.scoreCap.map { cap in
          cap * (exponential(score / cap) - exponential(-score / cap))
            / (exponential(score / cap) + exponential(-score / cap))
        } ?? score
      }
      let scale = logits.reduce(1) { max($0, abs($1)) }
      for distance in profile.distances {
        let part = logits[distance.range]
        #expect(abs(distance.mean - part.reduce(0, +) / Double(part.count)) <= 1e-6 * scale)
        #expect(abs(distance.largest - (part.max() ?? .nan)) <= 1e-5 * scale)
      }
      let weights = (logits + layer.sinks.dropFirst(head).prefix(1).map { Double($0) }).map { exponential($0) }
      let sum = weights.reduce(0, +)
      let entropy = weights.reduce(0) { $1 > 0 ? $0 - $1 / sum * logarithm($1 / sum) : $0 }
      #expect(abs(profile.lengths[0].entropy - entropy) <= 1e-4)
      #expect(abs(profile.lengths[0].nearShare - weights.prefix(32).reduce(0, +) / sum) <= 1e-5)
    }
  }

  @Test func `more pairs than a head has lanes are refused`() throws {
    let sample = AttentionSample(try layer("llama"), TokenSequence([1, 2]), originalContext: 2)
    let wide = FrequencyTable(inverseFrequencies: [1, 1, 1, 1, 1])
    #expect(
      refusal { () throws(FileError) in try sample.profiles([Self.table, wide], path: "p") }?.code == .weightsShape)
    #expect(try sample.profiles([Self.table], path: "p")[0].count == 4)
  }

  @Test(arguments: [(1, 1, [1]), (64, 64, [64]), (65, 9, [9, 64, 65]), (300, 1 << 40, [64, 128, 256, 300])])
  func `lengths double up to the whole sequence`(count: Int, original: Int, lengths: [Int]) throws {
    let tokens = TokenSequence([Int](repeating: 0, count: count))
    let sample = AttentionSample(try layer("llama"), tokens, originalContext: original)
    #expect(sample.lengths == lengths)
    #expect(sample.positions.count == lengths.count * min(8, lengths[0]))
    #expect(sample.positions.last == count - 1)
  }
}
