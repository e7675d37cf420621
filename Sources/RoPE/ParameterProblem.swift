/// One parameter that gives no usable table: which, what it is, what it should be.
public struct ParameterProblem: Sendable, Equatable, CustomStringConvertible {
  public enum Parameter: String, Sendable {
    case base, rotaryDimension, headDimension, attentionFactor, softmaxScaleMultiplier
    case factor, factors, alpha, beta, betaFast, betaSlow, originalContextLength, sequenceLength
    case lowFrequencyFactor, highFrequencyFactor
  }

  public var parameter: Parameter
  public var found: String
  public var expected: String

  public var description: String { "\(parameter.rawValue) is \(found), expected \(expected)" }
}

extension RoPEParameters {
  /// Widest head we compute; real ones stay below 1024. Bounds time and memory for a hostile file.
  public static let maximumDimension = 65_536
  /// Range of every positive parameter. Real values lie far inside; within it no product of the formulas overflows a
  /// double, so a table without ``problems`` is finite.
  public static let magnitudes = 1e-9...1e15

  /// Why these parameters give no table, empty when they do.
  public var problems: [ParameterProblem] {
    let greatest = Self.magnitudes.upperBound
    var list = ProblemList()
    list.require(base > 1 && base <= greatest, .base, base, "a number greater than 1, at most \(greatest)")
    list.dimension(.rotaryDimension, rotaryDimension, atLeast: 2)
    list.require(
      abs(attentionFactor) <= greatest, .attentionFactor, attentionFactor, "a magnitude of at most \(greatest)")
    list.require(
      abs(softmaxScaleMultiplier) <= greatest, .softmaxScaleMultiplier, softmaxScaleMultiplier,
      "a magnitude of at most \(greatest)")
    checkScaling(&list)
    return list.problems
  }

  private func checkScaling(_ list: inout ProblemList) {
    switch scaling {
    case .none: break
    case .linear(let factor):
      list.positive([(.factor, factor)])
    case .ntkAware(let alpha):
      list.positive([(.alpha, alpha)])
      list.require(rotaryDimension != 2, .rotaryDimension, 2, "at least 4, the exponent being d/(d-2)")
      list.require(!(effectiveBase <= 1), .alpha, alpha, "a number that leaves the base greater than 1")
    case .dynamicNTK(let factor, let originalContextLength, let sequenceLength):
      list.positive([
        (.factor, factor), (.originalContextLength, originalContextLength), (.sequenceLength, sequenceLength),
      ])
      list.require(rotaryDimension != 2, .rotaryDimension, 2, "at least 4, the exponent being d/(d-2)")
    case .ntkByParts(let factor, let originalContextLength, let alpha, let beta):
      list.positive([
        (.factor, factor), (.originalContextLength, originalContextLength), (.alpha, alpha), (.beta, beta),
      ])
      list.require(beta > alpha, .beta, beta, "a number greater than alpha, \(alpha)")
    case .yarn(let yarn):
      list.positive([
        (.factor, yarn.factor), (.originalContextLength, yarn.originalContextLength), (.betaFast, yarn.betaFast),
        (.betaSlow, yarn.betaSlow),
      ])
    case .llama3(let factor, let low, let high, let originalContextLength):
      list.positive([
        (.factor, factor), (.lowFrequencyFactor, low), (.highFrequencyFactor, high),
        (.originalContextLength, originalContextLength),
      ])
    case .longrope(let factors):
      list.require(factors.count == pairCount, .factors, "\(factors.count) numbers", "\(pairCount), one for each pair")
      let unusable = factors.first { !Self.magnitudes.contains($0) }
      list.positive(unusable.map { [(.factors, $0)] } ?? [])
    case .proportional(let factor, let headDimension):
      list.positive([(.factor, factor)])
      list.dimension(.headDimension, headDimension, atLeast: max(rotaryDimension, 2))
    }
  }
}

/// The problems found so far.
private struct ProblemList {
  var problems: [ParameterProblem] = []

  mutating func require(
    _ holds: Bool, _ parameter: ParameterProblem.Parameter, _ found: some CustomStringConvertible,
    _ expected: @autoclosure () -> String
  ) {
    guard !holds else { return }
    let found = found.description == "nan" ? "not a number" : found.description
    problems.append(ParameterProblem(parameter: parameter, found: found, expected: expected()))
  }

  mutating func positive(_ values: [(ParameterProblem.Parameter, Double)]) {
    let range = RoPEParameters.magnitudes
    for (parameter, value) in values {
      require(range.contains(value), parameter, value, "a number from \(range.lowerBound) to \(range.upperBound)")
    }
  }

  mutating func dimension(_ parameter: ParameterProblem.Parameter, _ value: Int, atLeast least: Int) {
    let holds = value >= least && value <= RoPEParameters.maximumDimension && value.isMultiple(of: 2)
    require(holds, parameter, value, "an even number from \(least) to \(RoPEParameters.maximumDimension)")
  }
}
