import Foundation
import LosslessJSON
import Testing

/// A file of `fixtures/frequency-tables`, read with its literals: `4` and `4.0` stay two things.
struct RecordedFile {
  let count: Int
  let cases: [RecordedCase]

  init(_ name: String) throws {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let url = package.appendingPathComponent("fixtures/frequency-tables/\(name)")
    let document = try JSONDocument(Array(Data(contentsOf: url)), path: name)
    count = try #require(document["/count"]?.value.number?.integer)
    cases = try #require(document["/cases"]?.value.elements).map { RecordedCase(document, $0) }
  }
}

/// One case: its input as text, its results by name.
struct RecordedCase {
  let id: String
  /// JSON text of the input object.
  let input: String
  private let node: JSONNode

  init(_ document: JSONDocument, _ node: JSONNode) {
    self.node = node
    id = Self.member("id", of: node)?.string ?? ""
    let range = node.value.members?.last { $0.key == "input" }?.node.range ?? 0..<0
    input = String(decoding: document.bytes[range], as: UTF8.self)
  }

  subscript(path: String...) -> JSONValue? {
    path.reduce(Optional(node.value)) { value, key in value?.members?.last { $0.key == key }?.node.value }
  }

  func number(_ path: String...) -> Double? {
    path.reduce(Optional(node.value)) { value, key in value?.members?.last { $0.key == key }?.node.value }?.number?
      .double
  }

  /// A list of numbers; "inf" and the like are texts in these files.
  func numbers(_ key: String) -> [Double]? { Self.numbers(self[key]) }

  /// The rotations recorded at some positions, magnitude included.
  var rotations: [(position: Double, cosines: [Double], sines: [Double])] {
    (self["cos_sin"]?.elements ?? []).compactMap { sample in
      guard let position = Self.member("pos", of: sample)?.number?.double,
        let cosines = Self.numbers(Self.member("cos", of: sample)),
        let sines = Self.numbers(Self.member("sin", of: sample))
      else { return nil }
      return (position, cosines, sines)
    }
  }

  private static func member(_ key: String, of node: JSONNode) -> JSONValue? {
    node.value.members?.last { $0.key == key }?.node.value
  }

  private static func numbers(_ value: JSONValue?) -> [Double]? {
    value?.elements?.map { $0.value.number?.double ?? Double($0.value.string ?? "") ?? .nan }
  }
}

/// What was compared of one file, and by how much it differed.
struct RecordedComparison {
  var cases = 0
  var failures: [String] = []
  /// Largest distance of a stored table's value.
  var largestULP = 0
  var largestRelative = 0.0
  /// The same for tables that are known from rotations only.
  var largestMeasured = 0.0
  private var wrong: [String] = []

  /// Ends a case: what it got wrong, if anything.
  mutating func finish(_ id: String) {
    cases += 1
    if let first = wrong.first { failures.append("\(id): \(first)") }
    wrong = []
  }

  mutating func expect(_ holds: Bool, _ what: @autoclosure () -> String) {
    if !holds { wrong.append(what()) }
  }

  /// Float32 values held in doubles; a zero must be one exactly.
  ///
  /// - Parameter isMeasured: The recorded values come from rotations, not from a table.
  mutating func table(
    _ found: [Double]?, _ recorded: [Double], within tolerance: Double, isMeasured: Bool = false
  ) {
    guard let found, found.count == recorded.count else {
      return wrong.append("\(found?.count ?? 0) pairs, recorded \(recorded.count)")
    }
    for (pair, (found, recorded)) in zip(found, recorded).enumerated() {
      if recorded == 0 {
        expect(found == 0, "pair \(pair) is \(found), recorded 0")
        continue
      }
      let relative = abs(found / recorded - 1)
      expect(relative <= tolerance, "pair \(pair) is \(found), recorded \(recorded), \(relative) away")
      guard !isMeasured else {
        largestMeasured = max(largestMeasured, relative)
        continue
      }
      largestRelative = max(largestRelative, relative)
      largestULP = max(largestULP, abs(Int(Float(found).bitPattern) - Int(Float(recorded).bitPattern)))
    }
  }

  mutating func number(_ name: String, _ found: Double?, _ recorded: Double?, within tolerance: Double = 1e-12) {
    guard let recorded else { return }
    expect(abs((found ?? .nan) - recorded) <= tolerance, "\(name) is \(found ?? .nan), recorded \(recorded)")
  }

  /// Rotations by a table, except where the angle is so large that its float32 rounding shows.
  mutating func rotations(_ recorded: RecordedCase, _ table: [Double], magnitude: Double) {
    for (position, cosines, sines) in recorded.rotations {
      guard cosines.count == table.count, sines.count == table.count else {
        wrong.append("\(table.count) pairs, recorded \(cosines.count) rotations")
        continue
      }
      for (pair, frequency) in table.enumerated() where position * frequency < 1e5 {
        let angle = position * frequency
        let tolerance = magnitude * (angle * 1e-6 + 1e-6)
        let difference = max(
          abs(magnitude * cos(angle) - cosines[pair]), abs(magnitude * sin(angle) - sines[pair]))
        expect(difference <= tolerance, "rotation of pair \(pair) at \(position) is \(difference) away")
      }
    }
  }

  /// Prints the summary line and fails for what went wrong or missing.
  func report(_ runtime: String, recorded count: Int) {
    print(
      "\(runtime): \(cases) cases, \(failures.count) failures, largest error \(largestULP) ULP",
      "(relative \(largestRelative)), of measured tables relative \(largestMeasured)")
    #expect(cases == count)
    #expect(failures.isEmpty, "\(failures.prefix(20).joined(separator: "\n"))")
  }
}
