import Diagnostics
import RoPE

// What can be said about a request before any file was looked at.

extension PatchRequest {
  /// Checks each value by itself, and options that exclude each other.
  ///
  /// - Throws: `bad-request` with the option in the place of a file.
  package func check() throws(FileError) {
    switch reach {
    case .factor(let factor) where method != .none:
      try Self.require(factor >= 1 && factor.isFinite, "--factor", factor, "a finite number of at least 1")
    case .context(let tokens) where method != .none: try Self.checkLength(tokens, "--context")
    default: break
    }
    if let originalContext { try Self.checkLength(originalContext, "--original-context") }
    if let base { try Self.require(base > 1 && base.isFinite, "--base", base, "a finite number above 1") }
    try checkRamp()
    try checkMagnitude()
  }

  /// Checks a length in tokens: positions are 32-bit signed numbers in every runtime.
  package static func checkLength(_ tokens: Int, _ option: String) throws(FileError) {
    let largest = RoPESettings.largestWindow
    guard 1...largest ~= tokens else {
      throw RoPESettings.option(option, found: "the length is \(tokens)", expected: "1 to \(largest) tokens")
    }
  }

  /// The first given option that says something to YaRN alone.
  var optionOfYaRN: String? {
    let options: [(name: String, value: Any?)] = [
      ("--beta-fast", betaFast), ("--beta-slow", betaSlow), ("--truncate", truncate),
      ("--attention-factor", attentionFactor), ("--mscale", mscale), ("--mscale-all-dim", mscaleAllDim),
    ]
    return options.first { $0.value != nil }?.name
  }

  private func checkRamp() throws(FileError) {
    if !method.writesYaRN, let option = optionOfYaRN {
      throw RoPESettings.option(
        option, found: "the method is \(method.rawValue)", expected: "--method yarn for this option")
    }
    for case (let name, let value?) in [("--beta-fast", betaFast), ("--beta-slow", betaSlow)] {
      try Self.require(value > 0 && value.isFinite, name, value, "a finite number of rotations above 0")
    }
  }

  private func checkMagnitude() throws(FileError) {
    for case (let name, let value?) in [
      ("--attention-factor", attentionFactor), ("--mscale", mscale), ("--mscale-all-dim", mscaleAllDim),
    ] {
      try Self.require(value > 0 && value.isFinite, name, value, "a finite number above 0")
    }
    if method == .ntkByParts, let asked = attentionFactor ?? mscale, asked != 1 {
      throw RoPESettings.option(
        "--method", found: "ntk-by-parts has magnitude 1", expected: "--method yarn with this magnitude")
    }
    if mscaleAllDim != nil, mscale == nil {
      throw RoPESettings.option("--mscale-all-dim", found: "--mscale is not given", expected: "both")
    }
  }

  private static func require(
    _ holds: Bool, _ option: String, _ value: Double, _ expected: String
  ) throws(FileError) {
    guard !holds else { return }
    throw RoPESettings.option(option, found: "the value is \(value)", expected: expected)
  }
}
