import Agreement
import Diagnostics
import FileStore
import ModelConfig
import RoPE
import Runtimes

/// How two models, or two files of one model, differ in what they state and in what runtimes compute from them.
public struct ModelDifference: Sendable {
  /// A setting that only one states, or both with different values.
  public struct Setting: Sendable, Equatable {
    /// Name in the command's JSON: `factor`, `originalContext`, …
    public var member: String
    public var layerType: String?
    /// Values as text, `nil` where nothing is stated.
    public var first: String?, second: String?
    /// Files with the pointer or key, `nil` where nothing is stated.
    public var firstPlace: String?, secondPlace: String?
  }

  /// Something that runtimes compute otherwise from the second model than from the first.
  public struct Result: Sendable, Equatable {
    public var runtimes: [String]
    /// The runtime that reads the second model where these cannot.
    public var against: String?
    public var layerType: String?
    public var effect: Effect
    /// Places of the settings it follows from.
    public var keys: [String]
    public var cure: String?
  }

  public var first: String, second: String
  /// What the first model states, which cures make the second one state too.
  let wanted: RoPEDeclaration?
  /// Whether a GGUF is among the second model's files.
  let hasGGUF: Bool
  public var settings: [Setting] = []
  public var results: [Result] = []
  /// Runtimes that compute a table from both models, each with the one that reads the second where it cannot.
  public var compared: [(runtime: String, against: String?)] = []
  /// Whether every runtime that reads both computes the same from them.
  public var isSame: Bool { results.isEmpty && !compared.isEmpty }

  init(first: Model, second: Model) {
    (self.first, self.second) = (first.path, second.path)
    wanted = first.primary?.declaration
    hasGGUF = second.files.contains { $0.gguf != nil }
    compareSettings(first, second)
  }
}

/// Compares two models by what they state and by what runtimes compute from them: a config.json with the GGUF made from
/// it, a draft model with its target, a base with its quantised copy.
///
/// - Parameter runtimes: A runtime that reads only one of the two is compared with the one that serves the other:
///   vLLM on a config.json with llama.cpp on a GGUF.
/// - Throws: ``FileError`` when a file cannot be read.
public func diff(
  _ first: String, _ second: String, runtimes: RuntimeChoice = .all
) throws(FileError) -> ModelDifference {
  let fileSystem = POSIXFileSystem()
  var forecasts: [Forecast] = []
  for path in [first, second] {
    var loader = ModelLoader(fileSystem, keepsProblems: true)
    let model = try loader.load(path)
    guard model.primary != nil else { throw Forecast(model, in: fileSystem).noSettings }
    forecasts.append(Forecast(model, in: fileSystem))
  }
  var difference = ModelDifference(first: forecasts[0].model, second: forecasts[1].model)
  difference.compareResults(forecasts[0], forecasts[1], runtimes)
  return difference
}

extension ModelDifference {
  // MARK: what is stated

  fileprivate mutating func compareSettings(_ first: Model, _ second: Model) {
    let (mine, its) = (first.primary?.declarations ?? [], second.primary?.declarations ?? [])
    for (index, declaration) in mine.enumerated() {
      // One declaration for all layers stands for each kind of layer.
      guard let other = its.first(where: { $0.layerType == declaration.layerType }) ?? (index == 0 ? its.first : nil)
      else { continue }
      let (values, others) = (declaration.values, other.values)
      for member in RoPEDeclaration.members {
        guard let value = values[member], let itsValue = others[member], !value.isSame(as: itsValue) else { continue }
        settings.append(
          Setting(
            member: member, layerType: declaration.layerType, first: value.text, second: itsValue.text,
            firstPlace: declaration.place(of: member), secondPlace: other.place(of: member)))
      }
      compareDivisors(declaration, other)
    }
  }

  /// Divisors that stand for no scaling, and so for themselves.
  private mutating func compareDivisors(_ declaration: RoPEDeclaration, _ other: RoPEDeclaration) {
    let (mine, its) = (declaration.frequencyDivisors, other.frequencyDivisors)
    guard mine?.value != its?.value else { return }
    func text(_ divisors: Declared<[Double]>?) -> String? { divisors.map { DivisorEncoding.phrase($0.value) } }
    func place(_ divisors: Declared<[Double]>?) -> String? {
      divisors.map { "\($0.place.path)#\($0.place.key ?? "")" }
    }
    settings.append(
      Setting(
        member: "factors", layerType: declaration.layerType, first: text(mine), second: text(its),
        firstPlace: place(mine), secondPlace: place(its)))
  }

  // MARK: what is computed

  fileprivate mutating func compareResults(_ first: Forecast, _ second: Forecast, _ choice: RuntimeChoice) {
    var runtimes: [Runtime] = first.runtimes(choice)
    for runtime in second.runtimes(choice) where !runtimes.contains(where: { $0.name == runtime.name }) {
      runtimes.append(runtime)
    }
    for runtime in runtimes {
      guard let one = first.subject(runtime), let other = second.subject(runtime) else { continue }
      let against = one.runtime.name == other.runtime.name ? nil : other.runtime.name
      // What engines serve can be told apart across them; the equations are the same for all.
      guard against == nil || one.runtime.isEngine && other.runtime.isEngine else { continue }
      let pairs = Self.layers(one.runtime.read(one.input), other.runtime.read(other.input))
        .filter { $0.0.table != nil || $0.1.table != nil }
      guard !pairs.isEmpty, !compared.contains(where: { ($0.runtime, $0.against) == (one.runtime.name, against) })
      else { continue }
      compared.append((one.runtime.name, against))
      for (reading, its) in pairs {
        for effect in reading.effects(of: its) {
          add(effect, [one, other], [reading, its])
        }
      }
    }
    nameRuntimesInCures()
  }

  private static func layers(
    _ mine: [RuntimeReading], _ its: [RuntimeReading]
  ) -> [(RuntimeReading, RuntimeReading)] {
    let labels = (mine + its).compactMap(\.layerType).uniqued()
    return (labels.isEmpty ? [nil] : labels.map(Optional.some)).compactMap { label in
      func reading(_ readings: [RuntimeReading]) -> RuntimeReading? {
        readings.first { $0.layerType == label } ?? readings.first { $0.layerType == nil }
      }
      guard let one = reading(mine), let other = reading(its) else { return nil }
      return (one, other)
    }
  }

  /// Runtimes that see the same effect share a result.
  private mutating func add(_ effect: Effect, _ subjects: [RuntimeSubject], _ readings: [RuntimeReading]) {
    let names = subjects.map(\.runtime.name)
    let against = names[0] == names[1] ? nil : names[1]
    let layerType = readings.lazy.compactMap(\.layerType).first
    let known = results.firstIndex {
      $0.against == against && $0.layerType == layerType && $0.effect.isNearly(effect)
    }
    if let known { return results[known].runtimes.append(names[0]) }
    let settings = settings.filter { Self.members(behind: effect.aspect).contains($0.member) && !$0.isDefault }
    var result = Result(
      runtimes: [names[0]], against: against, layerType: layerType, effect: effect,
      keys: settings.flatMap { [$0.firstPlace, $0.secondPlace].compactMap(\.self) }.uniqued(), cure: cure(settings))
    if settings.isEmpty || effect.aspect == .refusal {
      // The files state the same, and the runtime does not look at all of it; or no setting is to blame for a refusal.
      let cause = Cause(of: effect, subjects, readings, layer: layerType)
      if effect.aspect == .refusal, cause == nil { return }
      (result.keys, result.cure) = (cause?.keys ?? [], cause?.cure)
    }
    results.append(result)
  }

  private static func members(behind aspect: Effect.Aspect) -> Set<String> {
    switch aspect {
    case .frequencies, .refusal:
      ["kind", "base", "factor", "originalContext", "rotaryDimension", "betaFast", "betaSlow", "truncate", "factors"]
    case .magnitude: ["kind", "factor", "attentionFactor", "mscale", "mscaleAllDim"]
    case .window: ["kind", "factor", "contextLength"]
    }
  }

}

extension Effect {
  /// Whether another one differs by rounding only.
  fileprivate func isNearly(_ other: Effect) -> Bool {
    switch (self, other) {
    case (.frequency(let pair, _, _), .frequency(let its, _, _)):
      pair == its && abs(size - other.size) <= 1e-4 * max(size, other.size)
    case (.magnitude, .magnitude): abs(logitScaleRatio - other.logitScaleRatio) <= 1e-5
    default: self == other
    }
  }
}

extension ModelDifference.Setting {
  /// Whether one side states the value that all take where the other states none.
  fileprivate var isDefault: Bool {
    let defaults = ["betaFast": "32", "betaSlow": "1", "truncate": "true", "kind": "default"]
    guard let value = defaults[member] else { return false }
    return (first ?? value) == value && (second ?? value) == value
  }
}

extension Forecast {
  /// The runtime with the file it runs from, else the one that serves such files.
  fileprivate func subject(_ runtime: Runtime) -> RuntimeSubject? {
    let able = runtimes(.all)
    let other = able.first { !$0.formats.contains(.config) || $0.name == Runtime.llamaCpp.name }
    let mine = able.contains { $0.name == runtime.name } ? runtime : other
    return mine.flatMap { subjects([$0]).first }
  }

  fileprivate var noSettings: FileError {
    FileError(
      .notAModel, at: SourceLocation(path: model.path), found: "no file of it states RoPE settings",
      expected: "a config.json or a GGUF", remedy: "name a file or folder with one")
  }
}

extension RoPEDeclaration {
  /// Names of ``values`` in the order of the command's JSON.
  fileprivate static let members = [
    "kind", "base", "factor", "originalContext", "contextLength", "rotaryDimension", "headDimension", "betaFast",
    "betaSlow", "attentionFactor", "mscale", "mscaleAllDim", "truncate",
  ]

  fileprivate func place(of member: String) -> String? {
    places.first { $0.member == member }.map { "\($0.place.path)#\($0.place.key ?? "")" }
  }
}

extension DeclaredValue {
  fileprivate var text: String? { if case .absent = self { nil } else { description } }

  /// A GGUF keeps numbers in float32.
  fileprivate func isSame(as other: DeclaredValue) -> Bool {
    switch (self, other) {
    case (.number(let mine), .number(let its)): abs(mine - its) <= abs(mine) * 1e-6
    case (.text(let mine), .text(let its)): mine == its
    case (.flag(let mine), .flag(let its)): mine == its
    case (.absent, .absent): true
    default: false
    }
  }
}
