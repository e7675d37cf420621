import RoPE

extension RuntimeReading {
  /// Takes over the parameters of a torch code, with the float32 table that it computes from them.
  ///
  /// - Parameter extrapolationFactor: Of a YaRN code that has one.
  mutating func take(_ parameters: RoPEParameters, extrapolationFactor: Double = 1) {
    base = parameters.base
    rotaryDimension = parameters.rotaryDimension
    switch parameters.scaling {
    case .yarn(let yarn): (factor, originalContext) = (yarn.factor, yarn.originalContextLength)
    case .llama3(let factor, _, _, let length): (self.factor, originalContext) = (factor, length)
    case .linear(let factor), .dynamicNTK(let factor, _, _), .proportional(let factor, _): self.factor = factor
    default: break
    }
    if let problem = parameters.problems.first {
      notes.append(RuntimeNote("not-computed", "the table would not be one of usable numbers: \(problem)"))
      return
    }
    let values = FrequencyTable.float32InverseFrequencies(parameters, extrapolationFactor: extrapolationFactor)
    guard values.allSatisfy(\.isFinite) else {
      notes.append(RuntimeNote("not-computed", "the table would not be one of finite numbers"))
      return
    }
    // Only without an extra factor do the published formulas describe the table.
    if extrapolationFactor == 1 { self.parameters = parameters }
    table = FrequencyTable(float32: values, parameters)
  }

  /// Factor and trained length of LongRoPE, which its parameters do not hold.
  mutating func takeLongRoPE(factor: Double?, original: Double?) {
    guard kind == "longrope" else { return }
    (self.factor, originalContext) = (factor, original)
  }

  /// Notes the members of a dictionary that the runtime does not read.
  mutating func noteIgnored(in dictionary: PythonDictionary, at pointer: String?, except read: Set<String>) {
    guard let pointer else { return }
    for key in dictionary.keys where !read.contains(key) {
      notes.append(RuntimeNote("ignored-key", key: "\(pointer)/\(key)", "\(runtime) does not read it here"))
    }
  }

  /// Notes a value that the file does not state.
  mutating func noteDefault(_ what: String, _ value: Double?) {
    guard let value else { return }
    notes.append(RuntimeNote("default-used", "\(what) is not stated; \(runtime) takes \(value.shortText)"))
  }
}

extension Double {
  /// Whole numbers without a fraction.
  var shortText: String { Int(exactly: self).map(String.init) ?? description }
}

extension FrequencyTable {
  /// A table of float32 values with the factors of its parameters.
  init(float32 values: [Float], _ parameters: RoPEParameters) {
    self.init(
      inverseFrequencies: values.map(Double.init), attentionFactor: parameters.attentionFactor,
      softmaxScaleMultiplier: parameters.softmaxScaleMultiplier)
  }
}
