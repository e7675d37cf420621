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
  package let architecture: LlamaCppArchitecture
  package init(_ architecture: String) { self.architecture = LlamaCppArchitecture(architecture) }

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
      return FileDeclarations(problems: [
        unusable("general.architecture", .noArchitecture, expected: "the name of the model's architecture")
      ])
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

  private func declaration(
    _ keys: GGUFKeys, tensors: RotaryTensors, problems: inout [FileError]
  ) -> RoPEDeclaration {
    func kept<Value>(_ read: @autoclosure () throws(FileError) -> Declared<Value>?) -> Declared<Value>? {
      do throws(FileError) { return try read() } catch {
        problems.append(error)
        return nil
      }
    }
    func positive(_ key: String) -> Declared<Double>? { kept(try number(key)) }

    var result = RoPEDeclaration()
    result.absentKindIsLinear = true
    if let type = self[keys.type] {
      if case .string(let name) = type {
        result.kind = Declared(name, at: place(keys.type))
      } else {
        problems.append(unusable(keys.type, .badNumber, expected: "text: none, linear, yarn or longrope"))
      }
    }
    result.base = kept(
      try number(keys.base, code: .badBase, expected: "a RoPE base: a finite number above 1") { $0 > 1 })
    result.bases = result.base.map { [$0] } ?? []
    result.factor = kept(
      try number(
        self[keys.factor] == nil ? keys.oldFactor : keys.factor, zeroIsAbsent: true, expected: "a finite factor above 0"
      ))
    result.contextLength = kept(try length(keys.contextLength))
    result.originalContext = kept(try length(keys.original, zeroIsAbsent: true))
    result.betaFast = positive(keys.betaFast)
    result.betaSlow = positive(keys.betaSlow)
    if let unit = keys.architecture.logMultiplierUnit,
      let multiplier = kept(try number(keys.logMultiplier, expected: "a finite number") { _ in true }),
      multiplier.value != 0
    {
      result.mscaleAllDim = multiplier.map { Double(Float($0)) / unit }.map { ($0 * 1e6).rounded() / 1e6 }
      // llama.cpp takes 1 for the rotation's own mscale, and for deepseek2 the same value.
      result.mscale = keys.architecture.takesMscaleAllDimTwice ? result.mscaleAllDim : multiplier.map { _ in 1 }
    }
    if let relative = kept(try number(keys.attentionFactor, expected: "a finite number of at least 0") { $0 >= 0 }) {
      result.attentionFactor = relative.map { $0 * automaticMagnitude(of: result) }
    }
    // With latent attention the other head size is that of the compressed form.
    for key in [keys.latentHeadDimension, keys.headDimension] where result.headDimension == nil {
      result.headDimension = kept(try length(key))
    }
    if result.headDimension == nil { result.headDimension = kept(try widthOverHeads(keys)) }
    problems += result.refuseLongHead()
    result.rotaryDimension = kept(try length(keys.rotaryDimension)) ?? result.headDimension
    result.usesLatentAttention = keys.architecture.scalesLatentSoftmax
    func divisors(_ name: String) -> Declared<[Double]>? {
      tensors[name].map { Declared($0, at: SourceLocation(path: path, key: name)) }
    }
    result.frequencyDivisors = divisors(GGUFKeys.divisorsTensor)
    result.longFactors = divisors(GGUFKeys.longFactorsTensor)
    result.shortFactors = divisors(GGUFKeys.shortFactorsTensor)
    if let rotary = result.rotaryDimension,
      rotary.value % 2 != 0 || rotary.value > result.headDimension?.value ?? rotary.value
    {
      problems.append(
        unusable(
          rotary.place.key ?? keys.rotaryDimension, .badRotaryDimension,
          expected: "an even number of at most the head size"))
      result.rotaryDimension = nil
    }
    result.readEncodedScaling()
    return result
  }

  /// What llama.cpp multiplies cos and sin with before `rope.scaling.attn_factor`.
  private func automaticMagnitude(of declaration: RoPEDeclaration) -> Double {
    guard declaration.scalingKind == "yarn", let factor = declaration.factor?.value else { return 1 }
    return declaration.automaticMagnitude(factor: factor)
  }
}
