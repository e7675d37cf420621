import Bytes
import Diagnostics
import Foundation
import GGUF
import LosslessJSON
import Safetensors
import TestSupport
import Testing

@testable import ModelConfig

/// Reads real files, when they are at hand, and compares with what other readers say of them.
@Suite struct CorpusTests {
  typealias Facts = [String: [String: Any]]

  /// What is known of each file, by its path; `nil` without a corpus.
  static func facts() throws -> Facts? {
    guard let bytes = Corpus.bytes("facts.json") else {
      print("ModelConfig CorpusTests: \(Corpus.absence)")
      return nil
    }
    let facts = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    return try #require(facts["files"] as? Facts)
  }

  static func config(_ path: String) throws -> HuggingFaceConfig {
    try HuggingFaceConfig(try JSONDocument(try #require(Corpus.bytes(path)), path: path))
  }

  /// `configs/<name>/config.json` is known as `<name>`, other files by their folder.
  private static func name(_ path: String) -> String {
    path == "models/stories260K/hf/config.json" ? "stories260K" : String(path.split(separator: "/")[1])
  }

  @Test func `every config is read as it is written, or refused for a reason that is true`() throws {
    guard let facts = try Self.facts() else { return }
    let paths = facts.filter { path, fact in
      path.hasSuffix("config.json") && !path.contains("generation_config")
        && fact["kind"] as? String != "config-malformed"
    }.keys.sorted()
    var refused: [String] = []
    var withoutBase: [String] = []
    var withoutRotaryDimension: [String] = []
    var compared = 0
    for path in paths {
      let name = Self.name(path)
      let config = try Self.config(path)
      let read = config.ropeDeclarations()
      if let expected = CorpusTables.refused[name] {
        refused.append(name)
        #expect(read.declarations.isEmpty && read.complaints == ["not-rope@\(expected.pointer)"], "\(name)")
        #expect(read.problems.first?.found.contains("uses \(expected.encoding)") == true, "\(name)")
        continue
      }
      #expect(read.complaints == [], "\(name)")
      let declaration = try #require(read.declarations.first, "\(name)")
      if declaration.base == nil { withoutBase.append(name) }
      if declaration.rotaryDimension == nil { withoutRotaryDimension.append(name) }
      let related = facts[path]?["rope_related"] as? [String: Any] ?? [:]
      for (key, value) in related {
        compared += try Self.compare(value, at: "/" + key.replacing(".", with: "/"), config, read.declarations, name)
      }
      Self.compare(read.declarations, with: facts[path]?["transformers"] as? [String: Any] ?? [:], related, name)
    }
    let configs = facts.values.count { $0["kind"] as? String == "config" }
    print(
      "ModelConfig CorpusTests: \(paths.count) configs read, \(refused.count) refused, "
        + "\(withoutBase.count) without a base, \(compared) values compared")
    #expect(paths.count >= configs + 3)
    #expect(refused == CorpusTables.refused.keys.sorted())
    #expect(withoutBase.sorted() == CorpusTables.withoutBase.keys.sorted())
    #expect(withoutRotaryDimension.sorted() == CorpusTables.withoutRotaryDimension.keys.sorted())
    #expect(compared > 250)
  }

  /// Every value that the file states is declared, at the place where it stands.
  ///
  /// - Returns: How many values were found in the declarations.
  private static func compare(
    _ value: Any, at pointer: String, _ config: HuggingFaceConfig, _ declarations: [RoPEDeclaration], _ name: String
  ) throws -> Int {
    let key = String(pointer.split(separator: "/").last ?? "")
    try #require(config.document[pointer] != nil, "\(name) \(pointer)")
    if CorpusTables.notOurs[key] != nil || value is NSNull { return 0 }
    // Sections beside the language model's, and outer values that an inner one goes before, are not declared.
    if !pointer.hasPrefix(config.section + "/") { return 0 }
    if let members = value as? [String: Any], members["list_length"] == nil {
      return try members.reduce(0) {
        try $0 + compare($1.value, at: "\(pointer)/\($1.key)", config, declarations, name)
      }
    }
    let wanted = "\(key)=\(text(value))@\(pointer)"
    let claims = declarations.flatMap { declared(key, $0) }
    if claims.contains(wanted) { return 1 }
    let passedOver: Bool =
      switch key {
      // The usual name of the window goes before the others; so does the newer name of the kind.
      case "seq_length", "model_max_length": claims.contains { $0.hasSuffix("/max_position_embeddings") }
      case "type": claims.contains { $0.hasSuffix("/rope_type") }
      // A latent head has two parts of its own.
      case "head_dim": declarations.allSatisfy(\.usesLatentAttention)
      // An inner share goes before an outer one, and one name before another that says the same.
      case "partial_rotary_factor", "rotary_pct":
        claims.contains { $0.contains("@/rope_parameters/") || $0.hasPrefix("\(key)=\(text(value))@") }
      case "original_max_position_embeddings": claims.contains { $0.contains("/rope_parameters/full_attention/") }
      default: false
      }
    #expect(passedOver, "\(name): \(wanted) not among \(claims)")
    return 0
  }

  /// What the declaration says of a key, as `key=value@place`.
  private static func declared(_ key: String, _ declaration: RoPEDeclaration) -> [String] {
    func claim<Value>(_ member: Declared<Value>?, _ text: (Value) -> String) -> [String] {
      member.map { ["\(key)=\(text($0.value))@\($0.place.key ?? "")"] } ?? []
    }
    func number(_ member: Declared<Double>?) -> [String] { claim(member, Self.number) }
    func length(_ member: Declared<Int>?) -> [String] { claim(member) { "\($0)" } }
    switch key {
    case "rope_theta", "rotary_emb_base", "rope_embedding_base", "rope_base", "rope_local_base_freq":
      return declaration.bases.flatMap { number($0) }
    case "rope_type", "type": return claim(declaration.kind) { $0 }
    case "factor": return number(declaration.factor)
    case "original_max_position_embeddings": return length(declaration.originalContext)
    case "max_position_embeddings", "n_positions", "seq_length", "max_seq_len", "max_sequence_length",
      "model_max_length":
      return length(declaration.contextLength)
    case "head_dim": return length(declaration.headDimension)
    case "rotary_dim": return length(declaration.rotaryDimension)
    case "partial_rotary_factor", "rotary_pct", "rope_pct":
      guard let rotary = declaration.rotaryDimension, let head = declaration.headDimension else { return [] }
      return number(rotary.map { Double($0) / Double(head.value) })
    case "beta_fast": return number(declaration.betaFast)
    case "beta_slow": return number(declaration.betaSlow)
    case "attention_factor": return number(declaration.attentionFactor)
    case "mscale": return number(declaration.mscale)
    case "mscale_all_dim": return number(declaration.mscaleAllDim)
    case "truncate": return claim(declaration.truncate) { "\($0)" }
    case "low_freq_factor": return number(declaration.lowFrequencyFactor)
    case "high_freq_factor": return number(declaration.highFrequencyFactor)
    case "short_factor": return claim(declaration.shortFactors, list)
    case "long_factor": return claim(declaration.longFactors, list)
    case "mrope_section": return claim(declaration.mropeSection) { "\($0)" }
    default: return []
    }
  }

  private static func list(_ values: [Double]) -> String {
    "\(values.count) from \(values.first.map(number) ?? "") to \(values.last.map(number) ?? "")"
  }

  /// Shortened: JSONSerialization does not always give the nearest double.
  private static func number(_ value: Double) -> String { String(format: "%.13g", value) }

  private static func text(_ value: Any) -> String {
    if let value = value as? String { return value }
    if let values = value as? [Int] { return "\(values)" }
    if let list = value as? [String: Any] {
      return "\(list["list_length"] ?? "") from \(text(list["first"] ?? "")) to \(text(list["last"] ?? ""))"
    }
    guard let number = value as? NSNumber else { return "?" }
    return isTruthValue(number) ? "\(number.boolValue)" : Self.number(number.doubleValue)
  }

  /// Values that transformers arrived at: equal to ours where the file states them, and absent here where it does not.
  private static func compare(
    _ declarations: [RoPEDeclaration], with peer: [String: Any], _ related: [String: Any], _ name: String
  ) {
    guard peer["loads"] as? Bool == true else { return }
    // For latent heads transformers gives the rotating part alone.
    if let head = peer["head_dim"] as? Int, let ours = declarations.first {
      let stated = ours.usesLatentAttention ? ours.rotaryDimension : ours.headDimension
      #expect(stated?.value == head || name == "Mistral-Small-4-MLX", "\(name)")
    }
    let all = peer["rope_parameters"] as? [String: Any] ?? [:]
    for declaration in declarations {
      let values = all[declaration.layerType ?? "full_attention"] as? [String: Any] ?? all
      func same(_ key: String, _ ours: Double?) {
        guard let ours else { return }
        #expect((values[key] as? NSNumber).map { number($0.doubleValue) } == number(ours), "\(name) \(key)")
      }
      // Two classes do not take what the file says: Fuyu's and DBRX's.
      if !["fuyu-8b", "dbrx-base"].contains(name) { same("rope_theta", declaration.base?.value) }
      same("factor", declaration.factor?.value)
      same("beta_fast", declaration.betaFast?.value)
      same("attention_factor", declaration.attentionFactor?.value)
      same("mscale_all_dim", declaration.mscaleAllDim?.value)
      if declaration.scalingKind != nil {
        same("original_max_position_embeddings", declaration.originalContext.map { Double($0.value) })
      }
      #expect(declaration.scalingKind ?? "default" == values["rope_type"] as? String ?? "default", "\(name)")
      if let share = values["partial_rotary_factor"] as? Double, let head = declaration.headDimension?.value,
        !declaration.usesLatentAttention
      {
        #expect(declaration.rotaryDimension?.value == Int(Double(head) * share), "\(name)")
      }
      if let window = peer["max_position_embeddings"] as? Int, let ours = declaration.contextLength {
        #expect(ours.value == window || name == "llava-v1.5-7b", "\(name)")
      }
    }
  }

  @Test func `malformed configs are refused by name`() throws {
    guard try Self.facts() != nil else { return }
    let codes: [String: FileError.Code] = [
      "hf2q-bad-config": .jsonSyntax, "internlm-lfs-pointer": .gitLFSPointer, "ktransformers-empty": .jsonEmpty,
    ]
    for (name, code) in codes {
      let error = #expect(throws: FileError.self) { try Self.config("malformed/configs/\(name)/config.json") }
      #expect(error?.code == code, "\(name)")
    }
  }

  // MARK: GGUF

  /// Files whose declaration is refused or lacks a base, with the reason.
  static let specialGGUF: [String: String] = [
    "gguf/ggml-vocab-bert-bge.gguf": "not-rope@general.architecture",
    "gguf/ggml-vocab-mpt.gguf": "not-rope@general.architecture",
    "models/stories260K/split/stories260K-f32-00002-of-00003.gguf": "gguf-no-architecture@general.architecture",
    "models/stories260K/split/stories260K-f32-00003-of-00003.gguf": "gguf-no-architecture@general.architecture",
    "malformed/gguf/gridcore-fuzz-v3-empty.bin": "gguf-no-architecture@general.architecture",
  ]

  @Test func `every GGUF is read as it is written`() throws {
    guard let facts = try Self.facts() else { return }
    var read = 0
    var refused: [String: String] = [:]
    var compared = 0
    for (path, fact) in facts.sorted(by: { $0.key < $1.key }) {
      guard let bytes = Corpus.bytes(path), GGUFFile.recognises(firstBytes: bytes),
        let file = try? GGUFFile(bytes, named: path)
      else { continue }
      read += 1
      let declared = file.ropeDeclarations()
      if let complaint = declared.complaints.first {
        refused[path] = complaint
        #expect(declared.declarations.isEmpty && declared.complaints.count == 1)
        continue
      }
      let declaration = try #require(declared.declarations.first)
      let values = fact["kv_except_tokenizer"] as? [String: Any] ?? [:]
      for place in declaration.places {
        let key = try #require(place.place.key)
        let value = try #require(values[key], "\(path) \(key)")
        let ours = Self.value(place.member, of: declaration)
        // Head sizes are a quotient of the key's value.
        guard place.member != "headDimension",
          key.hasSuffix("rope.dimension_count") || place.member != "rotaryDimension"
        else { continue }
        #expect(ours == Self.text(value), "\(path) \(key)")
        compared += 1
      }
      let rope = values.keys.filter {
        [".rope.freq_base", ".scaling.type", ".scaling.factor", ".context_length"].contains(where: $0.hasSuffix)
          && $0.hasPrefix(file.architecture ?? "")
      }
      #expect(Set(rope).isSubset(of: declaration.places.compactMap(\.place.key)), "\(path)")
    }
    print(
      "ModelConfig CorpusTests: \(read) GGUF files read, \(refused.count) without RoPE, \(compared) values compared")
    #expect(refused == Self.specialGGUF)
    #expect(read >= 21)
    #expect(compared > 40)
  }

  private static func value(_ member: String, of declaration: RoPEDeclaration) -> String {
    func number(_ member: Declared<Double>?) -> String { member.map { Self.number($0.value) } ?? "" }
    func length(_ member: Declared<Int>?) -> String { member.map { "\($0.value)" } ?? "" }
    return switch member {
    case "kind": declaration.kind?.value ?? ""
    case "base": number(declaration.base)
    case "factor": number(declaration.factor)
    case "originalContext": length(declaration.originalContext)
    case "contextLength": length(declaration.contextLength)
    case "rotaryDimension": length(declaration.rotaryDimension)
    case "betaFast": number(declaration.betaFast)
    case "betaSlow": number(declaration.betaSlow)
    case "attentionFactor": number(declaration.attentionFactor)
    default: "?"
    }
  }

  // MARK: weights

  @Test func `shapes of real weights agree with their config`() throws {
    guard try Self.facts() != nil else { return }
    var shapes = TensorShapes()
    for shard in ["model-1-of-2", "model-2-of-2"] {
      let path = "safetensors/tiny-random-PhiModel/\(shard).safetensors"
      shapes.add(try SafetensorsFile(MemorySource(try #require(Corpus.bytes(path)), path: path)))
    }
    let config = try Self.config("safetensors/tiny-random-PhiModel/config.json")
    let declaration = try #require(config.ropeDeclarations(shapes: shapes).declarations.first)
    #expect(declaration.headDimension?.value == 8 && declaration.rotaryDimension?.value == 4)
    #expect(declaration.headDimension?.place.key?.hasSuffix("q_proj.weight") == true)
    #expect(config.ropeDeclarations().declarations.first?.headDimension?.value == 8)
  }
}

/// Whether a number of JSONSerialization was `true` or `false`.
private func isTruthValue(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }
