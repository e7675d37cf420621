import Bytes
import GGUF
import LosslessJSON
import ModelConfig
import RoPE
import Runtimes
import YarnPatch

/// `inspect`: what the files declare.
public enum InspectReport {

  public static func json(_ inspections: [Inspection]) -> String {
    JSONText.object([
      ("schema", .string("yarn-patch.inspect/1")), ("models", .array(inspections.map(model))),
    ]).pretty() + "\n"
  }

  private static func model(_ inspection: Inspection) -> JSONText {
    let model = inspection.model
    let declaration = model.primary?.declaration
    var members: [(key: String, value: JSONText)] = [
      ("path", .string(model.path)), ("kind", .string(model.kind.rawValue)),
      ("architecture", .optional(model.primary?.family)),
      ("parameters", .optional(model.parameterCount.flatMap { Int(exactly: $0) })),
      ("rope", rope(declaration, others: model.primary?.declarations ?? [])),
      ("declaredAt", declaration.map(places) ?? .object([])),
      ("gguf", model.files.lazy.compactMap(\.gguf).first.map(gguf) ?? .null),
      ("safetensors", safetensors(model)),
    ]
    if model.files.count > 1 {
      members.append(
        (
          "files",
          .array(
            model.files.map { file in
              .object([
                ("path", .string(file.path)), ("rope", rope(file.declaration, others: file.declarations)),
                ("declaredAt", file.declaration.map(places) ?? .object([])),
                ("gguf", file.gguf.map(gguf) ?? .null),
              ])
            })
        ))
    }
    members.append(("firstNegativeDistance", .optional(inspection.firstNegativeDistance)))
    members.append(("problems", .array(inspection.problems.map { .string("\($0)") })))
    members.append(("notes", .array(model.notes.map(JSONText.string))))
    if let metadata = inspection.metadata {
      members.append(
        (
          "metadata",
          .array(
            metadata.map {
              .object([("key", .string($0.key)), ("value", .string($0.text)), ("file", .string($0.file))])
            })
        ))
    }
    if let tensors = inspection.tensors {
      members.append(
        (
          "tensors",
          .array(
            tensors.map {
              .object([
                ("name", .string($0.name)), ("type", .string($0.type)),
                ("shape", .array($0.shape.map { .raw("\($0)") })), ("file", .string($0.file)),
              ])
            })
        ))
    }
    return .object(members)
  }

  static func rope(_ declaration: RoPEDeclaration?, others: [RoPEDeclaration]) -> JSONText {
    var members = ropeMembers(declaration)
    let layers = others.filter { $0.layerType != nil }
    members.append(
      (
        "layerTypes",
        layers.isEmpty ? .null : .object(layers.map { ($0.layerType ?? "", .object(ropeMembers($0))) })
      ))
    return .object(members)
  }

  static func ropeMembers(_ declaration: RoPEDeclaration?) -> [(key: String, value: JSONText)] {
    [
      ("kind", .optional(declaration?.kind?.value)), ("base", .optional(declaration?.base?.value)),
      ("factor", .optional(declaration?.factor?.value)),
      ("originalContext", .optional(declaration?.originalContext?.value)),
      ("contextLength", .optional(declaration?.contextLength?.value)),
      ("rotaryDimension", .optional(declaration?.rotaryDimension?.value)),
      ("headDimension", .optional(declaration?.headDimension?.value)),
      ("betaFast", .optional(declaration?.betaFast?.value)), ("betaSlow", .optional(declaration?.betaSlow?.value)),
      ("attentionFactor", .optional(declaration?.attentionFactor?.value)),
      ("mscale", .optional(declaration?.mscale?.value)),
      ("mscaleAllDim", .optional(declaration?.mscaleAllDim?.value)),
      ("truncate", .optional(declaration?.truncate?.value)),
    ]
  }

  private static func places(_ declaration: RoPEDeclaration) -> JSONText {
    .object(declaration.places.map { ($0.member, .string("\($0.place.path)#\($0.place.key ?? "")")) })
  }

  private static func gguf(_ set: GGUFSet) -> JSONText {
    let first = set.first
    return .object([
      ("version", .integer(Int(first.version))), ("byteOrder", .string(first.byteOrder.rawValue)),
      ("alignment", .raw("\(first.alignment)")), ("dataOffset", .raw("\(first.dataOffset)")),
      ("tensorCount", .integer(set.shards.reduce(0) { $0 + $1.tensors.count })),
      ("metadataCount", .integer(first.metadata.count)),
      ("split", first.split.map { .object([("no", .integer($0.no)), ("count", .integer($0.count))]) } ?? .null),
    ])
  }

  private static func safetensors(_ model: Model) -> JSONText {
    guard !model.weights.isEmpty else { return .null }
    return .object([
      ("headerLength", .raw("\(model.weights.reduce(0) { $0 + $1.headerLength })")),
      ("tensorCount", .integer(model.weights.reduce(0) { $0 + $1.tensors.count })),
      ("shards", .integer(model.shardCount)),
    ])
  }

  // MARK: text

  public static func text(_ inspections: [Inspection], detail: ReportDetail = .normal) -> String {
    inspections.map { text($0, detail) }.joined(separator: "\n")
  }

  private static func text(_ inspection: Inspection, _ detail: ReportDetail) -> String {
    let model = inspection.model
    var result = ""
    for file in model.files {
      let format = file.config != nil ? "config.json" : "GGUF"
      result += printable("\(file.path): \(format)\(file.family.map { ", \($0)" } ?? "")") + "\n"
      for declaration in file.declarations { result += settings(declaration) }
      if let set = file.gguf { result += columns([container(set)]) }
    }
    if !model.weights.isEmpty {
      let bytes = model.weights.reduce(0) { $0 + $1.fileSize }
      result += printable(model.kind == .folder ? model.path : model.weights[0].path) + ": safetensors\n"
      result += columns([
        [
          "container",
          "\(model.weights.count) of \(model.shardCount) files, \(model.weights.reduce(0) { $0 + $1.tensors.count }) tensors, \(byteText(bytes))",
        ]
      ])
    }
    var facts: [[String]] = []
    if let count = model.parameterCount { facts.append(["parameters", significant(Double(count), 4)]) }
    if !model.storedTables.isEmpty {
      facts.append(["stored tables", "\(model.storedTables.count) inv_freq buffers compared with the base"])
    }
    facts += inspection.information.map { ["information", $0] }
    if detail != .quiet { facts += model.notes.map { ["note", $0] } }
    result += columns(facts)
    for problem in inspection.problems {
      result += "  problem: \(printable(oneLine("\(problem)", separator: "; ")))\n"
    }
    result += columns((inspection.metadata ?? []).map { [$0.key, $0.text] })
    result += columns(
      (inspection.tensors ?? []).map { [$0.name, $0.type, $0.shape.map(String.init).joined(separator: " × ")] })
    return result
  }

  private static func container(_ set: GGUFSet) -> [String] {
    let first = set.first
    let shards = set.shards.count > 1 ? "\(set.shards.count) shards, " : ""
    return [
      "container",
      "version \(first.version), \(first.byteOrder.rawValue)-endian, \(shards)\(first.metadata.count) keys, "
        + "\(set.shards.reduce(0) { $0 + $1.tensors.count }) tensors, alignment \(first.alignment), data at \(first.dataOffset)",
    ]
  }

  private static func settings(_ declaration: RoPEDeclaration) -> String {
    func place(_ member: String) -> String {
      declaration.places.first { $0.member == member }?.place.key ?? ""
    }
    func row(_ title: String, _ text: String?, _ member: String) -> [String]? {
      text.map { [title, $0, place(member)] }
    }
    let factor = declaration.factor.map { " ×\(significant($0.value))" } ?? ""
    let original = declaration.originalContext.map { "\($0.value) tokens" }
    var rows: [[String]] = []
    if let layerType = declaration.layerType { rows.append(["layers", layerType]) }
    rows.append(["scaling", (declaration.kind?.value ?? "none") + factor, place("kind")])
    rows.append(["RoPE base", declaration.base.map { significant($0.value, 12) } ?? "not stated", place("base")])
    rows += [
      row(
        "rotary dimension",
        declaration.rotaryDimension.map {
          "\($0.value)" + (declaration.headDimension.map { " of \($0.value)" } ?? "")
        }, "rotaryDimension"),
      row("original context", original, "originalContext"),
      row("context length", declaration.contextLength.map { "\($0.value) tokens" }, "contextLength"),
      row("beta fast", declaration.betaFast.map { significant($0.value) }, "betaFast"),
      row("beta slow", declaration.betaSlow.map { significant($0.value) }, "betaSlow"),
      row("attention factor", declaration.attentionFactor.map { significant($0.value, 8) }, "attentionFactor"),
      row("mscale", declaration.mscale.map { significant($0.value, 8) }, "mscale"),
      row("mscale all dim", declaration.mscaleAllDim.map { significant($0.value, 8) }, "mscaleAllDim"),
      row("truncate", declaration.truncate.map { "\($0.value)" }, "truncate"), divisors(declaration),
    ].compactMap { $0 }
    return columns(rows)
  }

  /// What a GGUF's divisors are: the scaling in another spelling, nothing, or a table of their own.
  private static func divisors(_ declaration: RoPEDeclaration) -> [String]? {
    guard let divisors = declaration.encodedDivisors ?? declaration.frequencyDivisors else { return nil }
    let meaning =
      declaration.encodedDivisors == nil
      ? "custom: no scaling that the keys tell"
      : divisors.value.allSatisfy { $0 == 1 } ? "without effect" : "the scaling itself"
    return ["factors", "\(DivisorEncoding.phrase(divisors.value)); \(meaning)", divisors.place.key ?? ""]
  }
}
