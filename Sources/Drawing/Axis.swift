import Glibc

/// Where the values of one direction of a plot stand, and which of them are marked.
package struct Axis: Sendable {
  /// Equal steps for equal differences, or for equal quotients.
  package enum Scale: Sendable { case linear, logarithmic }

  package let title: String
  package let scale: Scale
  /// Ends of the axis: values, or on a logarithmic one whole powers of ten.
  private let lower: Double, upper: Double

  /// An axis that holds all values.
  ///
  /// - Parameters:
  ///   - values: Finite; above 0 for a logarithmic axis, which ends at whole powers of ten. Others are passed over.
  ///   - margin: Added at both ends of a linear axis.
  package init(_ title: String, _ scale: Scale, holding values: some Sequence<Double>, margin: Double = 0) {
    (self.title, self.scale) = (title, scale)
    let usable = values.filter { $0.isFinite && (scale == .linear || $0 > 0) }
    let (least, greatest) = (usable.min() ?? 1, usable.max() ?? 1)
    switch scale {
    case .linear:
      lower = least - margin
      upper = max(greatest + margin, lower + 1e-9)
    case .logarithmic:
      lower = log10(least).rounded(.down)
      upper = max(log10(greatest).rounded(.up), lower + 1)
    }
  }

  /// How far along the axis a value stands: 0 at its lower end, 1 at its upper one.
  package func share(_ value: Double) -> Double {
    let place = scale == .linear ? value : log10(value)
    return min(max((place - lower) / (upper - lower), 0), 1)
  }

  /// A marked value.
  package struct Tick: Sendable, Equatable {
    package let value: Double
    package let label: String
  }

  /// At most eleven round values: multiples of 1, 2 or 5 times a power of ten, or powers of ten.
  package var ticks: [Tick] {
    let isLinear = scale == .linear
    let step = isLinear ? Self.niceStep((upper - lower) / 10) : max(1, ((upper - lower) / 10).rounded(.up))
    let first = Int((lower / step).rounded(.up))
    let last = Int((upper / step).rounded(.down))
    guard first <= last else { return [] }
    return (first...last).map { index in
      let place = Double(index) * step
      return Tick(value: isLinear ? place : pow(10, place), label: isLinear ? Self.text(place) : Self.power(Int(place)))
    }
  }

  /// The smallest of 1, 2, 5, 10, … that is at least `step`; pairs and tokens are whole.
  private static func niceStep(_ step: Double) -> Double {
    var unit = 1.0
    while unit < 1e18 {
      if let nice = [unit, 2 * unit, 5 * unit].first(where: { $0 >= step }) { return nice }
      unit *= 10
    }
    return step
  }

  private static func text(_ value: Double) -> String { Int(exactly: value).map(String.init) ?? "\(value)" }

  /// A power of ten as people write it.
  private static func power(_ exponent: Int) -> String {
    if 0...3 ~= exponent { return "1" + String(repeating: "0", count: exponent) }
    let digits = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")
    return "10" + (exponent < 0 ? "⁻" : "")
      + String("\(exponent.magnitude)".compactMap(\.wholeNumberValue).map { digits[$0] })
  }
}
