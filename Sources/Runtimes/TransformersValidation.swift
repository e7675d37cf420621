/// The checks that transformers makes of a scaling dictionary while it loads a config. All but missing keys only warn.
///
/// - Source: `modeling_rope_utils.py`: `rope_config_validation` of 4.57.3, `validate_rope` of 5.23.0.
struct TransformersValidation {
  let line: TransformersLine
  let kind: String
  let parameters: PythonDictionary
  /// JSON pointer of the dictionary, for the notes.
  let pointer: String?
  let window: Double?
  /// Width of the rotating part that the factor lists are compared with.
  let rotaryDimension: Double?
  /// Keys that the config class tells the check to pass over.
  var ignoredKeys: Set<String> = []
  /// Warnings in the order in which they are given: a code, a colon, an explanation.
  private(set) var warnings: [RuntimeNote] = []

  init(
    _ line: TransformersLine, kind: String, _ parameters: PythonDictionary, at pointer: String?, window: Double?,
    rotaryDimension: Double?, ignoring ignoredKeys: Set<String> = []
  ) {
    (self.line, self.kind, self.parameters, self.pointer) = (line, kind, parameters, pointer)
    (self.window, self.rotaryDimension, self.ignoredKeys) = (window, rotaryDimension, ignoredKeys)
  }

  /// - Throws: `KeyError` for a missing key; `ZeroDivisionError` and `TypeError` where a check computes with the value.
  mutating func run() throws(RuntimeRefusal) {
    switch kind {
    case "default": try checkKeys([])
    case "linear":
      try checkKeys(["factor"])
      checkFactor()
    case "dynamic":
      try checkKeys(["factor"], optional: line == .v4 ? ["original_max_position_embeddings"] : [])
      checkFactor()
    case "yarn": try checkYaRN()
    case "longrope": try checkLongRoPE()
    case "llama3": try checkLlama3()
    case "proportional" where line == .v5:
      try checkKeys(["rope_theta"])
      if parameters["partial_rotary_factor"]?.isNone ?? true {
        warn("partial-factor-missing", "partial_rotary_factor", "the whole head rotates")
      }
    default: warn("no-validator-for-type", nil, "\"\(kind)\" is not known to the checks")
    }
  }

  private mutating func warn(_ code: String, _ key: String?, _ explanation: String) {
    let place = pointer.map { pointer in key.map { "\(pointer)/\($0)" } ?? pointer }
    warnings.append(RuntimeNote("warning", key: place, "\(code): \(explanation)"))
  }

  private mutating func checkKeys(_ required: Set<String>, optional: Set<String> = []) throws(RuntimeRefusal) {
    let required = required.union(["rope_type"])
    let optional = optional.union(line == .v5 ? ["rope_theta", "partial_rotary_factor"] : [])
    let received = Set(parameters.keys).subtracting(["type"]).subtracting(ignoredKeys)
    if let missing = required.subtracting(received).min() {
      throw RuntimeRefusal("KeyError", missing: missing, "\(missing) is required for \(kind)")
    }
    let unknown = received.subtracting(required).subtracting(optional).sorted().joined(separator: ",")
    if !unknown.isEmpty { warn("unrecognized-keys:\(unknown)", nil, "ignored for \(kind)") }
  }

  /// Version 4 wants the literal of a float, version 5 takes an integer as well.
  private func isNumber(_ key: String) -> Bool {
    guard let value = parameters[key] else { return false }
    return value.isFloat || (line == .v5 && value.isInt)
  }

  private mutating func checkFactor() {
    guard !isNumber("factor") || !((parameters["factor"]?.number ?? 0) >= 1) else { return }
    warn(line == .v4 ? "factor-not-float>=1" : "factor-not-number>=1", "factor", "the factor is used as it is")
  }

  private mutating func checkNumber(_ key: String, orNone: Bool) {
    let isNone = parameters[key]?.isNone ?? true
    if !isNumber(key), !(orNone && isNone) {
      warn("\(key)-not-\(line == .v4 ? "float" : "number")", key, "the value is used as it is")
    }
  }

  private mutating func checkAttentionFactor(integersToo: Bool) {
    guard let value = parameters["attention_factor"], !value.isNone else { return }
    let isNumber = value.isFloat || (integersToo && value.isInt)
    if !isNumber || (value.number ?? 0) < 0 {
      warn("attention_factor-not-float>0", "attention_factor", "the value is used as it is")
    }
  }

  private mutating func checkYaRN() throws(RuntimeRefusal) {
    let optional: Set = ["attention_factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim", "truncate"]
    let original = "original_max_position_embeddings"
    try checkKeys(
      line == .v4 ? ["factor"] : ["factor", original], optional: line == .v4 ? optional.union([original]) : optional)
    checkFactor()
    checkAttentionFactor(integersToo: false)
    checkNumber("beta_fast", orNone: true)
    checkNumber("beta_slow", orNone: true)
    func beta(_ key: String, _ value: Double) throws(RuntimeRefusal) -> Double {
      parameters.isTruthy(key) ? try parameters.requiredNumber(key) : value
    }
    if try beta("beta_fast", 32) < beta("beta_slow", 1) {
      warn("beta_fast<beta_slow", "beta_slow", "the ramp is reversed")
    }
    if line == .v4, parameters[original]?.isNone ?? true {
      warn("original-length-missing-assumes-mpe", original, "max_position_embeddings is taken for it")
      return
    }
    guard let window else { return }
    let implicit = try pythonQuotient(window, parameters.requiredNumber(original))
    // In version 5 a quotient of 1 also is what standardisation makes of a missing length.
    if implicit != parameters["factor"]?.number, line == .v4 || implicit != 1 {
      warn(
        "factor-differs-from-mpe-over-orig", "factor",
        "max_position_embeddings over the original length is \(implicit.shortText); the stated factor is used")
    }
  }

  private mutating func checkLongRoPE() throws(RuntimeRefusal) {
    let original = "original_max_position_embeddings"
    let lists: Set = ["short_factor", "long_factor"]
    try checkKeys(
      line == .v4 ? lists : lists.union([original]),
      optional: line == .v4 ? ["attention_factor", "factor", original] : ["attention_factor", "factor"])
    for key in ["short_factor", "long_factor"] {
      guard let list = parameters[key]?.list else { throw RuntimeRefusal("TypeError", "\(key) is not a list") }
      let pairs = rotaryDimension.map { ($0 / 2).rounded(.down) }
      if pairs.map({ Double(list.count) != $0 }) ?? false || list.contains(where: { $0.number == nil }) {
        warn("\(key)-list-problem", key, "\(list.count) values where \(pairs?.shortText ?? "?") are expected")
      }
    }
    let hasFactor = !(parameters["factor"]?.isNone ?? true)
    if hasFactor {
      checkFactor()
    } else if line == .v4 {
      warn("longrope-missing-factor", "factor", "the file has no factor")
    } else {
      warn(
        "longrope-uses-original-length-instead-of-factor", "factor",
        "the factor is max_position_embeddings over the original length")
    }
    checkAttentionFactor(integersToo: line == .v5)
  }

  private mutating func checkLlama3() throws(RuntimeRefusal) {
    let original = "original_max_position_embeddings"
    let required: Set = ["factor", original, "low_freq_factor", "high_freq_factor"]
    try checkKeys(line == .v4 ? required : required.union(["rope_theta"]))
    checkFactor()
    checkNumber("low_freq_factor", orNone: false)
    checkNumber("high_freq_factor", orNone: false)
    if try parameters.requiredNumber("high_freq_factor") <= parameters.requiredNumber("low_freq_factor") {
      warn("high_freq<=low_freq", "high_freq_factor", "no pair lies between the two")
    }
    if !parameters.isInteger(original) { warn("original-length-not-int", original, "the value is used as it is") }
    if let window, try parameters.requiredNumber(original) >= window {
      warn("original-length>=mpe", original, "the original length is not below max_position_embeddings")
    }
  }
}
