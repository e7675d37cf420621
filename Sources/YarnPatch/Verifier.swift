import Agreement
import Diagnostics
import LosslessJSON
import ModelConfig
import PatchPlanning
import RoPE
import Runtimes

/// What to verify beside the model's agreement with itself.
public struct VerifyOptions: Sendable {
  /// Window that must be covered, in tokens.
  public var context: Int?
  /// A model whose tensor data and other settings must be the same.
  public var against: String?
  /// A JSON file with expected members of `inspect`'s `rope` object.
  public var expect: String?
  public var attention = AttentionLevel.quick
  /// The sequence that ``AttentionLevel/weights`` looks at; pseudo-random tokens over the window when empty.
  public var tokens: [Int] = []
  /// Runtimes whose tables must agree; `nil` for none.
  public var runtimes: RuntimeChoice?
  public init() {}
}

/// Proves a model's RoPE settings: tables by two routes, the promises of the scaling, and rotated attention itself.
struct Verifier {
  var checks: [Check] = []
  var information: [String] = []
  var attentionCurves: [AttentionCurves] = []
  var agreement: RuntimeAgreement?
  var attentionDifferences: [AttentionDifference] = []
  var firstLayer: Result<FirstLayerAttention, FileError>?
  let model: Model
  let attention: AttentionLevel

  init(_ model: Model, attention: AttentionLevel) {
    self.model = model
    self.attention = attention
    checks.append(
      Check(
        "read", "every file reads back", passed: true,
        detail: "\(model.files.count) that state settings, \(model.weights.count) with weights"))
    for file in model.files { check(file) }
    if model.files.isEmpty {
      checks.append(Check("settings", "RoPE settings are stated", passed: false, detail: "no file states any"))
    }
    compareFiles()
  }

  var verification: Verification {
    Verification(
      path: model.path, checks: checks, information: information, agreement: agreement, firstLayer: firstLayer,
      attention: attentionCurves, attentionDifferences: attentionDifferences)
  }

  // MARK: one file

  private mutating func check(_ file: ModelFile) {
    for problem in file.problems {
      checks.append(Check("values", "every value can be used", passed: false, detail: "\(problem)"))
    }
    for declaration in file.declarations {
      let place = declaration.layerType.map { "\(file.path), \($0)" } ?? file.path
      let stored = file.config == nil || declaration.layerType != nil ? [] : model.storedTables
      let base = BaseReport(declaration, stored: stored, path: file.path)
      checks.append(
        Check(
          "base", "the RoPE base is usable and stated alike everywhere", passed: base.problems.isEmpty,
          detail: base.problems.first.map { "\($0)" }
            ?? "\(place): \(base.places.count) stated, \(base.comparedTables) stored tables"))
      let reading = Formula.read(declaration)
      guard let table = reading.table, let parameters = reading.parameters else {
        checks.append(
          Check(
            "table", "the frequency table can be computed", passed: false,
            detail: "\(place): \(reading.refused?.reason ?? "")")
        )
        continue
      }
      checkLengths(declaration, place: place)
      checkTable(table, parameters, place: place)
      if declaration.layerType == nil || declaration.layerType == "full_attention" {
        information += [Inspection.bands(reading)].compactMap { $0 }.filter { !information.contains($0) }
      }
      checkAttention(reading, declaration, pairing: file.pairing, place: place)
    }
  }

  /// The three coupled numbers of YaRN.
  private mutating func checkLengths(_ declaration: RoPEDeclaration, place: String) {
    guard declaration.scalingKind == "yarn", let factor = declaration.factor?.value,
      let original = declaration.originalContext?.value, let window = declaration.contextLength?.value
    else { return }
    let product = Double(original) * factor
    // A GGUF states the factor in float32.
    let bound = max(1, product * 0x1p-24)
    checks.append(
      Check(
        "lengths", "the window is original length × factor", measured: abs(Double(window) - product), atMost: bound,
        unit: "tokens", detail: "\(place): \(original) × \(factor) = \(product), stated \(window)"))
  }

  private mutating func checkTable(_ table: FrequencyTable, _ parameters: RoPEParameters, place: String) {
    let second = FrequencyTable.float32InverseFrequencies(parameters)
    let difference = zip(table.inverseFrequencies, second).map { exact, single in
      exact == 0 ? (single == 0 ? 0 : .infinity) : abs(Double(single) - exact) / exact
    }.max()
    let sameCount = second.count == table.inverseFrequencies.count
    checks.append(
      Check(
        "tables-agree", "double precision and float32 order give the same table",
        measured: sameCount ? difference ?? .nan : .nan, atMost: Self.float32Bound, unit: "relative",
        detail: "\(place): \(second.count) pairs"))
    checks += (BandFacts(table, parameters)?.checks ?? []).map { Check($0, detail: place) }
  }

  /// Largest relative error of a float32 table in the runtimes' order: three roundings of at most 2⁻²⁴ in the plain
  /// pairs, and the cancellation of an untruncated ramp or llama3's blend; recorded tables stay below 1.5e-6.
  private static let float32Bound = 2e-6

  // MARK: several files

  /// Files of one model must give one table: float32 storage of a GGUF's numbers is the only difference allowed.
  private mutating func compareFiles() {
    let readings = model.files.compactMap { file in
      file.declaration.flatMap { Formula.read($0).table.map { (file.path, $0) } }
    }
    guard let (firstPath, first) = readings.first else { return }
    for (path, table) in readings.dropFirst() {
      let magnitude = abs(first.attentionFactor - table.attentionFactor) / first.attentionFactor
      checks.append(
        Check(
          "files-agree", "the model's files give the same table",
          measured: max(table.largestDifference(from: first), magnitude), atMost: 1e-6, unit: "relative",
          detail: "\(firstPath) and \(path)"))
    }
  }

  // MARK: what is asked for

  mutating func requireWindow(_ tokens: Int) {
    let windows = model.files.compactMap { $0.declaration.flatMap { Formula.read($0).contextLength } }
    checks.append(
      Check(
        "context", "the window covers \(tokens) tokens",
        passed: !windows.isEmpty && windows.allSatisfy { $0 >= tokens },
        detail: windows.isEmpty ? "no window is stated" : "stated: \(windows.map(String.init).joined(separator: ", "))")
    )
  }

  /// Every file states what was asked for; a GGUF's numbers are compared in float32.
  mutating func require(_ settings: RoPESettings) {
    for file in model.files {
      guard let declaration = file.declaration else { continue }
      let wrong = settings.differences(from: declaration)
      checks.append(
        Check(
          "declaration", "the file states what was asked for", passed: wrong.isEmpty,
          detail: wrong.isEmpty ? file.path : "\(file.path): \(wrong.joined(separator: "; "))"))
    }
  }

  /// Members of an `inspect` rope object, or of a whole inspect document, against the declaration.
  mutating func require(_ document: JSONDocument) {
    let expected = document["/models/0/rope"] ?? document["/rope"] ?? document.root
    guard case .object(let members) = expected.value, let declaration = model.primary?.declaration else {
      checks.append(Check("expected", "the expected values are stated", passed: false, detail: "nothing to compare"))
      return
    }
    let stated = declaration.values
    var wrong: [String] = []
    for member in members where member.key != "layerTypes" {
      guard let value = stated[member.key] else {
        wrong.append("\(member.key) is no member of the declaration")
        continue
      }
      if !value.isSaid(by: member.node.value) { wrong.append("\(member.key) is \(value)") }
    }
    checks.append(
      Check(
        "expected", "the expected values are stated", passed: wrong.isEmpty,
        detail: wrong.isEmpty ? "\(members.count) members compared" : wrong.joined(separator: "; ")))
  }
}

/// One value of a declaration, comparable with JSON.
enum DeclaredValue: CustomStringConvertible {
  case number(Double)
  case text(String)
  case flag(Bool)
  case absent

  var description: String {
    switch self {
    case .number(let value): Int(exactly: value).map(String.init) ?? "\(value)"
    case .text(let value): value
    case .flag(let value): "\(value)"
    case .absent: "not stated"
    }
  }

  func isSaid(by json: JSONValue) -> Bool {
    switch (self, json) {
    case (.number(let mine), .number(let other)): abs(mine - other.double) <= abs(mine) * 1e-6
    case (.text(let mine), .string(let other)): mine == other
    case (.flag(let mine), .bool(let other)): mine == other
    case (.absent, .null): true
    default: false
    }
  }
}

extension RoPEDeclaration {
  /// The members of the command's JSON, by name.
  var values: [String: DeclaredValue] {
    func number(_ value: Declared<Double>?) -> DeclaredValue { value.map { .number($0.value) } ?? .absent }
    func length(_ value: Declared<Int>?) -> DeclaredValue { value.map { .number(Double($0.value)) } ?? .absent }
    return [
      "kind": kind.map { .text($0.value) } ?? .absent, "base": number(base), "factor": number(factor),
      "originalContext": length(originalContext), "contextLength": length(contextLength),
      "rotaryDimension": length(rotaryDimension), "headDimension": length(headDimension),
      "betaFast": number(betaFast), "betaSlow": number(betaSlow), "attentionFactor": number(attentionFactor),
      "mscale": number(mscale), "mscaleAllDim": number(mscaleAllDim),
      "truncate": truncate.map { .flag($0.value) } ?? .absent,
    ]
  }
}
