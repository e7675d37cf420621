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

  /// A subject's reading for one kind of layer.
  private struct Seen {
    var index: Int
    var reading: RuntimeReading
  }

  /// Beyond this many differences the causes repeat each other, or the file is made to take time.
  private static let maximumCauses = 16

  /// - Parameter lengths: Sequence lengths at which to compare; the defaults of the runtimes and, for kinds whose table
  ///   depends on it, the lengths around which it changes are always among them.
  public init(_ subjects: [RuntimeSubject], lengths: [Int] = []) {
    self.subjects = subjects
    let first = subjects.map { $0.runtime.read($0.input) }
    compare(first, at: nil)
    for length in Self.lengths(of: first.flatMap(\.self), lengths) {
      compare(subjects.map { $0.runtime.read($0.input, RuntimeOptions(sequenceLength: length)) }, at: length)
    }
  }

  /// Kinds whose table depends on the length change at the original length and end at the longest window.
  private static func lengths(of readings: [RuntimeReading], _ asked: [Int]) -> [Int] {
    var lengths = Set(asked)
    for reading in readings where reading.dependsOnLength {
      for length in [reading.originalContext.flatMap { Int(exactly: $0) }, reading.contextLength].compactMap(\.self) {
        lengths.formUnion([length, length &+ 1])
      }
    }
    return lengths.filter { $0 > 0 }.sorted()
  }

  private mutating func compare(_ readings: [[RuntimeReading]], at length: Int?) {
    let labels = readings.joined().compactMap(\.layerType).uniqued()
    for layer in labels.isEmpty ? [nil] : labels.map(Optional.some) {
      var groups: [[Seen]] = []
      var refusals: [Seen] = []
      // Of a table that depends on the length each runtime shows another one first; the equations have none to show.
      var withoutLength: [Seen] = []
      for (index, its) in readings.enumerated() {
        guard let reading = its.of(layer) else { continue }
        let seen = Seen(index: index, reading: reading)
        guard reading.table != nil else {
          refusals.append(seen)
          continue
        }
        if length == nil, reading.runtime == Formula.name, reading.dependsOnLength, readings.count > 1 {
          withoutLength.append(seen)
          continue
        }
        // Windows are compared afterwards: runtimes that derive none would tie together those that differ.
        let group = groups.firstIndex { $0[0].reading.effects(of: reading).allSatisfy { $0.aspect == .window } }
        if let group { groups[group].append(seen) } else { groups.append([seen]) }
      }
      groups.sort { ($1.count, $0[0].index) < ($0.count, $1[0].index) }
      comparisons.append(
        Comparison(
          layerType: layer, sequenceLength: length, groups: groups.map { Group(readings: $0.map(\.reading)) }))
      guard let main = groups.first else {
        if length == nil { unable += refusals.map(\.reading) }
        continue
      }
      for group in groups.dropFirst() {
        for effect in main[0].reading.effects(of: group[0].reading) where effect.aspect != .window {
          add(effect, of: group, against: main, layer, length)
        }
      }
      guard length == nil else { continue }
      for refusal in refusals { addRefusal(refusal, against: main, layer) }
      compareWindows(groups.flatMap(\.self) + withoutLength, layer)
    }
  }

  private mutating func add(_ effect: Effect, of group: [Seen], against main: [Seen], _ layer: String?, _ length: Int?)
  {
    let names = group.map(\.reading.runtime)
    // The same at another length is nothing new.
    guard !disagreements.contains(where: { ($0.layerType, $0.runtimes) == (layer, names) && $0.effect == effect })
    else { return }
    disagreements.append(
      Disagreement(
        layerType: layer, sequenceLength: length, runtimes: names, others: main.map(\.reading.runtime), effect: effect,
        cause: cause(of: effect, main[0], group[0], layer, length)))
  }

  /// A refusal that no setting removes is the runtime's matter, such as an architecture it does not know.
  private mutating func addRefusal(_ refusal: Seen, against main: [Seen], _ layer: String?) {
    let effect = Effect.refusal(refusal.reading.refused ?? RuntimeRefusal("no table", "it computes no table"))
    guard let cause = cause(of: effect, main[0], refusal, layer, nil) else { return unable.append(refusal.reading) }
    disagreements.append(
      Disagreement(
        layerType: layer, runtimes: [refusal.reading.runtime], others: main.map(\.reading.runtime), effect: effect,
        cause: cause))
  }

  /// The longest window is what the others fall short of.
  private mutating func compareWindows(_ seen: [Seen], _ layer: String?) {
    let windows = seen.compactMap { one in one.reading.contextLength.map { (window: $0, seen: one) } }
    guard let longest = windows.map(\.window).max() else { return }
    let main = windows.filter { $0.window == longest }.map(\.seen)
    for window in Set(windows.map(\.window)).sorted() where window != longest {
      let group = windows.filter { $0.window == window }.map(\.seen)
      add(.window(longest, window), of: group, against: main, layer, nil)
    }
  }

  private func cause(of effect: Effect, _ one: Seen, _ other: Seen, _ layer: String?, _ length: Int?) -> Cause? {
    guard disagreements.count < Self.maximumCauses else { return nil }
    return Cause(
      of: effect, [subjects[one.index], subjects[other.index]], [one.reading, other.reading], layer: layer,
      length: length)
  }
}

extension RuntimeReading {
  /// Whether the kind's table follows the sequence length.
  fileprivate var dependsOnLength: Bool { ["dynamic", "longrope", "dynamic-yarn"].contains(kind) }
}

extension [RuntimeReading] {
  /// The reading for a kind of layer; one for all layers stands for each.
  package func of(_ layer: String?) -> RuntimeReading? {
    first { $0.layerType == layer } ?? first { $0.layerType == nil }
  }
}
