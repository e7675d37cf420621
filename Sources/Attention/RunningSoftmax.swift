import RoPE

/// The softmax of logits that arrive one by one, in double precision.
///
/// With weights `e = exp(x)`, `x = logit - largest`, three sums are kept and rescaled when a larger logit comes:
/// `Σe`, `Σex`, and `Σe` of those that were selected.
package struct RunningSoftmax: Sendable {
  private var largest = -Double.infinity
  private var sum = 0.0
  private var moment = 0.0
  private var selected = 0.0

  package init() {}

  /// - Parameters:
  ///   - logit: Finite.
  ///   - isSelected: Whether its weight counts for ``selectedShare``.
  package mutating func add(_ logit: Double, isSelected: Bool = false) {
    if logit > largest {
      if sum > 0 {
        let scale = exponential(largest - logit)
        moment = (moment + sum * (largest - logit)) * scale
        sum *= scale
        selected *= scale
      }
      largest = logit
    }
    let weight = exponential(logit - largest)
    sum += weight
    moment += weight * (logit - largest)
    if isSelected { selected += weight }
  }

  /// Entropy of the weights in nats; 0 before the first logit.
  package var entropy: Double { sum > 0 ? logarithm(sum) - moment / sum : 0 }
  /// What the selected logits have of all weight, 0 to 1.
  package var selectedShare: Double { sum > 0 ? selected / sum : 0 }
}
