import LosslessJSON

/// What a JSON value must look like.
indirect enum Shape: Sendable {
  case text, number, integer, bool, null
  /// This text and no other.
  case literal(String)
  case either([Shape])
  case list(Shape)
  /// Exactly these members; of `added` any may be there.
  case object([String: Shape], added: [String: Shape] = [:])
  /// Any keys, each with such a value.
  case dictionary(Shape)

  static func orNull(_ shape: Shape) -> Shape { .either([shape, .null]) }

  /// What is otherwise, each with its JSON pointer.
  func mismatches(_ value: JSONValue, at pointer: String = "") -> [String] {
    switch (self, value) {
    case (.text, .string), (.number, .number), (.bool, .bool), (.null, .null): return []
    case (.integer, .number(let number)):
      return number.isInteger ? [] : ["\(pointer): \(number.text) is no whole number"]
    case (.literal(let expected), .string(let text)):
      return text == expected ? [] : ["\(pointer): \"\(text)\" is not \"\(expected)\""]
    case (.either(let shapes), _):
      let attempts = shapes.map { $0.mismatches(value, at: pointer) }
      return attempts.contains([]) ? [] : attempts.min { $0.count < $1.count } ?? []
    case (.list(let shape), .array(let elements)):
      return elements.enumerated().flatMap { shape.mismatches($1.value, at: "\(pointer)/\($0)") }
    case (.dictionary(let shape), .object(let members)):
      return members.flatMap { shape.mismatches($0.node.value, at: "\(pointer)/\($0.key)") }
    case (.object(let shapes, let added), .object(let members)):
      let missing = Set(shapes.keys).subtracting(members.map(\.key)).sorted().map { "\(pointer)/\($0) is missing" }
      return missing
        + members.flatMap { member in
          (shapes[member.key] ?? added[member.key])?.mismatches(member.node.value, at: "\(pointer)/\(member.key)")
            ?? ["\(pointer)/\(member.key) is not in the contract"]
        }
    default: return ["\(pointer): \(value) is not \(self)"]
    }
  }
}

/// The documents of the command's contract, version 1.
///
/// `added` members are not in it: they are ours to change, and listed so that another one does not slip in.
enum Contract {
  static let inspect = Shape.object([
    "schema": .literal("yarn-patch.inspect/1"),
    "models": .list(
      .object(
        [
          "path": .text, "kind": .either(["gguf", "safetensors", "config", "folder"].map(Shape.literal)),
          "architecture": .orNull(.text), "parameters": .orNull(.integer), "rope": rope(),
          "declaredAt": .dictionary(.text), "gguf": .orNull(gguf), "safetensors": .orNull(safetensors),
        ],
        added: [
          "files": .list(
            .object(["path": .text, "rope": rope(), "declaredAt": .dictionary(.text), "gguf": .orNull(gguf)])),
          "firstNegativeDistance": .orNull(.integer), "problems": .list(.text), "notes": .list(.text),
          "metadata": .list(.object(["key": .text, "value": .text, "file": .text])),
          "tensors": .list(.object(["name": .text, "type": .text, "shape": .list(.integer), "file": .text])),
        ])),
  ])

  private static func rope() -> Shape {
    var members: [String: Shape] = [
      "kind": .orNull(.text), "originalContext": .orNull(.integer), "contextLength": .orNull(.integer),
      "rotaryDimension": .orNull(.integer), "headDimension": .orNull(.integer), "truncate": .orNull(.bool),
    ]
    for name in ["base", "factor", "betaFast", "betaSlow", "attentionFactor", "mscale", "mscaleAllDim"] {
      members[name] = .orNull(.number)
    }
    let layer = Shape.object(members)
    members["layerTypes"] = .orNull(.dictionary(layer))
    return .object(members)
  }

  private static let gguf = Shape.object([
    "version": .integer, "byteOrder": .either([.literal("little"), .literal("big")]), "alignment": .integer,
    "dataOffset": .integer, "tensorCount": .integer, "metadataCount": .integer,
    "split": .orNull(.object(["no": .integer, "count": .integer])),
  ])

  private static let safetensors = Shape.object([
    "headerLength": .integer, "tensorCount": .integer, "shards": .integer,
  ])

  static let table = Shape.object([
    "schema": .literal("yarn-patch.table/1"), "model": .text,
    "tables": .list(
      .object([
        "runtime": .text, "version": .orNull(.text), "layerType": .orNull(.text), "kind": .text,
        "rotaryDimension": .orNull(.integer), "base": .orNull(.number), "factor": .orNull(.number),
        "originalContext": .orNull(.integer), "inverseFrequencies": .orNull(.list(.number)),
        "attentionFactor": .orNull(.number), "softmaxScaleMultiplier": .orNull(.number),
        "contextLength": .orNull(.integer), "refused": .orNull(.object(["reason": .text])),
        "notes": .list(.object(["code": .text, "key": .orNull(.text), "message": .text])),
        "startOptions": .list(startOption),
      ])),
  ])

  private static let startOption = Shape.object([
    "runtime": .text, "version": .orNull(.text), "arguments": .list(.text), "remark": .orNull(.text),
  ])

  static let verify = Shape.object(
    [
      "schema": .literal("yarn-patch.verify/1"), "passed": .bool,
      "checks": .list(
        .object([
          "id": .text, "title": .text, "passed": .bool, "measured": .orNull(.number), "bound": .orNull(.number),
          "unit": .orNull(.text), "detail": .orNull(.text),
        ])),
    ],
    added: [
      "information": .list(.text), "attention": .list(curves), "runtimesAttention": .list(apart),
      "weights": .either([firstLayer, unreadableFirstLayer]),
    ])

  private static let firstLayer: Shape = {
    let profile: [String: Shape] = [
      "largestInside": .number, "largestBeyond": .orNull(.number),
      "lengths": .list(.object(["length": .integer, "entropy": .number, "within32": .number])),
      "distances": .list(.object(["from": .integer, "to": .integer, "mean": .number, "largest": .number])),
    ]
    func with(_ members: [String: Shape]) -> Shape { .object(profile.merging(members) { $1 }) }
    let setting = with([
      "name": .either([.literal("unscaled"), .literal("declared")]), "attentionFactor": .number,
      "softmaxScaleMultiplier": .number, "heads": .list(with(["head": .integer])),
    ])
    return .object([
      "refused": .null, "source": .text,
      "tokens": .object(["count": .integer, "distinct": .integer, "given": .bool]), "originalContext": .integer,
      "headCount": .integer, "settings": .list(setting), "shows": .text, "doesNotShow": .text, "notes": .list(.text),
    ])
  }()
  private static let unreadableFirstLayer = Shape.object(["refused": .object(["code": .text, "reason": .text])])

  private static let apart = Shape.object([
    "runtimes": .list(.text), "others": .list(.text), "layerType": .orNull(.text), "sequenceLength": .orNull(.integer),
    "distance": .integer, "logit": .orNull(.number), "output": .orNull(.number),
  ])

  private static let curves = Shape.object([
    "place": .text, "trainedLength": .integer, "window": .integer,
    "logits": .list(.object(["distance": .integer, "unscaled": .number, "scaled": .number])),
    "entropies": .list(
      .object([
        "length": .integer, "unscaled": .number, "withoutAttentionFactor": .number, "scaled": .number,
      ])),
    "cachedKeys": .orNull(cachedKeys),
  ])
  private static let cachedKeys = Shape.object([
    "firstChangedLength": .integer, "length": .integer, "errors": .list(scoreChange),
  ])

  private static let scoreChange = Shape.object(["distance": .integer, "relative": .number])

  static let advise: Shape = {
    let length = Shape.object([
      "tokens": .integer, "factor": .orNull(.number), "attentionFactor": .orNull(.number),
      "scoreChange": .orNull(.number), "cacheBytes16Bit": .orNull(.integer), "cacheBytes8Bit": .orNull(.integer),
    ])
    let group = Shape.object(["count": .integer, "elementsPerToken": .integer, "window": .orNull(.integer)])
    let cache = Shape.object(["layers": .list(group), "depth": .integer, "exact": .bool, "notes": .list(.text)])
    let cost = Shape.object([
      "length": .integer, "pairsKept": .orNull(.integer), "pairsBlended": .orNull(.integer),
      "pairsDivided": .orNull(.integer), "logitScale": .number, "scoreChanges": .list(scoreChange),
      "entropyLength": .integer, "entropyBefore": .orNull(.number), "entropyAfter": .orNull(.number),
    ])
    let dynamic = Shape.object([
      "runtimes": .list(.text), "refusal": .orNull(.text), "cachedKeys": .orNull(cachedKeys),
    ])
    let runtime = Shape.object([
      "runtime": .text, "version": .orNull(.text), "file": .orNull(.text), "contextLength": .orNull(.integer),
      "plannedContextLength": .orNull(.integer), "obstacles": .list(.text), "startOption": .orNull(startOption),
    ])
    return .object([
      "schema": .literal("yarn-patch.advise/1"), "model": .text, "context": .integer,
      "verdict": .either(["keep", "patch", "unreachable"].map(Shape.literal)), "reason": .text,
      "remedy": .orNull(.text), "arguments": .list(.text), "method": .orNull(.text), "factor": .orNull(.number),
      "originalContext": .orNull(.integer), "contextLength": .orNull(.integer),
      "plannedContextLength": .orNull(.integer), "lengths": .list(length),
      "cache": .either([cache, .object(["unknown": .text])]), "shortPrompts": .orNull(cost),
      "dynamic": .orNull(dynamic), "runtimes": .list(runtime), "notes": .list(.text),
    ])
  }()

  static let patch = Shape.object(
    [
      "schema": .literal("yarn-patch.patch/1"), "changed": .bool,
      "strategy": .either(["none", "in-place", "insert-range", "clone", "rewrite"].map(Shape.literal)),
      "files": .list(
        .object([
          "path": .text, "bytesWritten": .integer, "sizeBefore": .integer, "sizeAfter": .integer,
          "changes": .list(.object(["at": .text, "before": .orNull(.text), "after": .orNull(.text)])),
        ])),
      "runtimes": .list(.text), "undo": .orNull(.text), "verified": .orNull(.bool),
    ], added: ["notes": .list(.text)])
}
