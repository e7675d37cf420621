import LosslessJSON
import ModelConfig
import Runtimes

extension Rule {
  static let layerDictionaries = Rule(
    "YP110", "per-layer dictionaries malformed", severity: "error",
    checks: """
      A dictionary holds one dictionary for each kind of layer, and a kind of attention in `layer_types` has none; or a \
      value beside them is missing in the one for full attention or differs from it; or `truncate: false` stands only \
      inside.
      """,
    why: """
      transformers looks each layer's kind up and fails at a missing one. Values beside the layers' dictionaries are \
      dropped: an original length there leaves the layers on the window instead. `truncate` is the exception: \
      transformers 5.23 reads it from the outer level only, so inside a layer's dictionary it has no effect, while vLLM \
      reads it there.
      """,
    example: """
      {"rope_parameters": {"full_attention": {"rope_type": "yarn", "factor": 8.0, "truncate": false},
        "sliding_attention": {"rope_type": "default"}}}
      """,
    remedy: "Give every kind of layer a complete dictionary, and state `truncate` in the layer's and beside it.",
    exceptions: """
      Kinds of layers without rotation, such as `linear_attention`. Only `truncate` has a fix: which value was meant \
      where two differ, the file does not tell.
      """,
    sources: ["transformers _compute_yarn_parameters", "vLLM transformers_utils/config.py"]
  ) { model in
    model.configs.flatMap { config in
      config.config.dictionaries.flatMap { pointer -> [Finding] in
        let labels = config.config.layerTypes(of: pointer)
        guard let label = labels.first(where: { $0 == "full_attention" }) ?? labels.first,
          let outer = config.document[pointer], let inner = outer.child(label)
        else { return [] }
        let full = "\(pointer)/\(label)"
        return absentLayers(labels, pointer, config) + strayValues(outer, inner, pointer, full, config)
          + innerTruncate(labels, outer, pointer, config)
      }
    }
  }

  private static func absentLayers(_ labels: [String], _ pointer: String, _ config: LintedConfig) -> [Finding] {
    let rotating: Set = ["full_attention", "sliding_attention", "chunked_attention"]
    let declared = Set(config.member("layer_types")?.node.value.elements?.compactMap(\.value.string) ?? [])
    return declared.intersection(rotating).subtracting(labels).sorted().map { label in
      config.finding(
        .error, at: pointer,
        """
        `layer_types` names \(label) and the dictionary has no entry for it; transformers fails when it looks it up. Add \
        "\(label)": {"rope_type": "default", "rope_theta": …} with that layer's base.
        """,
        expected: "an entry for \(label)", actual: labels.listed)
    }
  }

  private static func strayValues(
    _ outer: JSONNode, _ inner: JSONNode, _ pointer: String, _ full: String, _ config: LintedConfig
  ) -> [Finding] {
    // Layers that do not scale miss nothing but a base.
    let isUnscaled = inner.child(ConfigKey.ropeType)?.value.string == "default"
    let needed = Set((isUnscaled ? [] : ConfigKey.scalingOnly) + [ConfigKey.ropeTheta])
    return (outer.value.members ?? []).compactMap { member in
      let key = member.key
      guard key != ConfigKey.truncate, member.node.value.members == nil, !member.node.value.isNull else { return nil }
      let own = inner.child(key)
      guard own.map({ !$0.means(member.node) }) ?? needed.contains(key) else { return nil }
      let there = own?.value.noun ?? "not stated"
      return config.finding(
        .error, at: JSONPointer.child(key, of: pointer),
        """
        `\(key.prefix(40))` beside the layers' dictionaries is \(member.node.value.noun) and in \(full) \(there); \
        runtimes drop the one beside. State it inside each layer's dictionary.
        """,
        expected: "the same value in \(full)")
    }
  }

  private static func innerTruncate(
    _ labels: [String], _ outer: JSONNode, _ pointer: String, _ config: LintedConfig
  ) -> [Finding] {
    let isInside = { (label: String) in outer.child(label)?.child(ConfigKey.truncate)?.value.bool == false }
    guard outer.child(ConfigKey.truncate)?.value.bool != false, let label = labels.first(where: isInside) else {
      return []
    }
    return [
      config.finding(
        .error, at: "\(pointer)/\(label)/\(ConfigKey.truncate)",
        """
        `truncate` inside \(label) is ignored by transformers 5.23, which rounds the ramp, and read by vLLM, which does \
        not. State "truncate": false on the outer level as well.
        """,
        expected: "truncate on the outer level too", runtimes: [Runtime.transformers5.name, Runtime.vllm.name],
        fix: .unsafe(
          "state truncate on the outer level too", [config.change("\(pointer)/\(ConfigKey.truncate)", .bool(false))]))
    ]
  }
}
