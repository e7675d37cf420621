import ModelConfig
import RoPE
import Runtimes

/// One runtime with the file it runs from.
public struct RuntimeSubject: Sendable {
  public var runtime: Runtime
  public var input: RuntimeInput

  public init(_ runtime: Runtime, _ input: RuntimeInput) {
    self.runtime = runtime
    self.input = input
  }
}

/// Why two readings differ, found by changing the file in thought until they agree.
public struct Cause: Sendable, Equatable {
  /// JSON pointers or GGUF keys, the decisive one first.
  public var keys: [String]
  /// What to do about it, as a phrase in the imperative.
  public var cure: String
  /// What the two runtimes say about these keys.
  public var remarks: [String]
}

/// Runtimes that compute something else than the largest group of those that agree.
public struct Disagreement: Sendable {
  public var layerType: String?
  /// The length at which it was seen, `nil` where the table does not depend on it.
  public var sequenceLength: Int?
  /// The runtimes that differ, alike among themselves.
  public var runtimes: [String]
  /// Those that they are compared with.
  public var others: [String]
  public var effect: Effect
  /// `nil` when no change of the file that was tried makes them agree.
  public var cause: Cause?
}

/// Who computes the same table from a model's files, and why the others do not.
public struct RuntimeAgreement: Sendable {
  /// Runtimes whose tables and factors are the same within float32 rounding, for one kind of layer at one length.
  public struct Group: Sendable {
    public var readings: [RuntimeReading]
    public var runtimes: [String] { readings.map(\.runtime) }
  }

  /// The groups of one kind of layer at one length, the largest first.
  public struct Comparison: Sendable {
    public var layerType: String?
    public var sequenceLength: Int?
    public var groups: [Group]
  }

  public private(set) var comparisons: [Comparison] = []
  public private(set) var disagreements: [Disagreement] = []
  /// Runtimes that cannot read the file for reasons that no setting changes.
  public private(set) var unable: [RuntimeReading] = []

  private let subjects: [RuntimeSubject]

  /// - Parameter lengths: Sequence lengths at which to compare; the defaults of the runtimes and, for kinds whose table
  ///   depends on it, the lengths around which it changes are always among them.
  public init(_ subjects: [RuntimeSubject], lengths: [Int] = []) {
    self.subjects = subjects
    let first = subjects.map { $0.runtime.read($0.input) }
    for length in [nil] + Self.lengths(of: first.joined().map(\.self), lengths) {
      compare(
        at: length,
        length == nil ? first : subjects.map { $0.runtime.read($0.input, RuntimeOptions(sequenceLength: length)) })
    }
  }

  /// Kinds whose table depends on the length change at the original length and end at the longest window.
  private static func lengths(of readings: [RuntimeReading], _ asked: [Int]) -> [Int?] {
    var lengths = Set(asked)
    for reading in readings where ["dynamic", "longrope", "dynamic-yarn"].contains(reading.kind) {
      for length in [reading.originalContext.flatMap { Int(exactly: $0) }, reading.contextLength].compactMap(\.self) {
        lengths.formUnion([length, length + 1])
      }
    }
    return lengths.filter { $0 > 0 }.sorted()
  }

  // MARK: grouping

  private mutating func compare(at length: Int?, _ readings: [[RuntimeReading]]) {
    let labels = readings.joined().compactMap(\.layerType)
    let layers: [String?] = labels.isEmpty ? [nil] : labels.uniqued()
    for layer in layers {
      var groups: [[(index: Int, reading: RuntimeReading)]] = []
      var refusals: [(index: Int, reading: RuntimeReading)] = []
      for (index, its) in readings.enumerated() {
        guard let reading = its.first(where: { $0.layerType == layer }) ?? its.first(where: { $0.layerType == nil })
        else { continue }
        guard reading.table != nil else {
          refusals.append((index, reading))
          continue
        }
        // Windows are compared afterwards: runtimes that derive none would tie together those that differ.
        let group = groups.firstIndex { $0[0].reading.effects(of: reading).allSatisfy { $0.aspect == .window } }
        if let group { groups[group].append((index, reading)) } else { groups.append([(index, reading)]) }
      }
      groups.sort { $0.count > $1.count }
      comparisons.append(
        Comparison(
          layerType: layer, sequenceLength: length, groups: groups.map { Group(readings: $0.map(\.reading)) }))
      explain(groups, refusals, layer, length)
    }
  }

  private mutating func explain(
    _ groups: [[(index: Int, reading: RuntimeReading)]], _ refusals: [(index: Int, reading: RuntimeReading)],
    _ layer: String?, _ length: Int?
  ) {
    guard let main = groups.first else {
      if length == nil { unable += refusals.map(\.reading) }
      return
    }
    func add(
      _ effect: Effect, of differing: [(index: Int, reading: RuntimeReading)],
      from main: [(index: Int, reading: RuntimeReading)]
    ) -> Bool {
      let cause = Cause(
        of: effect, [main[0], differing[0]].map { subjects[$0.index] }, [main[0].reading, differing[0].reading],
        layer: layer, length: length)
      if case .refusal = effect, cause == nil { return false }
      let runtimes = differing.map(\.reading.runtime)
      let isKnown = disagreements.contains {
        $0.layerType == layer && $0.runtimes == runtimes && $0.effect == effect && $0.cause == cause
      }
      guard !isKnown else { return true }
      disagreements.append(
        Disagreement(
          layerType: layer, sequenceLength: length, runtimes: runtimes, others: main.map(\.reading.runtime),
          effect: effect, cause: cause))
      return true
    }
    for group in groups.dropFirst() {
      for effect in main[0].reading.effects(of: group[0].reading) where effect.aspect != .window {
        _ = add(effect, of: group, from: main)
      }
    }
    guard length == nil else { return }
    for refusal in refusals
    where !add(
      .refusal(refusal.reading.refused ?? RuntimeRefusal("no table", "it computes no table")), of: [refusal], from: main
    ) {
      unable.append(refusal.reading)
    }
    let windows = groups.joined().filter { $0.reading.contextLength != nil }
    guard let largest = windows.max(by: { $0.reading.contextLength ?? 0 < $1.reading.contextLength ?? 0 }) else {
      return
    }
    let alike = windows.filter { $0.reading.contextLength == largest.reading.contextLength }
    for other in Set(windows.compactMap(\.reading.contextLength)).sorted() where other != largest.reading.contextLength
    {
      let differing = windows.filter { $0.reading.contextLength == other }
      _ = add(.window(largest.reading.contextLength ?? 0, other), of: Array(differing), from: Array(alike))
    }
  }
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
    func isCured(by variation: Variation) -> Bool {
      var varied: [RuntimeReading] = []
      for subject in subjects {
        let its = subject.runtime.read(variation.applied(to: subject.input) ?? subject.input, options)
        guard let reading = its.first(where: { $0.layerType == layer }) ?? its.first, reading.table != nil else {
          return false
        }
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
    let found =
      plain.first(where: isCured) ?? Self.pairs(plain, plain).first(where: isCured)
      ?? lastResorts.first(where: isCured) ?? Self.pairs(lastResorts, plain).first(where: isCured)
    guard let found else { return nil }
    self.init(found, readings)
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
  fileprivate var path: String {
    switch self {
    case .config(let config, _): config.document.path
    case .gguf(let file, _): file.path
    }
  }
}

extension Sequence {
  /// The elements in order, each key once.
  fileprivate func uniqued<Key: Hashable>(by key: (Element) -> Key) -> [Element] {
    var seen: Set<Key> = []
    return filter { seen.insert(key($0)).inserted }
  }
}

extension Sequence where Element: Hashable {
  /// The elements in order, each once.
  package func uniqued() -> [Element] { uniqued(by: \.self) }
}
