import LosslessJSON
import Runtimes
import TestSupport
import Testing

@Suite struct TableRuntimesTests {
  private func run(_ arguments: String...) throws -> (document: JSONDocument, exitCode: Int32?) {
    let outcome = try Command.run(["table"] + arguments + ["--format", "json"])
    return (try expectDocument(outcome.output, Contract.table), outcome.exitCode)
  }

  @Test(arguments: Runtime.all.map(\.name)) func `each runtime answers for every config`(name: String) throws {
    for config in JSONOutputTests.configs {
      let (document, exitCode) = try run(config, "--runtime", name)
      let tables = try #require(document["/tables"]?.value.elements)
      let places = tables.indices.map { "/tables/\($0)" }
      #expect(!tables.isEmpty && places.allSatisfy { document["\($0)/runtime"]?.value.string == name }, "\(config)")
      let hasTable = places.contains { document["\($0)/inverseFrequencies"]?.value.isNull == false }
      #expect(exitCode == (hasTable ? 0 : 2), "\(config)")
      for place in places where document["\(place)/inverseFrequencies"]?.value.isNull == true {
        let notes = document["\(place)/notes"]?.value.elements ?? []
        #expect(document["\(place)/refused"]?.value.isNull == false || !notes.isEmpty, "\(config)")
      }
    }
  }

  @Test func `all runtimes that read a kind of file are asked in order, each once`() throws {
    func names(_ model: String, _ runtimes: String...) throws -> [String] {
      let outcome = try Command.run(["table", model, "--format", "json"] + runtimes.flatMap { ["--runtime", $0] })
      let document = try expectDocument(outcome.output, Contract.table)
      let count = document["/tables"]?.value.elements?.count ?? 0
      return (0..<count).compactMap { document["/tables/\($0)/runtime"]?.value.string }
    }
    let config = Fixture.path("config/yarn-old")
    #expect(try names(config, "all") == Runtime.all.map(\.name))
    #expect(try names(config, "all", "vllm") == Runtime.all.map(\.name))
    #expect(try names(config, "vllm@0.33", "sglang", "vllm") == ["vllm", "sglang"])
    #expect(try names(Fixture.path("gguf/qwen2-yarn.gguf"), "all") == ["llama.cpp", "formula"])
  }

  @Test func `a runtime that does not read the file says so, and the exit code does too`() throws {
    let (document, exitCode) = try run(Fixture.path("gguf/qwen2-yarn.gguf"), "--runtime", "vllm")
    #expect(exitCode == 2)
    #expect(
      document["/tables/0/refused/reason"]?.value.string
        == "vllm is read for config.json only, not for GGUF files")
  }

  @Test func `a shell reads the printed options as the arguments of the JSON`() throws {
    let folder = try ScratchFolder()
    try folder.write(
      """
      {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 128, "num_attention_heads": 2,
       "max_position_embeddings": 8192, "rope_theta": 10000, "rope_scaling": {"type": "yarn", "factor": 2,
       "original_max_position_embeddings": 4096, "it's $HOME `id` \\\\ !": "\\u001b[2J'\\u202e"}}
      """, to: "config.json")
    let model = folder["config.json"]
    let (document, _) = try run(model)
    let options = document["/tables/0/startOptions"]?.value.elements ?? []
    #expect(options.count == 3)
    let text = try Command.run(["table", model]).output
    let lines = text.split(separator: "\n").filter { $0.hasPrefix("    -") }
    #expect(lines.count == 3)
    for (index, line) in lines.enumerated() {
      let arguments = document["/tables/0/startOptions/\(index)/arguments"]?.value.elements ?? []
      let read = try Command.run("/bin/sh", ["-c", "printf '%s\\n' \(line)"])
      #expect(read.output == arguments.compactMap { $0.value.string.map { "\($0)\n" } }.joined())
    }
  }

  @Test func `a sequence length and a layer type reach the runtimes`() throws {
    func last(_ model: String, _ runtime: String, _ options: String...) throws -> Double? {
      let outcome = try Command.run(["table", model, "--runtime", runtime, "--format", "json"] + options)
      let document = try expectDocument(outcome.output, Contract.table)
      return document["/tables/0/inverseFrequencies"]?.value.elements?.last?.value.number?.double
    }
    let dynamic = Fixture.path("config/dynamic")
    let short = try last(dynamic, "transformers5")
    let long = try last(dynamic, "transformers5", "--sequence-length", "1000000")
    #expect(short != nil && long != nil && short != long)
    let layers = Fixture.path("config/v5-per-layer")
    let full = try last(layers, "vllm", "--layer-type", "full_attention")
    let sliding = try last(layers, "vllm", "--layer-type", "sliding_attention")
    #expect(full != nil && sliding != nil && full != sliding)
  }
}
