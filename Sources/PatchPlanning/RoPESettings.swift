import Diagnostics
import ModelConfig
import RoPE

extension FileError.Code {
  package static let badRequest: Self = "bad-request"
  package static let noOriginalLength: Self = "no-original-length"
  package static let trainedScaling: Self = "trained-scaling"
  package static let filesDisagree: Self = "files-disagree"
  package static let customMagnitude: Self = "custom-magnitude"
  package static let noBase: Self = "no-base"
  package static let noRotaryDimension: Self = "no-rotary-dimension"
}

/// What every file of the model is to state, in absolute values.
public struct RoPESettings: Sendable, Equatable {
  /// How the magnitude is stated.
  public enum Magnitude: Sendable, Equatable {
    /// `0.1 ln s + 1`, left to the runtimes, or what an mscale pair already in the file gives.
    case automatic
    case final(Double)
    case mscale(Double, allDim: Double)
  }

  public var method: PatchMethod
  /// 1 for ``PatchMethod/none``.
  public var factor: Double
  public var originalContext: Int
  /// The base to state, after a static NTK change if that is the method.
  public var base: Double
  public var rotaryDimension: Int
  /// `nil` leaves what the file states.
  public var betaFast: Double?
  public var betaSlow: Double?
  public var truncate: Bool?
  public var magnitude: Magnitude = .automatic

  /// Window after scaling, in tokens: original length × factor.
  public var window: Int { Self.window(originalContext, factor) }

  /// The whole number that `original × factor` means; a product a rounding error below a whole number is that number.
  package static func window(_ original: Int, _ factor: Double) -> Int {
    let product = Double(original) * factor
    let nearest = product.rounded()
    return Int(abs(product - nearest) <= nearest * 1e-12 ? nearest : product.rounded(.down))
  }
}

extension RoPESettings {
  /// Positions are 32-bit signed numbers in every runtime.
  package static let largestWindow = Int(Int32.max)

  /// Settles what to write from what is asked and what the files of one model declare.
  ///
  /// A context within the original length is reached by ``PatchMethod/none``, whatever the method that is asked for.
  ///
  /// - Parameter subjects: The files that state the window, the one that decides first.
  /// - Throws: A refusal that names the place and the option that settles the question.
  package init(_ request: PatchRequest, for subjects: [PatchSubject]) throws(FileError) {
    try request.check()
    guard let subject = subjects.first else {
      throw Self.refuse(
        .badRequest, SourceLocation(path: "the model"), found: "no file of it states a window",
        expected: "a config.json or a GGUF", remedy: "point at the model's folder or at one of those files")
    }
    let declaration = subject.declaration
    for subject in subjects {
      try Self.checkTrainedScaling(subject, request)
      try subject.checkKnownScaling(request)
    }
    try Self.checkAgreement(subjects, request)
    let statedBase = try Self.statedBase(declaration, request, subject)
    guard let rotary = declaration.rotaryDimension else {
      throw Self.refuse(
        .noRotaryDimension, SourceLocation(path: subject.path),
        found: "the file states neither a rotary dimension nor what it follows from",
        expected: "head_dim, or hidden_size and num_attention_heads",
        remedy: "patch the model's folder, so that the weights' shapes can tell, or add head_dim")
    }
    method = request.method
    rotaryDimension = rotary.value
    originalContext = try Self.originalContext(request, subject)
    factor = try Self.factor(request, original: originalContext)
    if factor == 1, case .context = request.reach {
      // A scaling by 1 that nobody asked for is no scaling, and takes no headroom away.
      method = .none
      var unscaled = request
      unscaled.method = .none
      originalContext = max(originalContext, try Self.originalContext(unscaled, subject))
    }
    base = statedBase
    if method == .ntk {
      guard rotary.value > 2 else {
        throw Self.refuse(
          .noRotaryDimension, rotary.place, found: "the rotary dimension is 2", expected: "at least 4 for an NTK base",
          remedy: "use --method linear")
      }
      // The window is all that tells the factor later on, so the base follows the window as it is stated.
      factor = Double(window) / Double(originalContext)
      base = statedBase * Self.ntkBaseFactor(factor, rotaryDimension: rotary.value)
    }
    guard base.isFinite, base > 1 else {
      throw Self.option("--base", found: "the base is \(base)", expected: "a finite number above 1")
    }
    try settleRamp(request, declaration)
    try settleMagnitude(request, subjects.map(\.declaration))
  }

  /// `factor^(d/(d-2))`: how much a static NTK change multiplies the base.
  static func ntkBaseFactor(_ factor: Double, rotaryDimension: Int) -> Double {
    RoPEParameters(base: 1, rotaryDimension: rotaryDimension, scaling: .ntkAware(alpha: factor)).effectiveBase
  }

  static func refuse(
    _ code: FileError.Code, _ place: SourceLocation, found: String, expected: String, remedy: String
  ) -> FileError {
    FileError(code, at: place, found: found, expected: expected, remedy: remedy)
  }

  static func option(_ name: String, found: String, expected: String) -> FileError {
    FileError(
      .badRequest, at: SourceLocation(path: name), found: found, expected: expected, remedy: "give another value")
  }
}
