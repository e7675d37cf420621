import Foundation
import LosslessJSON
import TestSupport
import Testing

@Suite struct JSONOutputTests {
  /// A run whose document is checked.
  struct Run: Sendable, CustomTestStringConvertible {
    var arguments: [String]
    var shape: Shape
    var exitCode: Int32 = 0
    var testDescription: String { arguments.joined(separator: " ") }

    init(_ arguments: String, _ shape: Shape, exitCode: Int32 = 0) {
      self.arguments = arguments.split(separator: " ").map(String.init) + ["--format", "json"]
      self.shape = shape
      self.exitCode = exitCode
    }
  }

  static let gguf = [
    "llama-plain", "llama-plain.big-endian", "alignment-64", "all-types", "deepseek2-yarn", "llama3-freqs",
    "phi3-longrope", "quantised", "qwen2-yarn", "split-00002-of-00003", "vocabulary-only",
  ].map { Fixture.path("gguf/\($0).gguf") }
  static let configs = [
    "both-layouts", "dynamic", "gemma3", "gpt-neox", "gpt-oss", "infinity-elsewhere", "linear", "llama-plain", "llama3",
    "longrope", "mla-yarn", "mrope", "nested-thinker", "v5-per-layer", "v5-yarn", "yarn-old",
  ].map { Fixture.path("config/\($0)/config.json") }
  static let weights = ["no-head-dim", "sharded", "single", "stored-inv-freq"].map {
    Fixture.path("safetensors/\($0)")
  }
  static let model = Fixture.path(Fixture.model)

  static let runs: [Run] =
    (gguf + configs + weights + [model]).flatMap { path in
      [
        Run("inspect \(path)", Contract.inspect), Run("inspect --tensors --metadata * \(path)", Contract.inspect),
        Run("table \(path)", Contract.table),
      ]
    } + [gguf[4], gguf[8], configs[2], configs[10], weights[0], model].map { Run("verify \($0)", Contract.verify) } + [
      Run("verify --attention full \(configs[1])", Contract.verify),
      Run("verify --attention full \(model)", Contract.verify),
      Run("inspect \(weights[0]) \(gguf[0]) \(weights[0])/model.safetensors", Contract.inspect),
      Run("verify --attention weights \(model)", Contract.verify),
      Run("verify --attention weights \(configs[2])", Contract.verify, exitCode: 2),
      Run("verify \(Fixture.path("safetensors/stored-inv-freq-wrong-base"))", Contract.verify, exitCode: 1),
      Run("table \(Fixture.path("config/llama-no-theta"))", Contract.table, exitCode: 2),
      Run("advise \(model) --context 1024", Contract.advise), Run("advise \(model) --context 100", Contract.advise),
      Run("advise \(gguf[4]) --context 400000", Contract.advise),
      Run("advise \(configs[8]) --context 262144", Contract.advise, exitCode: 1),
      Run("table --layer-type full_attention \(configs[13])", Contract.table),
    ]

  @Test(arguments: runs) func `a document has the contract's members and nothing else is printed`(run: Run) throws {
    let outcome = try Command.run(run.arguments)
    // Two fixtures are there for their types and state no RoPE base.
    let hasNoTable =
      run.arguments[0] == "table" && ["all-types.gguf", "quantised.gguf"].contains { run.arguments[1].hasSuffix($0) }
    #expect(outcome.exitCode == (hasNoTable ? 2 : run.exitCode), "\(outcome.errors)")
    #expect(outcome.errors.isEmpty == (outcome.exitCode != 2), "\(outcome.errors)")
    try expectDocument(outcome.output, run.shape)
  }

  @Test(arguments: ["--dry-run", "--check", "--diff", ""]) func `patch prints one document`(option: String) throws {
    let folder = try ScratchFolder(["model": Fixture.model])
    let arguments = ["patch", "model", "--factor", "4", "--format", "json"] + (option.isEmpty ? [] : [option])
    for again in [false, true] {
      let outcome = try Command.run(arguments, cwd: folder.path)
      #expect(outcome.exitCode == (option == "--check" ? 1 : 0))
      let document = try expectDocument(outcome.output, Contract.patch)
      let isDone = again && option.isEmpty
      #expect(document["/changed"]?.value.bool == !isDone)
      #expect(document["/strategy"]?.value.string == (isDone ? "none" : "rewrite"))
      #expect(document["/undo"]?.value.string == (option.isEmpty && !again ? "model/.yarn-patch-undo" : nil))
      #expect(document["/verified"]?.value.bool == (option.isEmpty ? true : nil))
      #expect(document["/files"]?.value.elements?.count == 2)
      let changes = try #require(document["/files/0/changes"]?.value.elements)
      #expect(changes.isEmpty == isDone)
    }
  }

  @Test func `sizes in a patch document are the files' sizes`() throws {
    let folder = try ScratchFolder(["model": Fixture.model])
    let before = try folder.state()
    let outcome = try Command.run(
      ["patch", "model", "--factor", "4", "--format", "json", "--no-undo"], cwd: folder.path)
    let after = try folder.state()
    let document = try expectDocument(outcome.output, Contract.patch)
    for file in try #require(document["/files"]?.value.elements) {
      func member(_ key: String) -> JSONValue? { file.value.members?.first { $0.key == key }?.node.value }
      let path = try #require(member("path")?.string)
      #expect(member("sizeBefore")?.number?.integer == before[path]?.size)
      #expect(member("sizeAfter")?.number?.integer == after[path]?.size)
    }
    #expect(document["/undo"]?.value.isNull == true)
  }

  @Test func `a member that no file declares is null`() throws {
    let outcome = try Command.run(["inspect", "--format", "json", Self.configs[7]])
    let document = try expectDocument(outcome.output, Contract.inspect)
    for member in ["kind", "factor", "originalContext", "betaFast", "attentionFactor", "truncate", "layerTypes"] {
      #expect(document["/models/0/rope/\(member)"]?.value.isNull == true, "\(member)")
      #expect(document["/models/0/declaredAt/\(member)"] == nil, "\(member)")
    }
    #expect(document["/models/0/rope/base"]?.value.number?.text == "10000")
    #expect(document["/models/0/declaredAt/base"]?.value.string == "\(Self.configs[7])#/rope_theta")
  }

  @Test func `frequencies are the shortest texts that give back the same number`() throws {
    let outcome = try Command.run(["table", "--format", "json", Self.configs[15]])
    let document = try expectDocument(outcome.output, Contract.table)
    let frequencies = try #require(document["/tables/0/inverseFrequencies"]?.value.elements)
    #expect(frequencies.count == 64)
    #expect(frequencies[0].value.number?.text == "1")
    for frequency in frequencies.compactMap(\.value.number) where frequency.double != 1 {
      #expect(frequency.text == frequency.double.description)
    }
    #expect(document["/tables/0/attentionFactor"]?.value.number?.text == "1.138629436111989")
  }
}

/// The output parses by our strict reader and by Foundation's, and has the shape.
@discardableResult
func expectDocument(
  _ output: String, _ shape: Shape, _ place: SourceLocation = #_sourceLocation
) throws -> JSONDocument {
  let document = try JSONDocument(Array(output.utf8), path: "standard output")
  #expect(document.duplicates == [] && document.bareNumbers == [], sourceLocation: place)
  #expect(shape.mismatches(document.root.value) == [], sourceLocation: place)
  #expect(output.hasSuffix("}\n") && !output.hasSuffix("\n\n"), sourceLocation: place)
  #expect(throws: Never.self, sourceLocation: place) {
    try JSONSerialization.jsonObject(with: Data(output.utf8))
  }
  return document
}
