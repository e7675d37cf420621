import Agreement
import FileStore
import Runtimes

extension Verifier {
  /// How far the attention of all runtimes that read the model lies apart.
  mutating func measureRuntimes(in fileSystem: any FileSystem) {
    let forecast = Forecast(model, in: fileSystem)
    measureAttention(of: RuntimeAgreement(forecast.subjects(forecast.runtimes(.all))))
  }

  /// Compares what runtimes compute. The authors' code is no engine that anybody serves with; unless it was named, its
  /// departures are shown and do not count.
  mutating func compareRuntimes(_ choice: RuntimeChoice, at length: Int?, in fileSystem: any FileSystem) {
    let forecast = Forecast(model, in: fileSystem)
    let agreement = RuntimeAgreement(
      forecast.subjects(forecast.runtimes(choice)), lengths: [length].compactMap(\.self))
    self.agreement = agreement
    compareAttention(agreement)
    var counted = agreement.disagreements
    if case .all = choice {
      counted.removeAll { $0.runtimes == [Runtime.yarnRepository.name] }
    } else {
      // Who was named and cannot read the model does not agree with anybody.
      checks += agreement.unable.uniqued(by: \.runtime).map { Check(unable: $0) }
    }
    for disagreement in counted { checks.append(Check(disagreement)) }
    guard counted.isEmpty else { return }
    let readers = agreement.comparisons.flatMap(\.groups).flatMap(\.runtimes).uniqued()
    checks.append(
      Check(
        "agreement", "the runtimes compute the same tables and windows", passed: !readers.isEmpty,
        detail: readers.isEmpty ? "none of them can read the model" : readers.joined(separator: ", ")))
  }
}

extension Check {
  init(unable reading: RuntimeReading) {
    self.init(
      "agreement-refusal", "the runtimes read the file", passed: false,
      detail: "\(reading.runtime): \(reading.refused?.reason ?? "it computes no table")")
  }

  init(_ disagreement: Disagreement) {
    let effect = disagreement.effect
    let title =
      switch effect.aspect {
      case .refusal: "the runtimes read the file"
      case .frequencies: "the runtimes compute the same frequencies"
      case .magnitude: "the runtimes scale logits alike"
      case .window: "the runtimes derive the same window"
      }
    var detail = "\(disagreement.runtimes.joined(separator: ", ")): \(effect.phrase)"
    if let layer = disagreement.layerType { detail += " in \(layer) layers" }
    if let length = disagreement.sequenceLength { detail += " at \(length) tokens" }
    self.init("agreement-\(effect.aspect.rawValue)", title, passed: false, detail: detail)
    guard effect.size.isFinite else { return }
    measured = effect.size
    bound = effect.bound
    unit = "relative"
  }
}
