import RoPE
import Runtimes

/// What differs between two readings of the same layers, with its size.
public enum Effect: Sendable, Equatable {
  /// Only the first has a table.
  case refusal(RuntimeRefusal)
  /// Different numbers of rotating pairs.
  case pairCount(Int, Int)
  /// The pair whose inverse frequencies, in radians per position, differ most.
  case frequency(pair: Int, Double, Double)
  /// Factors of cos and sin, and of the softmax scale.
  case magnitude(attentionFactors: (Double, Double), softmaxScaleMultipliers: (Double, Double))
  /// Derived windows, in tokens.
  case window(Int, Int)

  /// What an effect is about, whatever its size.
  public enum Aspect: String, Sendable, CaseIterable { case refusal, frequencies, magnitude, window }

  public var aspect: Aspect {
    switch self {
    case .refusal: .refusal
    case .pairCount, .frequency: .frequencies
    case .magnitude: .magnitude
    case .window: .window
    }
  }

  /// The second's largest relative difference from the first in frequency, logit scale or window; infinite where they
  /// cannot be compared.
  public var size: Double {
    switch self {
    case .refusal, .pairCount: .infinity
    case .frequency(_, let first, let second): relativeDifference(first, second)
    case .magnitude: abs(logitScaleRatio - 1)
    case .window(let first, let second): relativeDifference(Double(first), Double(second))
    }
  }

  /// The second's logits over the first's, where the whole head rotates: the square of cos and sin's factor times the
  /// softmax multiplier.
  public var logitScaleRatio: Double {
    guard case .magnitude(let factors, let multipliers) = self else { return 1 }
    let ratio = factors.1 / factors.0
    return ratio * ratio * (multipliers.1 / multipliers.0)
  }

  /// The largest ``size`` that float32 rounding explains.
  public var bound: Double {
    switch self {
    case .frequency(let pair, _, _): RuntimeReading.rounding(pairCount: pair + 1)
    case .magnitude: 2 * RuntimeReading.factorRounding
    case .refusal, .pairCount, .window: 0
    }
  }

  /// What the differing side does, with what it would be otherwise; numbers to float32.
  public var phrase: String {
    func instead(_ what: String, _ values: (Double, Double)) -> String? {
      isRounding(values) ? nil : "\(what) \(number(values.1)) instead of \(number(values.0))"
    }
    switch self {
    case .refusal(let refusal): return "refused, \(refusal.kind): \(refusal.reason)"
    case .pairCount(let first, let second): return "\(second) rotating pairs instead of \(first)"
    case .frequency(let pair, let first, let second) where first.isNaN || second.isNaN:
      return "pair \(pair) turns by \(number(second)) instead of \(number(first)), in rad per token"
    case .frequency(let pair, let first, let second):
      let share = size.isFinite ? ", \(Float((size * 1e4).rounded() / 100)) % off" : ""
      return "pair \(pair) turns \(Float(second)) rad per token instead of \(Float(first))\(share)"
    case .magnitude(let factors, let multipliers):
      return [
        instead("attention factor", factors), instead("softmax scale multiplier", multipliers),
        logitScaleRatio.isNaN ? nil : "logits × \(Float(logitScaleRatio))",
      ].compactMap(\.self).joined(separator: ", ")
    case .window(let first, let second): return "a window of \(second) tokens instead of \(first)"
    }
  }

  public static func == (one: Effect, other: Effect) -> Bool {
    switch (one, other) {
    case (.refusal(let mine), .refusal(let its)): mine == its
    case (.pairCount(let a, let b), .pairCount(let c, let d)): (a, b) == (c, d)
    case (.frequency(let p, let a, let b), .frequency(let q, let c, let d)): (p, a, b) == (q, c, d)
    case (.magnitude(let a, let b), .magnitude(let c, let d)): a == c && b == d
    case (.window(let a, let b), .window(let c, let d)): (a, b) == (c, d)
    default: false
    }
  }
}

private func relativeDifference(_ first: Double, _ second: Double) -> Double {
  first == second ? 0 : abs(second - first) / abs(first)
}

/// As a runtime's float32, or in words.
private func number(_ value: Double) -> String { value.isNaN ? "no number" : "\(Float(value))" }

/// Whether two factors are the same but for float32.
private func isRounding(_ values: (Double, Double)) -> Bool {
  relativeDifference(values.0, values.1) <= RuntimeReading.factorRounding
}

extension RuntimeReading {
  /// Relative error that float32 may leave in one entry of a table: a runtime that multiplies its way from pair to pair
  /// (llama.cpp) collects two roundings for each.
  package static func rounding(pairCount: Int) -> Double { max(2e-6, Double(pairCount) * 0x1p-23) }
  /// Relative error that float32 may leave in a factor, its logarithm included.
  package static let factorRounding = 4e-6

  /// Where another reading departs from this one by more than float32 rounding, largest aspects first.
  ///
  /// A runtime that derives no window, or layers without a table on both sides, differ in nothing there.
  package func effects(of other: RuntimeReading) -> [Effect] {
    guard let table, let its = other.table else {
      let refusal = refused ?? other.refused ?? RuntimeRefusal("no table", "no table can be computed")
      return (table == nil) == (other.table == nil) ? [] : [.refusal(refusal)]
    }
    var effects: [Effect] = []
    let differences = zip(table.inverseFrequencies, its.inverseFrequencies).map(relativeDifference)
    if table.inverseFrequencies.count != its.inverseFrequencies.count {
      effects.append(.pairCount(table.inverseFrequencies.count, its.inverseFrequencies.count))
    } else if let pair = differences.indices.max(by: { differences[$0] < differences[$1] }),
      !(differences[pair] <= Self.rounding(pairCount: differences.count))
    {
      effects.append(.frequency(pair: pair, table.inverseFrequencies[pair], its.inverseFrequencies[pair]))
    }
    let magnitude = Effect.magnitude(
      attentionFactors: (table.attentionFactor, its.attentionFactor),
      softmaxScaleMultipliers: (table.softmaxScaleMultiplier, its.softmaxScaleMultiplier))
    if case .magnitude(let factors, let multipliers) = magnitude, !isRounding(factors) || !isRounding(multipliers) {
      effects.append(magnitude)
    }
    if let contextLength, let its = other.contextLength, contextLength != its {
      effects.append(.window(contextLength, its))
    }
    return effects
  }
}
