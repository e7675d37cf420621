import LosslessJSON

extension RoPESettings {
  /// What every file is to state, for a reviewer. `null` leaves what the file states.
  package var json: JSONText {
    let magnitude: JSONText =
      switch self.magnitude {
      case .automatic: .string("automatic")
      case .final(let value): .object([("attentionFactor", .number(value))])
      case .mscale(let mscale, let allDim):
        .object([("mscale", .number(mscale)), ("mscaleAllDim", .number(allDim))])
      }
    return .object([
      ("method", .string(method.rawValue)), ("factor", .number(factor)), ("originalContext", .integer(originalContext)),
      ("window", .integer(window)), ("base", .number(base)), ("rotaryDimension", .integer(rotaryDimension)),
      ("betaFast", .optional(betaFast)), ("betaSlow", .optional(betaSlow)),
      ("truncate", .optional(truncate)), ("magnitude", magnitude),
    ])
  }
}

extension PlannedChange {
  /// `{"at", "before", "after"}`, with `null` for what is not there.
  package var json: JSONText {
    .object([("at", .string(at)), ("before", .optional(before)), ("after", .optional(after))])
  }
}
