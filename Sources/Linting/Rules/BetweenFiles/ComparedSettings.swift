import Diagnostics
import ModelConfig
import Runtimes

/// What a file says about the layers that see the whole window, in words that mean the same for every kind of file.
struct ComparedSettings {
  /// `yarn`, `linear`, `dynamic`, `llama3`, …; `nil` for plain RoPE.
  var kind: String?
  var factor: Double?
  var original: Double?
  var base: Double?
  var rotaryDimension: Int?
  /// What YaRN multiplies cos and sin with; `nil` for other kinds.
  var magnitude: Double?
  /// The options with which a patch states the magnitude; empty for YaRN's own.
  private var magnitudeOptions = ""
  private let asConverted: Bool

  /// - Parameter asConverted: Whether this file or the other one is a GGUF: then what llama.cpp's converter makes of base
  ///   and width counts, kinds that it stores as divisors are one, and those that it drops are none.
  init?(_ file: any LintedFile, asConverted: Bool) {
    guard let declaration = file.declaration else { return nil }
    self.asConverted = asConverted
    let reading = file.readings(of: .llamaCpp).first.flatMap { $0.refused == nil ? $0 : nil }
    kind = declaration.scalingKind ?? (declaration.frequencyDivisors == nil ? nil : "llama3")
    factor = declaration.factor?.value
    original = declaration.originalContext.map { Double($0.value) }
    base = declaration.base?.value
    rotaryDimension = declaration.rotaryDimension?.value
    if declaration.kind == nil, kind == nil, let reading, ["yarn", "linear"].contains(reading.kind) {
      // Some config classes bring a scaling of their own.
      (kind, factor, original) = (reading.kind, reading.factor, reading.originalContext)
    } else if kind == "yarn", let factor {
      magnitude = declaration.attentionFactor?.value ?? declaration.automaticMagnitude(factor: factor)
      magnitudeOptions = declaration.magnitudeOptions
    }
    if asConverted {
      (base, rotaryDimension) = (reading?.base ?? base, reading?.rotaryDimension ?? rotaryDimension)
    }
  }

  /// The kind as far as the two files can show it.
  private var visibleKind: String? {
    guard asConverted, let kind else { return kind }
    if ["llama3", "proportional", "longrope"].contains(kind) { return "divisors" }
    return kind == "yarn" || kind == "linear" ? kind : nil
  }

  /// Whether both scale alike: kind, factor, and where the kind starts from one the original length.
  func scales(as other: Self) -> Bool {
    guard visibleKind == other.visibleKind else { return false }
    guard let kind = visibleKind, kind != "divisors" else { return true }
    return Self.agree(factor, other.factor) && (kind == "linear" || Self.agree(original, other.original))
  }

  /// Numbers within the rounding of a float32; one that is not stated disagrees with none.
  static func agree(_ one: Double?, _ other: Double?, within tolerance: Double = 1e-6) -> Bool {
    guard let one, let other else { return true }
    return abs(one - other) <= tolerance * max(abs(one), abs(other))
  }

  /// `YaRN ×4 from 32768`, `no scaling`.
  var phrase: String {
    guard let kind else { return "no scaling" }
    let start = kind == "linear" ? nil : original.map { " from \(plain($0))" }
    return (kind == "yarn" ? "YaRN" : kind) + (factor.map { " ×\(rounded($0))" } ?? "") + (start ?? "")
  }

  /// The command that gives a model this scaling, `nil` for kinds that are part of the weights.
  ///
  /// - Parameter readers: The options that a patch needs for a magnitude.
  func command(for path: String, readers: String = "") -> String? {
    let numbers: String
    switch (kind, factor) {
    case (nil, _): numbers = "--method none"
    case ("linear", let factor?): numbers = "--method linear --factor \(plain(factor))"
    case ("yarn", let factor?):
      let start = original.map { " --original-context \(plain($0))" } ?? ""
      numbers =
        "--factor \(plain(factor))\(start)\(magnitudeOptions)\(magnitudeOptions.hasPrefix(" --attention") ? readers : "")"
    default: return nil
    }
    return "yarn-patch patch \(path.shellWord) \(numbers)"
  }
}

extension RoPEDeclaration {
  fileprivate var magnitudeOptions: String {
    if let attentionFactor { return " --attention-factor \(plain(attentionFactor.value))" }
    guard let mscale, let mscaleAllDim else { return "" }
    return " --mscale \(plain(mscale.value)) --mscale-all-dim \(plain(mscaleAllDim.value))"
  }
}

extension LintedFile {
  /// Where a message about the scaling points to.
  var scalingPlace: SourceLocation {
    declaration?.kind?.place ?? declaration?.factor?.place ?? declaration?.base?.place
      ?? declaration?.contextLength?.place ?? SourceLocation(path: path)
  }
}

/// What two files say differently about one setting.
struct SettingDifference {
  enum Setting { case scaling, magnitude, base, rotaryDimension }

  let setting: Setting
  /// Where the first file states it, or states most of it.
  let place: SourceLocation
  /// `YaRN ×4 from 32768`, `base 10000`.
  let mine: String
  let theirs: String
  /// What to type so that the first file says what the other does: a sentence.
  let advice: String

  var isScaling: Bool { setting == .scaling || setting == .magnitude }

  /// The settings in which one file differs from another.
  static func all(
    of file: any LintedFile, from other: any LintedFile, for targets: [Runtime]
  ) -> [SettingDifference] {
    let isMixed = file.input.format != other.input.format
    guard let mine = ComparedSettings(file, asConverted: isMixed),
      let theirs = ComparedSettings(other, asConverted: isMixed)
    else { return [] }
    var differences: [SettingDifference] = []
    func add(_ setting: Setting, _ place: SourceLocation?, _ text: (ComparedSettings) -> String) {
      let readers = file.magnitudeReaders(among: targets)
      let command = theirs.command(for: file.path, readers: readers).map { "Type `\($0)`." }
      let isScaling = setting == .scaling || setting == .magnitude
      differences.append(
        SettingDifference(
          setting: setting, place: place ?? file.scalingPlace, mine: text(mine), theirs: text(theirs),
          advice: isScaling
            ? command ?? "Take the values over by hand."
            : "Find out which one the weights were trained with: a number in a file does not change them."))
    }
    if !mine.scales(as: theirs) {
      add(.scaling, nil) { $0.phrase }
    } else if !ComparedSettings.agree(mine.magnitude, theirs.magnitude, within: 1e-4) {
      add(.magnitude, file.declaration?.attentionFactor?.place) { "magnitude \($0.magnitude.map(rounded) ?? "none")" }
    }
    if !ComparedSettings.agree(mine.base, theirs.base) {
      add(.base, file.declaration?.base?.place) { "base \($0.base.map(plain) ?? "none")" }
    }
    if let width = mine.rotaryDimension, let other = theirs.rotaryDimension, width != other {
      add(.rotaryDimension, file.declaration?.rotaryDimension?.place) {
        "\($0.rotaryDimension ?? 0) rotating elements"
      }
    }
    return differences
  }
}
