import Bytes
import Diagnostics
import GGUF
import LosslessJSON
import TestSupport
import Testing

@testable import ModelConfig

@Suite struct KnownModelTests {
  static let published = KnownModels.published.all

  // MARK: the published entries

  @Test(arguments: published)
  func `an entry is sourced, and says why its window is not what was trained`(_ model: KnownModel) {
    #expect(
      model.source.contains { $0.isNumber } || model.source.contains("model card")
        || model.source.contains("config.json"))
    #expect(model.families.allSatisfy { $0 == $0.lowercased() })
    #expect(model.base.map { $0 == $0.rounded() } ?? true)
    let reach = Double(model.trainedLength) * (model.trainedScaling?.factor ?? 1)
    #expect((model.note == nil) == (reach == Double(model.window)), "\(model.name): \(reach)")
    if model.trainedScaling != nil { #expect(model.testedFactor == nil, "the trained factor is the tested one") }
  }

  @Test func `no two entries are about the same files`() {
    #expect(Set(Self.published.map(\.name)).count == Self.published.count)
    for (index, one) in Self.published.enumerated() {
      for other in Self.published[..<index] where !one.families.isDisjoint(with: other.families) {
        let isTold =
          one.window != other.window || one.base != other.base && one.base != nil && other.base != nil
          || !one.shapes.isEmpty && !other.shapes.isEmpty && Set(one.shapes).isDisjoint(with: other.shapes)
        #expect(isTold, "\(one.name) and \(other.name)")
      }
    }
  }

  @Test(arguments: published)
  func `an entry is found by what its published files state`(_ model: KnownModel) {
    for family in model.families {
      for shape in model.shapes.isEmpty ? [ModelShape(width: 1, layers: 1)] : model.shapes {
        #expect(
          KnownModels.published.model(family: family, stating: ModelTraits(model.stated, shape: shape))?.name
            == model.name)
        #expect(
          KnownModels.published.model(family: "unheard-of", stating: ModelTraits(model.stated, shape: shape)) == nil)
        var other = model.stated
        other.contextLength?.value += 1
        other.originalContext = nil
        #expect(KnownModels.published.model(family: family, stating: ModelTraits(other, shape: shape)) == nil)
        other = model.stated
        other.base?.value *= 1.001
        #expect(
          model.base == nil
            || KnownModels.published.model(family: family, stating: ModelTraits(other, shape: shape))?.name
              != model.name
        )
      }
    }
  }

  // MARK: what identifies a model

  @Test func `a file that leaves something out is the one model that fits, or none`() {
    var stated = RoPEDeclaration()
    stated.contextLength = Declared(32768, at: SourceLocation(path: "model"))
    func name(_ family: String, _ shape: ModelShape?) -> String? {
      KnownModels.published.model(family: family, stating: ModelTraits(stated, shape: shape))?.name
    }
    // A family and a window are many models'.
    #expect(name("internlm2", nil) == nil)
    #expect(name("qwen2", ModelShape(width: 3584, layers: 28)) == "Qwen2 and Qwen2.5")
    // Two releases of this size differ in the base alone.
    #expect(name("mistral", ModelShape(width: 4096, layers: 32)) == nil)
    #expect(name("mistral", ModelShape(width: 5120, layers: 40)) == nil)
    stated.base = Declared(10000, at: SourceLocation(path: "model"))
    #expect(name("mistral", nil) == "Mistral 7B v0.1")
  }

  @Test func `a model that was scaled later is known by its original length, not by its new window`() {
    func name(_ original: Int, _ window: Int, _ kind: String, base: Double, shape: ModelShape) -> String? {
      var stated = RoPEDeclaration()
      let place = SourceLocation(path: "model")
      (stated.originalContext, stated.contextLength) = (Declared(original, at: place), Declared(window, at: place))
      (stated.kind, stated.base) = (Declared(kind, at: place), Declared(base, at: place))
      return KnownModels.published.model(family: "llama", stating: ModelTraits(stated, shape: shape))?.name
    }
    let eightBillion = ModelShape(width: 4096, layers: 32)
    #expect(name(8192, 32768, "yarn", base: 500_000, shape: eightBillion) == "Llama 3")
    // The window is that of Llama 3.1, whose scaling is another.
    #expect(name(8192, 131_072, "yarn", base: 500_000, shape: eightBillion) == "Llama 3")
    #expect(name(8192, 131_072, "llama3", base: 500_000, shape: eightBillion) == "Llama 3.1 and 3.3")
    #expect(name(4096, 32768, "yarn", base: 500_000, shape: eightBillion) == nil)
    // Weights trained with linear scaling are another model's.
    #expect(name(4096, 32768, "linear", base: 10000, shape: eightBillion) == nil)
  }

  // MARK: real files

  /// What matches which entry, by the folders of the corpus; every other config matches none.
  static let matches: [String: String] = [
    "CodeLlama-34b-Instruct-hf": "Code Llama", "DeepSeek-R1": "DeepSeek V2, V3 and R1",
    "DeepSeek-V2": "DeepSeek V2, V3 and R1", "GLM-4.5": "GLM-4.5", "InternVL2-2B-finetuned": "InternLM2",
    "Kimi-K2-Instruct": "Kimi K2", "Laguna-XS.2-FP8": "Laguna XS.2", "Llama-2-7b-hf": "Llama 2",
    "Llama-3.2-11B-Vision": "Llama 3.2 Vision", "Llama-3.2-3B-Instruct": "Llama 3.2",
    "Meta-Llama-3-8B-tabs": "Llama 3", "Meta-Llama-3.1-70B-Instruct": "Llama 3.1 and 3.3",
    "Mistral-7B-Instruct-v0.2-crlf": "Mistral 7B v0.2 and Mixtral 8x7B",
    "Mistral-Small-4-MLX": "Mistral Small 4",
    "Phi-3-mini-128k-instruct-crlf": "Phi-3 128K, Phi-3.5 and Phi-4-mini",
    "Phi-3-mini-128k-instruct-su": "Phi-3 128K, Phi-3.5 and Phi-4-mini", "Qwen2-7B-Instruct": "Qwen2 and Qwen2.5",
    "Qwen2.5-7B-Instruct": "Qwen2 and Qwen2.5", "Qwen3-30B-A3B": "Qwen3", "Qwen3-4B": "Qwen3",
    // A finetune of Llama 3 under another name.
    "Reflection-Llama-3.1-70B": "Llama 3", "exaone4-1.2b-baseline": "EXAONE 4.0 1.2B", "gemma-2-9b": "Gemma 2",
    "gemma-3-1b-it": "Gemma 3 1B", "gemma-3-4b-it": "Gemma 3 4B to 27B", "gpt-oss-20b": "gpt-oss",
    "granite-3b-code-instruct-128k": "Granite 3B Code 128K", "internlm2-7b": "InternLM2",
    "internlm2-chat-1_8b-S1mpleAgent": "InternLM2",
    // Finetunes of Llama 2 and of Qwen2-1.5B.
    "lzlv_70b_fp16_hf": "Llama 2", "stella_en_1.5B_v5": "Qwen2 and Qwen2.5 with the longer window",
  ]

  @Test func `the real configs are told apart`() throws {
    guard let facts = try CorpusTests.facts() else { return }
    var found: [String: String] = [:]
    for (path, fact) in facts where fact["kind"] as? String == "config" {
      let config = try CorpusTests.config(path)
      guard let declaration = config.ropeDeclarations().declarations.first else { continue }
      let model = KnownModels.published.model(
        family: config.modelType, stating: ModelTraits(declaration, shape: config.shape))
      found[String(path.split(separator: "/")[1])] = model?.name
    }
    for (path, name) in found.sorted(by: { $0.key < $1.key }) { print("KnownModelTests: \(path) is \(name)") }
    #expect(found == Self.matches)
  }

  /// The same of the GGUF files. Phi-3 with a window of 4096 has no divisors and is not among them.
  static let ggufMatches: [String: String] = [
    "gguf/derived/phi-3-mini-128k-instruct.vocab-only.gguf": "Phi-3 128K, Phi-3.5 and Phi-4-mini",
    "gguf/ggml-vocab-llama-spm.gguf": "Llama 2", "gguf/history/ggml-vocab-codellama.gguf": "Code Llama",
  ]

  @Test func `the real GGUF files are told apart`() throws {
    guard let facts = try CorpusTests.facts() else { return }
    var found: [String: String] = [:]
    for path in facts.keys {
      guard let bytes = Corpus.bytes(path), GGUFFile.recognises(firstBytes: bytes),
        let file = try? GGUFFile(bytes, named: path), let declaration = file.ropeDeclarations().declarations.first
      else { continue }
      found[path] =
        KnownModels.published.model(family: file.architecture, stating: ModelTraits(declaration, shape: file.shape))?
        .name
    }
    for (path, name) in found.sorted(by: { $0.key < $1.key }) { print("KnownModelTests: \(path) is \(name)") }
    #expect(found == Self.ggufMatches)
  }

  @Test(arguments: [("qwen3", 36, 2560), ("qwen3moe", 48, 2048)])
  func `a Qwen3 GGUF is known as its config is`(_ architecture: String, layers: UInt32, width: UInt32) throws {
    let gguf = GGUFBuilder(
      metadata: [
        ("general.architecture", .string(architecture)), ("\(architecture).context_length", .uint32(40960)),
        ("\(architecture).embedding_length", .uint32(width)), ("\(architecture).block_count", .uint32(layers)),
        ("\(architecture).rope.freq_base", .float32(1_000_000)),
      ], tensors: [])
    let file = try GGUFFile(gguf.bytes(), named: "model.gguf")
    let declaration = try #require(file.ropeDeclarations().declarations.first)
    let model = KnownModels.published.model(
      family: file.architecture, stating: ModelTraits(declaration, shape: file.shape))
    #expect(model?.trainedLength == 32768 && model?.testedFactor == 4)
    #expect(file.shape == ModelShape(width: Int(width), layers: Int(layers)))
  }
}

extension KnownModel {
  /// What the model's published files state.
  var stated: RoPEDeclaration {
    let place = SourceLocation(path: "model")
    var result = RoPEDeclaration()
    result.contextLength = Declared(window, at: place)
    result.base = base.map { Declared($0, at: place) }
    if let trainedScaling {
      result.kind = Declared(trainedScaling.kind, at: place)
      result.factor = trainedScaling.factor.map { Declared($0, at: place) }
      result.originalContext = Declared(trainedLength, at: place)
    }
    return result
  }
}
