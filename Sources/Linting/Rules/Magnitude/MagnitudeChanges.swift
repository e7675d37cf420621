import Agreement
import LosslessJSON
import ModelConfig
import RoPE
import Runtimes

extension LintedConfig {
  /// Changes that spell a magnitude for every runtime that reads config.json; none when it is YaRN's own.
  func magnitudeChanges(_ magnitude: Double, factor: Double, of dictionary: ScalingDictionary) -> [SettingChange] {
    if magnitude.isMagnitude(yarnMagnitude(factor: factor)) { return [] }
    let order = [ConfigKey.attnFactor, ConfigKey.attentionFactor, ConfigKey.original, ConfigKey.factor]
    let members = MagnitudeSpelling(magnitude, factor: factor).members.map { member in
      change(dictionary.pointer(to: member.key), .float(member.value), after: order)
    }
    return members + [change(dictionary.pointer(to: ConfigKey.mscaleAllDim), nil)]
  }

  /// Dictionaries that scale with YaRN, each with what it declares.
  var yarnScalings: [(dictionary: ScalingDictionary, declaration: RoPEDeclaration)] {
    scalings.filter { $0.declaration.scalingKind == "yarn" }
  }
}

extension Double {
  /// Whether two magnitudes are the same but for rounding, that of float32 included.
  func isMagnitude(_ other: Double) -> Bool { abs(self - other) <= 1e-6 * abs(other) }
}

extension [RuntimeReading] {
  /// How far the runtimes' magnitudes lie apart, as a share of the smallest; infinite when one is none to divide by.
  var magnitudeSpread: Double {
    let magnitudes = compactMap { $0.table?.attentionFactor }
    guard let least = magnitudes.min(), let most = magnitudes.max(), most != least else { return 0 }
    return least > 0 ? (most - least) / least : .infinity
  }

  /// The readings without llama.cpp's, which takes no magnitude from config.json.
  var withoutConverter: [RuntimeReading] { filter { $0.runtime != Runtime.llamaCpp.name } }
}
