import RoPE

/// A frequency table spelled as the divisors of a GGUF's `rope_freqs.weight`: plain frequency ÷ wanted frequency.
///
/// Plain are the frequencies that follow from the base alone; what else a file stored before is not part of them. The
/// divisors say nothing about how they came about, so the file states what they do not tell (original length, window,
/// betas, magnitude) in keys that llama.cpp does not use beside scaling type `none`, and the scaling is read back by
/// computing what those give.
package enum DivisorEncoding {
  /// One for each frequency, rounded to float32.
  package static func divisors(of frequencies: [Double], base: Double) -> [Float] {
    let plain = FrequencyTable(RoPEParameters(base: base, rotaryDimension: 2 * frequencies.count)).inverseFrequencies
    return zip(plain, frequencies).map { Float($0 / $1) }
  }

  /// Divisors as a reviewer reads them: `32 divisors, 1 to 4`.
  package static func phrase(_ divisors: [Double]) -> String {
    func text(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? "\(Float(value))" }
    let (low, high) = (divisors.min() ?? 1, divisors.max() ?? 1)
    return "\(divisors.count) divisors, " + (low == high ? "all \(text(low))" : "\(text(low)) to \(text(high))")
  }

  /// Largest relative difference of a stored divisor from the computed one: float32 rounding, with room for programs that
  /// compute in float32.
  private static let rounding = 1e-6

  fileprivate static func isSame(_ stored: [Double], _ computed: [Float]) -> Bool {
    stored.count == computed.count && zip(stored, computed).allSatisfy { abs($0 - Double($1)) <= $0 * rounding }
  }
}

extension RoPEDeclaration {
  /// Replaces divisors that stand for a scaling by the scaling: ``encodedDivisors`` instead of ``frequencyDivisors``.
  ///
  /// Others are left, as those that weights were trained with. Divisors that are all 1 stand for none.
  mutating func readEncodedScaling() {
    guard let stored = frequencyDivisors, stored.value.count == (rotaryDimension?.value ?? 0) / 2 else { return }
    if let (scaling, factor) = scaling(of: stored.value) {
      self.factor = stored.map { _ in factor }
      if case .yarn(let yarn) = scaling {
        kind = stored.map { _ in "yarn" }
        if !yarn.truncate { truncate = stored.map { _ in false } }
        // The whole magnitude is stated here; one that would be taken anyway is left to be taken.
        let magnitude = attentionFactor ?? stored.map { _ in 1 }
        let automatic = automaticMagnitude(factor: factor)
        attentionFactor = abs(magnitude.value - automatic) <= automatic * 1e-6 ? nil : magnitude
      } else {
        kind = stored.map { _ in "linear" }
      }
    } else if !stored.value.allSatisfy({ $0 == 1 }) {
      return
    }
    encodedDivisors = stored
    frequencyDivisors = nil
  }

  /// The linear or YaRN scaling that gives divisors, with its factor.
  private func scaling(of divisors: [Double]) -> (RoPEScaling, factor: Double)? {
    guard scalingKind == nil, let base = base?.value, let original = originalContext?.value,
      let window = contextLength?.value, let first = divisors.first, let last = divisors.last
    else { return nil }
    func isWindow(_ factor: Double) -> Bool {
      abs(Double(window) - Double(original) * factor) <= max(1, Double(window) * 1e-6)
    }
    if first != 1, first == last, attentionFactor?.value ?? 1 == 1, isWindow(first),
      divisors.allSatisfy({ $0 == first })
    {
      return (.linear(factor: first), first)
    }
    for truncates in [true, false] {
      func frequencies(_ factor: Double) -> (RoPEScaling, [Double]) {
        let yarn = RoPEScaling.yarn(
          YaRN(
            factor: factor, originalContextLength: Double(original), betaFast: betaFast?.value ?? 32,
            betaSlow: betaSlow?.value ?? 1, truncate: truncates))
        let table = FrequencyTable(RoPEParameters(base: base, rotaryDimension: 2 * divisors.count, scaling: yarn))
        return (yarn, table.inverseFrequencies)
      }
      // A divisor d of a pair interpolated to the share g means 1/d = g/s + 1 - g; a factor of 2 tells g.
      let half = DivisorEncoding.divisors(of: frequencies(2).1, base: base).last.map { Double($0) } ?? 1
      let share = 2 * (1 - 1 / half)
      for factor in [Double(window) / Double(original), share / (1 / last - 1 + share)] where isWindow(factor) {
        let (scaling, table) = frequencies(factor)
        if DivisorEncoding.isSame(divisors, DivisorEncoding.divisors(of: table, base: base)) {
          return (scaling, factor)
        }
      }
    }
    return nil
  }

  /// YaRN's magnitude where none is stated: the ratio of a complete mscale pair, else `0.1 ln s + 1`.
  package func automaticMagnitude(factor: Double) -> Double {
    guard let mscale = mscale?.value, let allDim = mscaleAllDim?.value, mscale != 0, allDim != 0 else {
      return yarnMagnitude(factor: factor)
    }
    return yarnMagnitude(factor: factor, mscale: mscale) / yarnMagnitude(factor: factor, mscale: allDim)
  }
}
