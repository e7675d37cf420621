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
  static func window(_ original: Int, _ factor: Double) -> Int {
    let product = Double(original) * factor
    let nearest = product.rounded()
    return Int(abs(product - nearest) <= nearest * 1e-12 ? nearest : product.rounded(.down))
  }
}

extension RoPESettings {
  /// Positions are 32-bit signed numbers in every runtime.
  static let largestWindow = Int(Int32.max)

  /// Settles what to write from what is asked and what the files of one model declare.
  ///
  /// - Parameter subjects: The files that state the window, the one that decides first.
  /// - Throws: A refusal that names the place and the option that settles the question.
  package init(_ request: PatchRequest, for subjects: [PatchSubject]) throws(FileError) {
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

  // MARK: what the files allow

  /// Weights trained with another frequency table do not take a second scaling.
  private static func checkTrainedScaling(_ subject: PatchSubject, _ request: PatchRequest) throws(FileError) {
    let declaration = subject.declaration
    if let divisors = declaration.frequencyDivisors, !request.allowed.contains("YP608") {
      throw refuse(
        .trainedScaling, divisors.place, found: "the file stores the per-pair divisors its weights were trained with",
        expected: "a model without rope_freqs", remedy: "leave it as it is; --allow YP608 patches it all the same")
    }
    guard let kind = declaration.scalingKind, !["linear", "dynamic", "yarn"].contains(kind),
      !request.allowed.contains("YP504")
    else { return }
    let factors = declaration.longFactors ?? declaration.shortFactors
    throw refuse(
      .trainedScaling, declaration.kind?.place ?? factors?.place ?? SourceLocation(path: subject.path),
      found: "the weights were trained with \(kind) scaling",
      expected: "an unscaled model, or yarn, linear or dynamic scaling",
      remedy: "leave it as it is: a second scaling would compound; --allow YP504 replaces it all the same")
  }

  /// Two files of one model must start from the same base and original length.
  private static func checkAgreement(_ subjects: [PatchSubject], _ request: PatchRequest) throws(FileError) {
    func compare(_ what: String, option: String, _ values: [Declared<Double>]) throws(FileError) {
      for other in values.dropFirst() where abs(other.value - values[0].value) > abs(values[0].value) * 1e-6 {
        throw refuse(
          .filesDisagree, other.place, found: "the \(what) is \(other.value)",
          expected: "\(values[0].value) as in \(values[0].place.path) at \(values[0].place.key ?? "its header")",
          remedy: "name the right one with \(option), or patch the files one by one")
      }
    }
    if request.base == nil { try compare("base", option: "--base", subjects.flatMap { $0.declaration.bases }) }
    if request.originalContext == nil {
      try compare(
        "original length", option: "--original-context",
        subjects.compactMap { trainedLength($0, request)?.map(Double.init) })
    }
  }

  /// The base to start from: as asked, else as declared, with an earlier static NTK change taken back.
  private static func statedBase(
    _ declaration: RoPEDeclaration, _ request: PatchRequest, _ subject: PatchSubject
  ) throws(FileError) -> Double {
    if let base = request.base { return base }
    guard let base = declaration.base else {
      throw refuse(
        .noBase, SourceLocation(path: subject.path), found: "no RoPE base is stated",
        expected: "rope_theta in config.json, rope.freq_base in a GGUF",
        remedy: "name it with --base; many readers take 10000 when it is missing, which may be wrong for this model")
    }
    guard let earlier = declaration.staticNTKFactor, let rotary = declaration.rotaryDimension?.value, rotary > 2
    else { return base.value }
    let original = base.value / ntkBaseFactor(earlier, rotaryDimension: rotary)
    // A base is a whole number in every published model; float32 storage moves it by less than 1e-7.
    let whole = original.rounded()
    return abs(original - whole) <= whole * 1e-6 ? whole : original
  }

  private static func originalContext(_ request: PatchRequest, _ subject: PatchSubject) throws(FileError) -> Int {
    let declaration = subject.declaration
    if let asked = request.originalContext {
      guard asked > 0, asked <= largestWindow else {
        throw option("--original-context", found: "the length is \(asked)", expected: "1 to \(largestWindow) tokens")
      }
      return asked
    }
    for stated in [declaration.originalContext, declaration.contextLength] {
      guard let stated, stated.value > largestWindow else { continue }
      throw refuse(
        .badLength, stated.place, found: "the length is \(stated.value)", expected: "at most \(largestWindow) tokens",
        remedy: "correct the file, or name the trained length with --original-context")
    }
    if let trained = trainedLength(subject, request) { return trained.value }
    throw refuse(
      .noOriginalLength, declaration.kind?.place ?? SourceLocation(path: subject.path),
      found: declaration.contextLength == nil
        ? "no window is stated" : "the model is scaled and its original length is not stated",
      expected: "original_max_position_embeddings", remedy: "name the trained length with --original-context")
  }

  /// The length before scaling: as stated, or as a model card has it, or the window of an unscaled file.
  private static func trainedLength(_ subject: PatchSubject, _ request: PatchRequest) -> Declared<Int>? {
    let declaration = subject.declaration
    if let stated = declaration.originalContext { return stated }
    guard let window = declaration.contextLength else { return nil }
    let isYaRN = declaration.scalingKind == "yarn"
    // To remove a scaling that is not there changes nothing, headroom included.
    if request.method == .none, !isYaRN { return window }
    if let known = subject.known(request) { return window.map { _ in known.trainedLength } }
    return isYaRN ? nil : window
  }

  // MARK: what is asked

  private static func factor(_ request: PatchRequest, original: Int) throws(FileError) -> Double {
    guard request.method != .none else { return 1 }
    let result: Double
    switch request.reach {
    case .factor(let asked):
      guard asked.isFinite, asked >= 1 else {
        throw option("--factor", found: "the factor is \(asked)", expected: "a finite number of at least 1")
      }
      result = asked
    case .context(let tokens):
      guard tokens > 0, tokens <= largestWindow else {
        throw option("--context", found: "the length is \(tokens)", expected: "1 to \(largestWindow) tokens")
      }
      result = smallestFactor(covering: tokens, original: original)
    case nil:
      throw option("--factor", found: "no factor and no context is given", expected: "--factor or --context")
    }
    guard Double(original) * result <= Double(largestWindow) else {
      throw option(
        "--factor", found: "\(original) × \(result) is beyond \(largestWindow)",
        expected: "a window of 32-bit positions")
    }
    return result
  }

  /// The smallest factor of at least 1 that covers `tokens`, in the width that a GGUF stores.
  static func smallestFactor(covering tokens: Int, original: Int) -> Double {
    var factor = Float(max(1, Double(tokens) / Double(original)))
    while true {
      // config.json says the float's shortest decimal where that covers as well, else all its digits.
      for spelling in [Double("\(factor)") ?? Double(factor), Double(factor)] where window(original, spelling) >= tokens
      {
        return spelling
      }
      factor = factor.nextUp
    }
  }

  private mutating func settleRamp(_ request: PatchRequest, _ declaration: RoPEDeclaration) throws(FileError) {
    let asked: [(String, Any?)] = [
      ("--beta-fast", request.betaFast), ("--beta-slow", request.betaSlow), ("--truncate", request.truncate),
      ("--attention-factor", request.attentionFactor), ("--mscale", request.mscale),
      ("--mscale-all-dim", request.mscaleAllDim),
    ]
    if !method.writesYaRN, let (name, _) = asked.first(where: { $0.1 != nil }) {
      throw Self.option(name, found: "the method is \(method.rawValue)", expected: "--method yarn for this option")
    }
    guard method.writesYaRN else { return }
    for (name, value) in [("--beta-fast", request.betaFast), ("--beta-slow", request.betaSlow)] {
      if let value, !value.isFinite || value <= 0 {
        throw Self.option(name, found: "the value is \(value)", expected: "a finite number of rotations above 0")
      }
    }
    betaFast = request.betaFast ?? declaration.betaFast?.value
    betaSlow = request.betaSlow ?? declaration.betaSlow?.value
    truncate = request.truncate ?? declaration.truncate?.value
    if betaFast ?? 32 < betaSlow ?? 1 {
      throw Self.option(
        "--beta-fast", found: "beta_fast \(betaFast ?? 32) is below beta_slow \(betaSlow ?? 1)",
        expected: "beta_fast of at least beta_slow: the other way round the ramp is reversed")
    }
  }

  private mutating func settleMagnitude(
    _ request: PatchRequest, _ declarations: [RoPEDeclaration]
  ) throws(FileError) {
    guard method.writesYaRN else { return }
    for (name, value) in [
      ("--attention-factor", request.attentionFactor), ("--mscale", request.mscale),
      ("--mscale-all-dim", request.mscaleAllDim),
    ] {
      if let value, !value.isFinite || value <= 0 {
        throw Self.option(name, found: "the value is \(value)", expected: "a finite number above 0")
      }
    }
    if method == .ntkByParts, let asked = request.attentionFactor ?? request.mscale, asked != 1 {
      throw Self.option(
        "--method", found: "ntk-by-parts has magnitude 1", expected: "--method yarn with this magnitude")
    }
    if let final = request.attentionFactor ?? (method == .ntkByParts ? 1 : nil) {
      magnitude = .final(final)
    } else if let mscale = request.mscale {
      // Most readers ignore an mscale without its partner, so one alone is written as the magnitude it stands for.
      if let allDim = request.mscaleAllDim ?? declarations.first?.mscaleAllDim?.value, allDim != 0 {
        magnitude = .mscale(mscale, allDim: allDim)
      } else {
        magnitude = .final(yarnMagnitude(factor: factor, mscale: mscale))
      }
    } else if request.mscaleAllDim != nil {
      throw Self.option("--mscale-all-dim", found: "--mscale is not given", expected: "both, or --attention-factor")
    } else {
      for declaration in declarations { try Self.checkMagnitude(declaration, factor: factor) }
    }
  }

  /// A magnitude of the model's own must not be lost without a word.
  private static func checkMagnitude(_ declaration: RoPEDeclaration, factor: Double) throws(FileError) {
    guard declaration.scalingKind == "yarn", let stated = declaration.attentionFactor else { return }
    let automatic = declaration.automaticMagnitude(factor: declaration.factor?.value ?? 1)
    guard abs(stated.value - automatic) > automatic * 1e-4 else { return }
    let next = declaration.automaticMagnitude(factor: factor)
    throw refuse(
      .customMagnitude, stated.place, found: "the magnitude is \(stated.value), not the automatic \(automatic)",
      expected: "to be told the magnitude at factor \(factor)",
      remedy: "--attention-factor \(stated.value) keeps it, --attention-factor \(next) is automatic")
  }

  private static func refuse(
    _ code: FileError.Code, _ place: SourceLocation, found: String, expected: String, remedy: String
  ) -> FileError {
    FileError(code, at: place, found: found, expected: expected, remedy: remedy)
  }

  private static func option(_ name: String, found: String, expected: String) -> FileError {
    FileError(
      .badRequest, at: SourceLocation(path: name), found: found, expected: expected, remedy: "give another value")
  }
}

extension RoPEDeclaration {
  /// YaRN's magnitude where none is stated: the ratio of a complete mscale pair, else `0.1 ln s + 1`.
  func automaticMagnitude(factor: Double) -> Double {
    guard let mscale = mscale?.value, let allDim = mscaleAllDim?.value, mscale != 0, allDim != 0 else {
      return yarnMagnitude(factor: factor)
    }
    return yarnMagnitude(factor: factor, mscale: mscale) / yarnMagnitude(factor: factor, mscale: allDim)
  }
}
