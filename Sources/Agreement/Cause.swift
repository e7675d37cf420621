import ModelConfig
import Runtimes

/// Why two readings differ, found by changing the file in thought until they agree.
public struct Cause: Sendable, Equatable {
  /// JSON pointers or GGUF keys, the decisive one first.
  public var keys: [String]
  /// What to do about it, as a phrase in the imperative.
  public var cure: String
  /// What the two runtimes say about these keys.
  public var remarks: [String]
}

extension Cause {
  /// The first change of the files, or pair of changes, after which an effect is gone; `nil` when none that was tried
  /// makes the readings agree.
  ///
  /// - Parameter readings: What the two subjects make of their files at this length, for these layers.
  package init?(
    of effect: Effect, _ subjects: [RuntimeSubject], _ readings: [RuntimeReading], layer: String?, length: Int? = nil
  ) {
    let options = RuntimeOptions(sequenceLength: length)
    let subjects = subjects.map { RuntimeSubject($0.runtime, $0.input.slimmed) }
    func isCured(by variation: Variation) -> Bool {
      var varied: [RuntimeReading] = []
      for subject in subjects {
        let its = subject.runtime.read(variation.applied(to: subject.input) ?? subject.input, options)
        guard let reading = its.of(layer) ?? its.first, reading.table != nil else { return false }
        varied.append(reading)
      }
      return !varied[0].effects(of: varied[1]).contains { $0.aspect == effect.aspect }
    }
    var (layouts, plain, lastResorts): ([Variation], [Variation], [Variation]) = ([], [], [])
    for input in subjects.map(\.input).uniqued(by: \.path) {
      switch input {
      case .config(let config, _):
        let its = ConfigVariations(config, readings: readings, aspect: effect.aspect)
        (layouts, plain) = (layouts + its.layouts, plain + its.all)
        lastResorts += its.lastResorts
      case .gguf(let file, let tensors):
        let its = GGUFVariations(file, tensors: tensors)
        (plain, lastResorts) = (plain + its.all, lastResorts + its.lastResorts)
      }
    }
    plain = layouts + plain
    let tries = Self.maximumTries(subjects)
    let found =
      plain.prefix(tries).first(where: isCured) ?? Self.pairs(plain, plain).prefix(tries).first(where: isCured)
      ?? lastResorts.prefix(tries).first(where: isCured)
      ?? Self.pairs(lastResorts, plain).prefix(tries).first(where: isCured)
    guard let found else { return nil }
    self.init(found, readings)
  }

  /// Changes tried in one search. A published file has some twenty members that matter and some two hundred pairs of
  /// them; a file of a thousand layer types takes long to read, and is not worth the time.
  private static func maximumTries(_ subjects: [RuntimeSubject]) -> Int {
    max(32, (1 << 20) / max(1, subjects.map(\.input.textSize).max() ?? 1))
  }

  /// Two changes at once, of different places.
  private static func pairs(_ some: [Variation], _ others: [Variation]) -> some Sequence<Variation> {
    some.lazy.flatMap { one in
      others.lazy.filter { !$0.keys.contains(where: one.keys.contains) }.map { one + $0 }
    }
  }

  private init(_ variation: Variation, _ readings: [RuntimeReading]) {
    keys = variation.keys
    cure = variation.cure
    let keys = keys
    remarks = readings.flatMap { reading in
      reading.notes.filter { note in
        note.key.map { key in keys.contains { $0 == key || key.hasSuffix("/\($0)") } } ?? false
      }
      .map { "\(reading.runtime): \($0.message)" }
    }.uniqued()
  }
}

extension RuntimeInput {
  /// The input without what no runtime looks at for its rotation, since it is read again for each change that is tried.
  fileprivate var slimmed: RuntimeInput {
    guard case .config(let config, let surroundings) = self else { return self }
    return .config(config.slimmed, surroundings)
  }

  fileprivate var textSize: Int {
    if case .config(let config, _) = self { config.document.bytes.count } else { 0 }
  }

  fileprivate var path: String {
    switch self {
    case .config(let config, _): config.document.path
    case .gguf(let file, _): file.path
    }
  }
}
