import Agreement
import Diagnostics
import RoPE

/// One thing that was verified: what, how large the deviation was, how large it may be.
public struct Check: Sendable, Equatable {
  /// Stable name, such as `tables-agree`.
  public var id: String
  public var title: String
  public var passed: Bool
  public var measured: Double?
  public var bound: Double?
  /// Unit of both numbers, `relative` for a ratio of a difference to the value.
  public var unit: String?
  /// Where it was measured, or why it failed.
  public var detail: String?

  init(_ id: String, _ title: String, passed: Bool, detail: String? = nil) {
    self.id = id
    self.title = title
    self.passed = passed
    self.detail = detail
  }

  init(_ id: String, _ title: String, measured: Double, atMost bound: Double, unit: String, detail: String? = nil) {
    self.init(id, title, passed: measured <= bound, detail: detail)
    self.measured = measured
    self.bound = bound
    self.unit = unit
  }

  init(_ measurement: CheckMeasurement, detail: String? = nil) {
    self.init(
      measurement.id, measurement.property, measured: measurement.measured, atMost: measurement.bound,
      unit: measurement.unit, detail: detail)
  }
}

/// The checks of one model and what is worth knowing beside them.
public struct Verification: Sendable {
  public var path: String
  public var checks: [Check]
  /// Findings that are no verdict, such as the distance at which the cosine sum turns negative.
  public var information: [String]
  /// Who computes what, where runtimes were asked for.
  public var agreement: RuntimeAgreement?
  /// The first layer's attention, or why it could not be looked at, where it was asked for.
  public var firstLayer: Result<FirstLayerAttention, FileError>?
  /// For ``AttentionLevel/full``, one for each kind of layer of each file.
  public var attention: [AttentionCurves] = []
  /// The largest between each two groups of runtimes whose tables differ: for runtimes that were asked for, and for
  /// ``AttentionLevel/full`` between all that read the model.
  public var attentionDifferences: [AttentionDifference] = []
  public var passed: Bool { checks.allSatisfy(\.passed) }
}
