/// A property that was measured, with the largest value that is still good.
public struct CheckMeasurement: Sendable, Equatable {
  /// Stable name, such as `near-logits`.
  public var id: String
  /// What holds when the measured value is within the bound, as a phrase.
  public var property: String
  public var measured: Double
  public var bound: Double
  /// Unit of both numbers.
  public var unit: String

  public init(_ id: String, _ property: String, measured: Double, bound: Double, unit: String = "relative") {
    self.id = id
    self.property = property
    self.measured = measured
    self.bound = bound
    self.unit = unit
  }

  /// False also for a measurement that is not a number.
  public var holds: Bool { measured <= bound }
}

/// What YaRN promises of a table, measured on the table: which pairs it leaves alone, blends and interpolates, and
/// whether it really does.
///
/// The expectations come from the promise (rotations within the original context, phases seen in training), not from
/// the ramp's formula, so a wrong ramp does not pass its own check.
public struct BandFacts: Sendable, Equatable {
  /// Pairs with ramp 0, strictly between, and 1.
  public var keptCount: Int
  public var blendedCount: Int
  public var interpolatedCount: Int
  /// The interpolated share of each pair.
  public var ramp: [Double]
  /// Fast pairs unchanged, slow pairs divided, ramp monotone, no phase beyond training, factor 1 the identity.
  public var checks: [CheckMeasurement]

  /// - Parameters:
  ///   - table: The table to judge, from any runtime.
  ///   - parameters: What it should be; the scaling must be YaRN.
  ///   - tolerance: Relative error of one entry: 1e-12 for double tables, 1e-6 for float32 ones.
  /// - Returns: `nil` when the scaling is another one, the parameters have problems, or the table has another length.
  public init?(_ table: FrequencyTable, _ parameters: RoPEParameters, tolerance: Double = 1e-12) {
    guard case .yarn(let yarn) = parameters.scaling, let identity = parameters.identity, parameters.problems.isEmpty,
      table.inverseFrequencies.count == parameters.pairCount
    else { return nil }
    let range = CorrectionRange(yarn, base: parameters.base, rotaryDimension: parameters.rotaryDimension)
    ramp = range.ramp(pairCount: parameters.pairCount)
    keptCount = ramp.count { $0 == 0 }
    interpolatedCount = ramp.count { $0 == 1 }
    blendedCount = ramp.count - keptCount - interpolatedCount

    let original = FrequencyTable(parameters.unscaled)
    let pairs = zip(original.inverseFrequencies, table.inverseFrequencies).map { (before: $0, after: $1) }
    let rotations = original.rotations(in: yarn.originalContextLength)
    let fast = zip(pairs, rotations).filter { $1 > yarn.betaFast }.map(\.0)
    let slow = zip(pairs, rotations).filter { $1 < yarn.betaSlow }.map(\.0)
    let interpolated = zip(pairs, ramp).filter { $1 == 1 }.map(\.0)

    // The share in front of each frequency can be told from the table only as well as the factor differs from 1.
    let span = 1 - 1 / yarn.factor
    let shares = span == 0 ? [] : pairs.map { (1 - $0.after / $0.before) / span }
    let one = zip(FrequencyTable(identity).inverseFrequencies, original.inverseFrequencies)

    checks = [
      CheckMeasurement(
        "fast-pairs", "pairs faster than beta fast keep their frequency",
        measured: largest(fast.map { abs($0.after / $0.before - 1) }), bound: tolerance),
      CheckMeasurement(
        "slow-pairs", "pairs slower than beta slow are divided by the factor",
        measured: largest(slow.map { abs($0.after * yarn.factor / $0.before - 1) }), bound: tolerance),
      CheckMeasurement(
        "ramp", "the interpolated share never falls from one pair to the next",
        measured: largest(zip(shares, shares.dropFirst()).map { $0 - $1 }),
        bound: span == 0 ? 0 : 2 * tolerance / abs(span)),
      CheckMeasurement(
        "phase", "no interpolated pair turns further within the new context than within the original one",
        measured: largest(interpolated.map { $0.after * yarn.factor / $0.before }), bound: 1 + tolerance),
      CheckMeasurement(
        "identity", "factor 1 changes nothing", measured: largest(one.map { abs($0 / $1 - 1) }), bound: tolerance),
    ]
  }
}

/// The largest value but at least 0; not a number when one of them is not, which a comparison would hide.
private func largest(_ values: [Double]) -> Double {
  values.reduce(0) { $1.isNaN || $1 > $0 ? $1 : $0 }
}
