import GGUF
import LosslessJSON
import ModelConfig
import Runtimes

extension RoPEDeclaration {
  /// Original length × factor in tokens, `nil` unless both are stated.
  ///
  /// A whole number where only the rounding of the factor, a float32 in a GGUF, keeps it from one.
  var scaledLength: Double? {
    guard let original = originalContext?.value, let factor = factor?.value else { return nil }
    let length = Double(original) * factor
    return abs(length - length.rounded()) <= length * 1e-7 ? length.rounded() : length
  }

  /// What to type for a patch with some options that leaves the scaling as it is: a command, or words where a patch
  /// writes no such kind.
  func patching(_ path: String, _ options: String) -> String {
    let scaling: String? =
      switch scalingKind {
      case nil: "--method none"
      case "yarn": factor.map { "--factor \(plain($0.value))" }
      case "linear", "dynamic": factor.map { "--method \(scalingKind ?? "") --factor \(plain($0.value))" }
      default: nil
      }
    return scaling.map { "Type `yarn-patch patch \(path.shellWord) \(options) \($0)`" } ?? "Write it by hand"
  }
}

extension LintedFile {
  /// The smallest factor, in the width in which the file states one, whose window holds some tokens.
  func factor(covering tokens: Int, from original: Int) -> Double {
    let original = Double(original)
    if input.format == .gguf {
      var factor = Float(Double(tokens) / original)
      while Double(factor) * original < Double(tokens) { factor = factor.nextUp }
      return Double(factor)
    }
    var factor = Double(tokens) / original
    while factor * original < Double(tokens) { factor = factor.nextUp }
    return factor
  }

  /// Changes of a scaling's numbers where the file states them; of the window under each name that agrees with it.
  ///
  /// - Returns: `nil` when one of them is not stated, or cannot be stated in the type that the file has there.
  func restating(
    _ declaration: RoPEDeclaration, factor: Double? = nil, original: Int? = nil, window: Int? = nil
  ) -> [SettingChange]? {
    var changes: [SettingChange?] = []
    if let factor { changes.append(declaration.factor?.place.key.flatMap { stating(factor, at: $0) }) }
    if let original { changes.append(declaration.originalContext?.place.key.flatMap { stating(original, at: $0) }) }
    if let window { changes += windowKeys(declaration).map { stating(window, at: $0) } }
    let made = changes.compactMap(\.self)
    return made.count == changes.count && !made.isEmpty ? made : nil
  }

  private func windowKeys(_ declaration: RoPEDeclaration) -> [String] {
    guard let stated = declaration.contextLength, let key = stated.place.key else { return [] }
    guard case .config(let config, _) = input else { return [key] }
    let others = ConfigKey.windows.compactMap { config.node($0) }.filter { pointer, node in
      pointer != key && node.value.number?.integer == stated.value
    }
    return [key] + others.map(\.pointer)
  }

  private func stating(_ factor: Double, at key: String) -> SettingChange? {
    if case .gguf(let file, _) = input {
      // Divisors that stand for a scaling are not one number.
      return file[key] == nil ? nil : SettingChange(path, key, .gguf(.float32(Float(factor))))
    }
    return SettingChange(path, key, .json(.float(factor)))
  }

  private func stating(_ length: Int, at key: String) -> SettingChange? {
    guard case .gguf(let file, _) = input else { return SettingChange(path, key, .json(.integer(length))) }
    let value: GGUFValue? =
      switch file[key]?.type {
      case .uint32: UInt32(exactly: length).map { .uint32($0) }
      case .int32: Int32(exactly: length).map { .int32($0) }
      case .uint64: UInt64(exactly: length).map { .uint64($0) }
      case .int64: .int64(Int64(length))
      default: nil
      }
    return value.map { SettingChange(path, key, .gguf($0)) }
  }
}

extension LintedModel {
  /// The published model of a file's family, base and size whose own window has a length, whatever scaling the file
  /// declares.
  func published(like file: some LintedFile, window: Declared<Int>?) -> KnownModel? {
    guard var traits = file.traits, let window else { return nil }
    (traits.window, traits.originalContext, traits.scalingKind) = (window.value, nil, nil)
    return knownModels.model(family: file.family, stating: traits)
  }

  /// Whether a file declares the scaling that the published weights were trained with.
  func isTrainedScaling(of file: some LintedFile) -> Bool {
    guard let declaration = file.declaration, let trained = known(file)?.trainedScaling else { return false }
    return trained.kind == declaration.scalingKind && trained.factor == declaration.factor?.value
  }
}

extension LintedFile {
  /// Readings of one kind of layer; without a label those of the layers that see the whole window.
  func readings(of runtimes: [Runtime], layer: String?) -> [RuntimeReading] {
    readings(of: runtimes).filter { [nil, layer ?? "full_attention"].contains($0.layerType) }
  }
}
