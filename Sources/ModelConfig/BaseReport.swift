import Diagnostics
import RoPE

extension FileError.Code {
  package static let baseMissing: Self = "base-missing"
  package static let basesDisagree: Self = "bases-disagree"
  package static let storedTableDisagrees: Self = "stored-table-disagrees"
  package static let badDivisors: Self = "bad-divisors"
}

/// An inverse-frequency table that a checkpoint stores as a tensor.
public struct StoredTable: Sendable {
  public var inverseFrequencies: Declared<[Double]>
  /// Largest relative rounding of the stored type: 2⁻²⁴ for float32, more for half precision.
  public var relativeRounding: Double

  package init(_ inverseFrequencies: Declared<[Double]>, relativeRounding: Double) {
    self.inverseFrequencies = inverseFrequencies
    self.relativeRounding = relativeRounding
  }

  /// Whether the tensor holds a table's frequencies, as far as its type can.
  package func matches(_ table: FrequencyTable) -> Bool {
    let values = inverseFrequencies.value
    return values.count == table.inverseFrequencies.count
      && zip(values, table.inverseFrequencies).allSatisfy { isNear($0, $1) }
  }

  /// float32 powers carry a few roundings of their own beside the stored type's. A stored NaN is near nothing.
  fileprivate func isNear(_ stored: Double, _ wanted: Double) -> Bool {
    abs(stored - wanted) <= wanted * (2e-6 + relativeRounding)
  }
}

/// Whether a declared base can be trusted: stated, usable, stated alike everywhere, and in agreement with what the
/// weights store.
public struct BaseReport: Sendable {
  public var base: Declared<Double>?
  /// Every place that states the base.
  public var places: [Declared<Double>]
  /// What speaks against the base; a patch writes nothing while this is not empty.
  public var problems: [FileError] = []
  /// Stored tables that were compared.
  public var comparedTables = 0

  /// - Parameters:
  ///   - stored: Buffers such as `rotary_emb.inv_freq`.
  ///   - path: The file, for the message about a missing base.
  package init(_ declaration: RoPEDeclaration, stored: [StoredTable], path: String) {
    base = declaration.base
    places = declaration.bases
    guard let base else {
      problems.append(
        FileError(
          .baseMissing, at: SourceLocation(path: path), found: "no RoPE base is stated",
          expected: "rope_theta in config.json, rope.freq_base in a GGUF",
          remedy: "name it with --base; many readers take 10000 when it is missing"))
      return
    }
    for other in places where abs(other.value - base.value) > base.value * 1e-6 {
      problems.append(
        FileError(
          .basesDisagree, at: other.place, found: "the base is \(other.value)",
          expected: "\(base.value) as at \(base.place.key ?? "its other place")",
          remedy: "make them equal: some readers take one, some the other; --base writes both"))
    }
    guard let rotary = declaration.rotaryDimension?.value else { return }
    for table in stored { compare(table, base: base.value, rotaryDimension: rotary) }
    for divisors in [declaration.frequencyDivisors, declaration.longFactors, declaration.shortFactors] {
      if let divisors { check(divisors, rotaryDimension: rotary) }
    }
    if let divisors = declaration.frequencyDivisors {
      checkSmoothing(divisors, base: base.value, rotaryDimension: rotary)
    }
  }

  private mutating func compare(_ table: StoredTable, base: Double, rotaryDimension: Int) {
    let values = table.inverseFrequencies.value
    let place = table.inverseFrequencies.place
    comparedTables += 1
    let expected = FrequencyTable(
      RoPEParameters(base: base, rotaryDimension: rotaryDimension)
    ).inverseFrequencies
    guard values.count == expected.count else {
      problems.append(
        FileError(
          .storedTableDisagrees, at: place, found: "the stored table has \(values.count) frequencies",
          expected: "\(expected.count), half the rotary dimension", remedy: "correct the head size in config.json"))
      return
    }
    for (pair, (stored, wanted)) in zip(values, expected).enumerated() where !table.isNear(stored, wanted) {
      let implied = values.count > 1 ? power(values[1], -Double(rotaryDimension) / 2) : .nan
      problems.append(
        FileError(
          .storedTableDisagrees, at: place,
          found: "pair \(pair) is stored as \(stored), as for a base near \(implied.rounded())",
          expected: "\(wanted) for base \(base)",
          remedy:
            "old loaders use the stored table, new ones the base: find out which one the weights were trained with"))
      return
    }
  }

  private mutating func check(_ divisors: Declared<[Double]>, rotaryDimension: Int) {
    if divisors.value.count != rotaryDimension / 2 {
      problems.append(
        FileError(
          .badDivisors, at: divisors.place, found: "there are \(divisors.value.count) per-pair factors",
          expected: "\(rotaryDimension / 2), half the rotary dimension", remedy: "convert the model again"))
    } else if let pair = divisors.value.firstIndex(where: { !($0.isFinite && $0 > 0) }) {
      problems.append(
        FileError(
          .badDivisors, at: divisors.place, found: "factor \(pair) is \(divisors.value[pair])",
          expected: "a finite number above 0", remedy: "convert the model again"))
    }
  }

  /// Divisors of the llama3 kind tell the trained length `L` they were made for: all pairs must allow the same one.
  ///
  /// With wavelength `w`, factor `s`, and low and high frequency factors 1 and 4 as in all published files:
  /// ```
  /// divisor v = 1        w is at most L / 4
  /// between              1/v = (1-t)/s + t  and  t = (L/w - 1)/3  give  L = w (1 + 3t)
  /// divisor s            w is at least L
  /// ```
  private mutating func checkSmoothing(_ divisors: Declared<[Double]>, base: Double, rotaryDimension: Int) {
    // Without a blended pair the divisors are of another kind, such as Gemma 4's.
    guard problems.isEmpty, let factor = divisors.value.max(), divisors.value.first == 1,
      divisors.value.contains(where: { $0 > 1 && $0 < factor })
    else { return }
    let wavelengths = FrequencyTable(
      RoPEParameters(base: base, rotaryDimension: rotaryDimension)
    ).wavelengths
    var shortest = 0.0
    var longest = Double.infinity
    for (divisor, wavelength) in zip(divisors.value, wavelengths) {
      let share = (1 / divisor - 1 / factor) / (1 - 1 / factor)
      if divisor > 1 { longest = min(longest, wavelength * (1 + 3 * share)) }
      if divisor < factor { shortest = max(shortest, wavelength * (1 + 3 * share)) }
    }
    guard shortest > longest * 1.001 else { return }
    problems.append(
      FileError(
        .storedTableDisagrees, at: divisors.place,
        found:
          "under base \(base) its pairs stand for trained lengths of at least \(shortest.rounded()) and at most \(longest.rounded())",
        expected: "one trained length, as llama3 divisors made for this base give",
        remedy: "the tensor was made for another base: convert the model again"))
  }
}
