import Agreement
import Diagnostics
import ModelConfig
import Runtimes

/// A runtime that would compute something else than what is asked.
struct Departure {
  var runtime: Runtime
  /// The kind of layer concerned where it is not the one that is patched.
  var layerType: String?
  var effect: Effect
}

/// What runtimes are to compute from one patched file, and who would compute something else.
struct RuntimeTargets {
  let runtimes: [Runtime]
  private let settings: RoPESettings
  private var declaration: RoPEDeclaration
  /// The readings of the file as it is, for each runtime.
  private let before: [String: [RuntimeReading]]

  /// - Parameters:
  ///   - runtimes: Those that run from the file.
  ///   - areNamed: Whether all of them have to read it; otherwise those that give no table for it as it is are left out.
  init(
    _ runtimes: [Runtime], areNamed: Bool, _ input: RuntimeInput, _ declaration: RoPEDeclaration,
    _ settings: RoPESettings
  ) {
    self.settings = settings
    self.declaration = declaration
    let readings = runtimes.map { $0.read(input) }
    before = Dictionary(zip(runtimes.map(\.name), readings)) { first, _ in first }
    self.runtimes = zip(runtimes, readings).filter { _, its in
      areNamed || Self.patchedLayer(of: its)?.table != nil
    }.map(\.0)
  }

  /// The same for a file whose stored divisors will not be there any more.
  var withoutDivisors: RuntimeTargets {
    var targets = self
    targets.declaration.frequencyDivisors = nil
    return targets
  }

  /// The kind whose table depends on the length is compared at both ends of the window.
  private var lengths: [Int?] {
    settings.method == .dynamic ? [settings.originalContext, settings.window] : [nil]
  }

  static func patchedLayer(of readings: [RuntimeReading]) -> RuntimeReading? {
    readings.first { $0.layerType == "full_attention" } ?? readings.first
  }

  /// The largest departure of each runtime that has one.
  func departures(_ input: RuntimeInput, _ options: RuntimeOptions = RuntimeOptions()) -> [Departure] {
    runtimes.compactMap { departure(of: $0, input, options) }
  }

  func departure(
    of runtime: Runtime, _ input: RuntimeInput, _ options: RuntimeOptions = RuntimeOptions()
  ) -> Departure? {
    for length in lengths {
      var options = options
      options.sequenceLength = length
      let readings = runtime.read(input, options)
      let wanted = settings.reading(over: declaration, sequenceLength: length)
      if let effect = Self.patchedLayer(of: readings).flatMap({ wanted.effects(of: $0).first }),
        effect.aspect != .window || !isOutside(effect, runtime, input, options)
      {
        return Departure(runtime: runtime, effect: effect)
      }
      guard length == nil else { continue }
      if let departure = departureBesides(runtime, readings) { return departure }
    }
    return nil
  }

  /// Layers of other kinds are to stay as they are.
  private func departureBesides(_ runtime: Runtime, _ readings: [RuntimeReading]) -> Departure? {
    let others = (before[runtime.name] ?? []).filter { ![nil, "full_attention"].contains($0.layerType) }
    for layer in others where others.count < before[runtime.name]?.count ?? 0 && layer.table != nil {
      let now = readings.first { $0.layerType == layer.layerType } ?? readings.first
      guard let effect = now.flatMap({ layer.effects(of: $0).first { $0.aspect != .window } }) else { continue }
      return Departure(runtime: runtime, layerType: layer.layerType, effect: effect)
    }
    return nil
  }

  // MARK: windows

  /// Whether a window is another one only because of a file that is not patched.
  private func isOutside(
    _ effect: Effect, _ runtime: Runtime, _ input: RuntimeInput, _ options: RuntimeOptions
  ) -> Bool {
    guard case .config(let config, var surroundings) = input, surroundings.tokenizerLimit != nil else { return false }
    surroundings.tokenizerLimit = nil
    let reading = Self.patchedLayer(of: runtime.read(.config(config, surroundings), options))
    return reading?.contextLength == settings.window
  }

  /// Windows that are not the wanted one although the table is.
  func windowNotes(_ input: RuntimeInput) -> [String] {
    let windows = runtimes.compactMap { runtime -> String? in
      guard let window = Self.patchedLayer(of: runtime.read(input))?.contextLength, window != settings.window else {
        return nil
      }
      return "\(runtime.name) \(window)"
    }
    guard !windows.isEmpty else { return [] }
    let reason =
      [.linear, .dynamic].contains(settings.method)
      ? "each runtime derives the window of \(settings.method.rawValue) scaling by its own rule"
      : "model_max_length in tokenizer_config.json holds the window down"
    return ["\(reason), not \(settings.window): \(windows.joined(separator: ", "))"]
  }

  // MARK: remedies

  /// Options with which llama.cpp computes what is asked although the file cannot say it to it.
  func startOptions(for runtime: Runtime, _ input: RuntimeInput) -> String? {
    guard runtime.name == Runtime.llamaCpp.name else { return nil }
    var options = RuntimeOptions()
    options.llamaCpp.betaFast = settings.betaFast
    options.llamaCpp.betaSlow = settings.betaSlow
    let flags = [("--yarn-beta-fast", settings.betaFast), ("--yarn-beta-slow", settings.betaSlow)].compactMap {
      flag, value in value.map { "\(flag) \($0)" }
    }
    guard !flags.isEmpty, departure(of: runtime, input, options) == nil else { return nil }
    return flags.joined(separator: " ")
  }
}
