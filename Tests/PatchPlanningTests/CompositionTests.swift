import Agreement
import Diagnostics
import LosslessJSON
import ModelConfig
import PatchPlanning
import RoPE
import Runtimes
import TestSupport
import Testing

/// A patch followed by a runtime's reading gives what was asked, for every config.json at hand.
@Suite struct CompositionTests {
  /// A config.json that a patch takes.
  struct Subject {
    let name: String
    let config: HuggingFaceConfig
    let declaration: RoPEDeclaration

    init?(_ name: String, _ bytes: [UInt8]) {
      guard let document = try? JSONDocument(bytes, path: "\(name)/config.json"),
        let config = try? HuggingFaceConfig(document)
      else { return nil }
      let read = config.ropeDeclarations()
      guard read.problems.isEmpty, let declaration = read.declarations.first else { return nil }
      (self.name, self.config, self.declaration) = (name, config, declaration)
    }

    var input: RuntimeInput { .config(config, .init()) }

    func settings(_ request: PatchRequest) throws(FileError) -> RoPESettings {
      var request = request
      if declaration.base == nil { request.base = 10_000 }
      return try RoPESettings(
        request,
        for: [PatchSubject(declaration: declaration, family: config.modelType, shape: config.shape, path: name)])
    }

    func plan(_ settings: RoPESettings, for runtimes: [Runtime]?) throws(FileError) -> PortablePlan {
      try PortablePlan(
        config, .init(), declaration, settings, for: runtimes ?? Runtime.engines, areNamed: runtimes != nil)
    }
  }

  static let subjects: [Subject] = {
    let fixtures = ((try? Fixture.names(in: "config")) ?? []).map { "config/\($0)/config.json" }
    var files = fixtures.compactMap { name in (try? Fixture.bytes(name)).map { (name, $0) } }
    if let bytes = Corpus.bytes("facts.json"), let facts = try? JSONDocument(bytes, path: "facts.json") {
      for file in facts["/files"]?.value.members ?? [] {
        guard file.key.hasPrefix("configs/"), let bytes = Corpus.bytes(file.key) else { continue }
        files.append((file.key, bytes))
      }
    } else {
      print(Corpus.absence)
    }
    return files.compactMap { Subject($0.0, $0.1) }
  }()

  struct Case: CustomTestStringConvertible {
    var testDescription: String
    var requests: [PatchRequest]
  }

  static let cases = [
    Case(testDescription: "yarn", requests: [1.5, 2, 4, 8].map { request(.yarn, $0) }),
    Case(
      testDescription: "yarn with magnitude 1",
      requests: [4].map { request(.yarn, $0) { $0.attentionFactor = 1 } }),
    Case(
      testDescription: "yarn with magnitude 1.3",
      requests: [1.5, 8].map { request(.yarn, $0) { $0.attentionFactor = 1.3 } }),
    Case(testDescription: "linear", requests: [1.5, 4].map { request(.linear, $0) }),
    Case(testDescription: "dynamic", requests: [2, 4].map { request(.dynamic, $0) }),
    Case(testDescription: "none", requests: [request(.none)]),
  ]

  @Test(arguments: cases)
  func `a patch and a reading give what was asked`(_ asked: Case) throws {
    var tally = Tally()
    for subject in Self.subjects {
      for request in asked.requests {
        let settings: RoPESettings
        do throws(FileError) { settings = try subject.settings(request) } catch {
          tally.unpatchable += 1
          continue
        }
        try compose(subject, settings, &tally)
      }
    }
    print("\(asked.testDescription): \(tally)")
    // No two engines implement the dynamic method alike.
    #expect(asked.testDescription == "dynamic" ? tally.refused > 20 : tally.agreed > 20)
  }

  private func compose(_ subject: Subject, _ settings: RoPESettings, _ tally: inout Tally) throws {
    do {
      let portable = try subject.plan(settings, for: nil)
      if portable.runtimes.isEmpty { tally.unread += 1 } else { tally.agreed += 1 }
      try check(portable, subject, settings)
    } catch let error as FileError where error.code == .runtimesDisagree {
      tally.refused += 1
      for phrase in error.found.split(separator: "; ") {
        let name = String(phrase.prefix { $0 != ":" })
        tally.reasons["\(name)", default: []].append("\(subject.name): \(phrase)")
      }
      let list = error.remedy.split(separator: " ").map(String.init)
      let names = zip(list, list.dropFirst()).filter { $0.0 == "--runtime" }.map {
        $0.1.filter { $0 != ";" }
      }
      guard !names.isEmpty else {
        tally.nobody += 1
        return
      }
      let portable = try subject.plan(settings, for: try names.map { try Runtime.named($0) })
      #expect(portable.runtimes.map(\.name) == names, "\(subject.name)")
      try check(portable, subject, settings)
    } catch let error as FileError where [.noFullAttention, .jsonDisagreement].contains(error.code) {
      tally.unpatchable += 1
    }
  }

  /// The published equations for what was asked, against each runtime's own reading of the new text.
  private func check(_ portable: PortablePlan, _ subject: Subject, _ settings: RoPESettings) throws {
    let bytes = try #require(portable.file.edits.apply(to: subject.config.document.bytes))
    let config = try HuggingFaceConfig(JSONDocument(bytes, path: subject.name), section: subject.config.section)
    let lengths: [Int?] = settings.method == .dynamic ? [settings.originalContext, settings.window] : [nil]
    for runtime in portable.runtimes {
      for length in lengths {
        let readings = runtime.read(.config(config, .init()), RuntimeOptions(sequenceLength: length))
        let reading = try #require(readings.first { $0.layerType == "full_attention" } ?? readings.first)
        let table = try #require(reading.table, "\(runtime.name): \(subject.name)")
        let (frequencies, magnitude) = equations(settings, subject.declaration, at: length)
        #expect(table.inverseFrequencies.count == frequencies.count, "\(runtime.name): \(subject.name)")
        let error = zip(table.inverseFrequencies, frequencies).map { abs($0 - $1) / $1 }.max() ?? 1
        #expect(error < 4e-5, "\(runtime.name): \(subject.name)")
        #expect(abs(table.attentionFactor - magnitude) < 1e-5, "\(runtime.name): \(subject.name)")
        if ![.linear, .dynamic].contains(settings.method), let window = reading.contextLength {
          #expect(window == settings.window, "\(runtime.name): \(subject.name)")
        }
      }
    }
  }

  /// YaRN and its relatives written down once more, in double precision.
  private func equations(
    _ settings: RoPESettings, _ declaration: RoPEDeclaration, at length: Int?
  ) -> (frequencies: [Double], magnitude: Double) {
    let d = Double(settings.rotaryDimension)
    var base = settings.base
    if settings.method == .dynamic {
      let stretch = Double(length ?? 0) / Double(settings.originalContext)
      base *= power(settings.factor * stretch - (settings.factor - 1), d / (d - 2))
    }
    let kept = (0..<settings.rotaryDimension / 2).map { power(base, -2 * Double($0) / d) }
    switch settings.method {
    case .none, .ntk, .dynamic: return (kept, 1)
    case .linear: return (kept.map { $0 / settings.factor }, 1)
    case .yarn, .ntkByParts: break
    }
    func bound(_ rotations: Double) -> Double {
      d * logarithm(Double(settings.originalContext) / (2 * .pi * rotations)) / (2 * logarithm(base))
    }
    var (low, high) = (bound(settings.betaFast ?? 32), bound(settings.betaSlow ?? 1))
    if settings.truncate ?? true { (low, high) = (low.rounded(.down), high.rounded(.up)) }
    (low, high) = (max(low, 0), min(high, d - 1))
    if low == high { high += 0.001 }
    let frequencies = kept.enumerated().map { pair, frequency in
      let share = min(max((Double(pair) - low) / (high - low), 0), 1)
      return frequency / settings.factor * share + frequency * (1 - share)
    }
    func automatic(_ mscale: Double) -> Double { 0.1 * mscale * logarithm(settings.factor) + 1 }
    switch settings.magnitude {
    case .final(let value): return (frequencies, value)
    case .mscale(let mscale, let allDim): return (frequencies, automatic(mscale) / automatic(allDim))
    case .automatic:
      guard declaration.scalingKind == "yarn", let mscale = declaration.mscale?.value,
        let allDim = declaration.mscaleAllDim?.value, mscale != 0, allDim != 0
      else { return (frequencies, automatic(1)) }
      return (frequencies, automatic(mscale) / automatic(allDim))
    }
  }
}

/// How often the serving runtimes have a spelling in common.
private struct Tally: CustomStringConvertible {
  /// Patches that all agree on, that some runtime departs from, that no runtime reads at all, that are no patches.
  var (agreed, refused, unread, unpatchable, nobody) = (0, 0, 0, 0, 0)
  var reasons: [String: [String]] = [:]

  var description: String {
    let departing = reasons.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.count)" }
    return "agreed by all \(agreed), refused \(refused) (\(nobody) for all), read by none \(unread), "
      + "not patchable \(unpatchable); departing: \(departing.joined(separator: ", "))"
  }
}
