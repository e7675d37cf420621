import Diagnostics
import GGUF
import RoPE

extension FileError.Code {
  package static let noArchitecture: Self = "gguf-no-architecture"
}

/// Names of a GGUF's RoPE keys for one architecture, spelled here and nowhere else.
///
/// - Source: llama.cpp `src/llama-arch.cpp`; which architecture reads which key: `src/models/*.cpp` of the version in
///   the documentation.
package struct GGUFKeys: Sendable {
  package let architecture: String
  package init(_ architecture: String) { self.architecture = architecture }

  package var contextLength: String { "\(architecture).context_length" }
  package var base: String { rope("freq_base") }
  package var rotaryDimension: String { rope("dimension_count") }
  package var type: String { rope("scaling.type") }
  package var factor: String { rope("scaling.factor") }
  /// The older spelling of the factor, read only where the newer one is absent.
  package var oldFactor: String { rope("scale_linear") }
  package var original: String { rope("scaling.original_context_length") }
  package var attentionFactor: String { rope("scaling.attn_factor") }
  package var betaFast: String { rope("scaling.yarn_beta_fast") }
  package var betaSlow: String { rope("scaling.yarn_beta_slow") }
  package var logMultiplier: String { rope("scaling.yarn_log_multiplier") }
  package var extrapolationFactor: String { rope("scaling.yarn_ext_factor") }
  /// Not the magnitude: llama.cpp overwrites it wherever YaRN is active. See ``attentionFactor``.
  package var yarnAttentionFactor: String { rope("scaling.yarn_attn_factor") }
  package var finetuned: String { rope("scaling.finetuned") }
  package var alpha: String { rope("scaling.alpha") }
  /// How the pairs are shared between the axes of multi-axis rotation.
  package var sections: String { rope("dimension_sections") }
  package var slidingBase: String { rope("freq_base_swa") }
  package var slidingRotaryDimension: String { rope("dimension_count_swa") }

  package var embeddingLength: String { "\(architecture).embedding_length" }
  package var blockCount: String { "\(architecture).block_count" }
  package var headCount: String { attention("head_count") }
  package var headDimension: String { attention("key_length") }
  /// Head size of latent attention once it is spelled out; ``headDimension`` is that of the compressed form.
  package var latentHeadDimension: String { attention("key_length_mla") }
  package var slidingHeadDimension: String { attention("key_length_swa") }
  package var slidingWindow: String { attention("sliding_window") }
  package var temperatureScale: String { attention("temperature_scale") }
  /// Base of the layers that compress their keys (deepseek4); the others use ``base``.
  package var compressedBase: String { attention("compress_rope_freq_base") }

  private func rope(_ name: String) -> String { "\(architecture).rope.\(name)" }
  private func attention(_ name: String) -> String { "\(architecture).attention.\(name)" }

  /// Whether llama.cpp reads the beta keys; for all other architectures 32 and 1 are fixed.
  package var readsBetas: Bool { ["grok", "mistral3"].contains(architecture) }

  /// Whether llama.cpp reads ``extrapolationFactor`` and ``yarnAttentionFactor``.
  package var readsMix: Bool { architecture == "grok" }

  /// The beta fast that llama.cpp takes where the key is missing.
  package var defaultBetaFast: Double { architecture == "grok" ? 8 : 32 }

  /// What the log multiplier is divided by to give mscale_all_dim, or `nil` where llama.cpp does not read it.
  package var logMultiplierUnit: Double? {
    switch architecture {
    case "deepseek2", "deepseek32", "mistral4": 0.1
    case "mistral3": 1
    default: nil
    }
  }

  /// Whether elements 2i and 2i+1 rotate together (llama.cpp's mode 0); otherwise i and i + d/2 do.
  package var rotatesAdjacentPairs: Bool {
    [
      "arcee", "arctic", "bailingmoe", "baichuan", "chameleon", "chatglm", "cohere2", "command-r", "deci", "deepseek",
      "deepseek2", "deepseek32", "ernie4_5", "granite", "granitehybrid", "granitemoe", "internlm2", "llama", "llama4",
      "minicpm", "mistral3", "mistral4", "olmo", "plm", "smollm3", "starcoder", "xverse",
    ].contains(architecture)
  }

  package static let divisorsTensor = "rope_freqs.weight"
  package static let longFactorsTensor = "rope_factors_long.weight"
  package static let shortFactorsTensor = "rope_factors_short.weight"
}

/// Values of the small tensors that belong to a GGUF's rotary table, by tensor name.
package typealias RotaryTensors = [String: [Double]]

extension GGUFFile {
  /// What the metadata and the rotary tensors declare.
  ///
  /// - Parameter tensors: Values of the `rope_*` tensors present in this file or its shards.
  package func ropeDeclarations(tensors: RotaryTensors = [:]) -> FileDeclarations {
    guard let architecture, !architecture.isEmpty else {
      let missing = FileError(
        .noArchitecture, at: SourceLocation(path: path, key: "general.architecture"), found: "the key is missing",
        expected: "the name of the model's architecture", remedy: "convert the model again with a current converter")
      return FileDeclarations(problems: [missing])
    }
    let keys = GGUFKeys(architecture)
    let rotates = metadata.contains { $0.key.hasPrefix("\(architecture).rope.") }
    if let encoding = PositionEncoding.families[architecture], !rotates {
      return FileDeclarations(
        problems: [encoding.refusal(of: architecture, at: place("general.architecture"))])
    }
    var problems: [FileError] = []
    let declaration = declaration(keys, tensors: tensors, problems: &problems)
    return FileDeclarations(declarations: [declaration], problems: problems)
  }

  /// Width and depth of the model, when both are stated.
  package var shape: ModelShape? {
    guard let keys = architecture.map(GGUFKeys.init), let width = self[keys.embeddingLength]?.integerValue,
      let layers = self[keys.blockCount]?.integerValue
    else { return nil }
    return ModelShape(width: width, layers: layers)
  }

  package func place(_ key: String) -> SourceLocation {
    SourceLocation(path: path, byteOffset: entry(key)?.valueRange.lowerBound, key: key)
  }

  private func declaration(
    _ keys: GGUFKeys, tensors: RotaryTensors, problems: inout [FileError]
  ) -> RoPEDeclaration {
    var issues: [FileError] = []
    func report(_ code: FileError.Code, _ key: String, expected: String) {
      let phrase = self[key].map { "the value is \($0.phrase)" } ?? "the value is missing"
      issues.append(
        FileError(
          code, at: place(key), found: phrase, expected: expected,
          remedy: "convert the model again, or set the key to a usable value"))
    }
    func number(_ key: String, code: FileError.Code, expected: String, where isUsable: (Double) -> Bool)
      -> Declared<Double>?
    {
      guard let value = self[key] else { return nil }
      guard let number = value.doubleValue, number.isFinite, isUsable(number) else {
        report(code, key, expected: expected)
        return nil
      }
      return Declared(number, at: place(key))
    }
    func length(_ key: String) -> Declared<Int>? {
      guard let value = self[key] else { return nil }
      guard let number = value.integerValue, number > 0 else {
        report(.badLength, key, expected: "a whole number of at least 1")
        return nil
      }
      return Declared(number, at: place(key))
    }
    /// 0 means "not given" for these two: llama.cpp falls back as if the key were absent.
    func orAbsent<Value>(_ key: String, _ read: (String) -> Declared<Value>?) -> Declared<Value>? {
      self[key]?.doubleValue == 0 ? nil : read(key)
    }

    var result = RoPEDeclaration()
    result.absentKindIsLinear = true
    if let type = self[keys.type] {
      if case .string(let name) = type {
        result.kind = Declared(name, at: place(keys.type))
      } else {
        report(.badNumber, keys.type, expected: "text: none, linear, yarn or longrope")
      }
    }
    result.base = number(keys.base, code: .badBase, expected: "a RoPE base: a finite number above 1") { $0 > 1 }
    result.bases = result.base.map { [$0] } ?? []
    let factor = { key in number(key, code: .badNumber, expected: "a finite factor above 0") { $0 > 0 } }
    result.factor = self[keys.factor] == nil ? orAbsent(keys.oldFactor, factor) : orAbsent(keys.factor, factor)
    result.contextLength = length(keys.contextLength)
    result.originalContext = orAbsent(keys.original, length)
    result.betaFast = number(keys.betaFast, code: .badNumber, expected: "a finite number above 0") { $0 > 0 }
    result.betaSlow = number(keys.betaSlow, code: .badNumber, expected: "a finite number above 0") { $0 > 0 }
    if let unit = keys.logMultiplierUnit,
      let multiplier = number(keys.logMultiplier, code: .badNumber, expected: "a finite number", where: { _ in true }),
      multiplier.value != 0
    {
      result.mscaleAllDim = multiplier.map { Double(Float($0)) / unit }.map { ($0 * 1e6).rounded() / 1e6 }
      // llama.cpp takes 1 for the rotation's own mscale, and for deepseek2 the same value.
      result.mscale = keys.architecture == "deepseek2" ? result.mscaleAllDim : multiplier.map { _ in 1 }
    }
    if let relative = number(
      keys.attentionFactor, code: .badNumber, expected: "a finite number of at least 0", where: { $0 >= 0 })
    {
      result.attentionFactor = relative.map { $0 * automaticMagnitude(of: result) }
    }
    readDimensions(keys, length: length, into: &result)
    result.usesLatentAttention = ["deepseek2", "deepseek32", "mistral4", "glm-dsa"].contains(architecture)
    func divisors(_ name: String) -> Declared<[Double]>? {
      tensors[name].map { Declared($0, at: SourceLocation(path: path, key: name)) }
    }
    result.frequencyDivisors = divisors(GGUFKeys.divisorsTensor)
    result.longFactors = divisors(GGUFKeys.longFactorsTensor)
    result.shortFactors = divisors(GGUFKeys.shortFactorsTensor)
    if let rotary = result.rotaryDimension,
      rotary.value % 2 != 0 || rotary.value > result.headDimension?.value ?? rotary.value
    {
      report(
        .badRotaryDimension, rotary.place.key ?? keys.rotaryDimension,
        expected: "an even number of at most the head size")
      result.rotaryDimension = nil
    }
    result.readEncodedScaling()
    problems += issues
    return result
  }

  private func readDimensions(
    _ keys: GGUFKeys, length: (String) -> Declared<Int>?, into result: inout RoPEDeclaration
  ) {
    if let head = length(keys.headDimension) {
      result.headDimension = head
    } else if let width = length(keys.embeddingLength), self[keys.headCount]?.type != .array,
      let heads = length(keys.headCount), width.value >= heads.value
    {
      result.headDimension = width.map { $0 / heads.value }
    }
    result.rotaryDimension = length(keys.rotaryDimension) ?? result.headDimension
    // Converters of gpt-neox and some MLA models state a head size that is narrower than what rotates.
    if keys.architecture == "deepseek2", let mla = length(keys.latentHeadDimension) {
      result.headDimension = mla
    }
  }

  /// What llama.cpp multiplies cos and sin with before `rope.scaling.attn_factor` (section 6.2).
  private func automaticMagnitude(of declaration: RoPEDeclaration) -> Double {
    guard declaration.scalingKind == "yarn", let factor = declaration.factor?.value else { return 1 }
    return declaration.automaticMagnitude(factor: factor)
  }
}

extension GGUFValue {
  /// The value as a phrase for messages.
  package var phrase: String {
    switch self {
    case .string(let text): "\"\(text.prefix(40))\""
    case .array(let array): "a list of \(array.count)"
    case .bool(let value): "\(value)"
    default: integerValue.map(String.init) ?? doubleValue.map { "\($0)" } ?? "unreadable"
    }
  }
}
