import Diagnostics
import ModelConfig

// What the files of a model allow, and what a scaling starts from.

extension RoPESettings {
  /// Weights trained with another frequency table do not take a second scaling.
  static func checkTrainedScaling(_ subject: PatchSubject, _ request: PatchRequest) throws(FileError) {
    let declaration = subject.declaration
    if let divisors = declaration.frequencyDivisors, !request.allowed.contains("YP608") {
      throw refuse(
        .trainedScaling, divisors.place, found: "the file stores the per-pair divisors its weights were trained with",
        expected: "a model without rope_freqs",
        remedy:
          "leave it as it is: the weights know no other frequencies; patch --allow YP608 scales them all the same")
    }
    guard let kind = declaration.scalingKind, !["linear", "dynamic", "yarn"].contains(kind),
      !request.allowed.contains("YP504")
    else { return }
    let factors = declaration.longFactors ?? declaration.shortFactors
    throw refuse(
      .trainedScaling, declaration.kind?.place ?? factors?.place ?? SourceLocation(path: subject.path),
      found: "the weights were trained with \(kind) scaling",
      expected: "an unscaled model, or yarn, linear or dynamic scaling",
      remedy: replacingTrained(kind))
  }

  /// Two files of one model must start from the same base and original length.
  static func checkAgreement(_ subjects: [PatchSubject], _ request: PatchRequest) throws(FileError) {
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
  static func statedBase(
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

  static func originalContext(_ request: PatchRequest, _ subject: PatchSubject) throws(FileError) -> Int {
    let declaration = subject.declaration
    if let asked = request.originalContext { return asked }
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
}
