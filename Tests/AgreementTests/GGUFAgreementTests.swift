import Agreement
import Bytes
import GGUF
import ModelConfig
import Runtimes
import TestSupport
import Testing

/// Headers whose keys llama.cpp does not take as they are written.
@Suite struct `A GGUF and its reader` {
  private static let yarn: [(key: String, value: GGUFBuilder.Value)] = [
    ("general.architecture", .string("qwen2")), ("qwen2.context_length", .uint32(131072)),
    ("qwen2.embedding_length", .uint32(896)), ("qwen2.attention.head_count", .uint32(14)),
    ("qwen2.rope.freq_base", .float32(1_000_000)), ("qwen2.rope.scaling.type", .string("yarn")),
    ("qwen2.rope.scaling.factor", .float32(4)), ("qwen2.rope.scaling.original_context_length", .uint32(32768)),
  ]

  private static func agreement(
    adding added: [(key: String, value: GGUFBuilder.Value)] = [], removing removed: String? = nil
  ) throws -> RuntimeAgreement {
    let entries = (yarn + added).filter { $0.key != removed }
    let bytes = GGUFBuilder(metadata: entries).bytes()
    let file = try GGUFFile(MemorySource(bytes, path: "model.gguf"))
    return RuntimeAgreement([.llamaCpp, .formula].map { RuntimeSubject($0, .gguf(file, [:])) })
  }

  @Test func `agrees with the equations where every key is read`() throws {
    let agreement = try Self.agreement()
    #expect(agreement.disagreements.isEmpty, "\(agreement.disagreements)")
    #expect(agreement.comparisons.map { $0.groups.map(\.runtimes) } == [[["llama.cpp", "formula"]]])
  }

  @Test func `departs in frequency where a beta is not read for its architecture`() throws {
    let found = try Self.agreement(adding: [("qwen2.rope.scaling.yarn_beta_fast", .float32(64))]).disagreements
    #expect(found.map(\.effect.aspect) == [.frequencies])
    #expect(found.first?.cause?.keys == ["qwen2.rope.scaling.yarn_beta_fast"])
    #expect(found.first?.cause?.remarks.count == 1)
  }

  @Test func `is read by llama.cpp alone where the original length is missing`() throws {
    let found = try Self.agreement(removing: "qwen2.rope.scaling.original_context_length").disagreements
    #expect(found.map(\.effect.aspect) == [.refusal])
    #expect(found.first?.runtimes == ["formula"])
    #expect(found.first?.cause?.keys == ["qwen2.rope.scaling.original_context_length"])
  }
}
