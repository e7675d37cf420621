import LosslessJSON
import ModelConfig
import Runtimes

extension Rule {
  static let twoDictionaries = Rule(
    "YP109", "two scaling dictionaries", severity: "error when they differ, note when equal",
    checks: "`rope_scaling` and `rope_parameters` both hold values.",
    why: """
      Which one wins depends on the program: transformers 5 replaces `rope_parameters` by `rope_scaling`, transformers 4 \
      and most of mlx-lm do not know `rope_parameters` at all, the Ollama loader and readers of the plain file prefer \
      it. While both say the same nothing is wrong, but an edit of one has to be made in the other as well.
      """,
    example: """
      {"rope_scaling": {"rope_type": "yarn", "factor": 4.0}, "rope_parameters": {"rope_type": "yarn", "factor": 2.0}}
      """,
    remedy: """
      Write the values that are meant to both: `yarn-patch patch MODEL --factor F --original-context N` does. Two equal \
      dictionaries are the most portable form.
      """,
    exceptions: """
      One dictionary for all beside one for each kind of layer agree when it says what that for full attention does, \
      and the model's class takes it for these layers alone. A base or a rotary share that stands in one of them only is no difference, nor is the spelling of the kind's key \
      or of a number. The fix copies `rope_scaling`, which most runtimes take, and only where both have one layout.
      """,
    sources: ["transformers convert_rope_params_to_dict", "llama.cpp conversion/base.py", "ollama/ollama PR 18263"]
  ) { model in
    model.configs.compactMap { config in
      let places = config.config.dictionaries
      guard places.count == 2, let first = config.document[places[0]], let second = config.document[places[1]] else {
        return nil
      }
      let labels = places.map(config.config.layerTypes)
      let isApart = labels.contains(where: \.isEmpty) && config.keepsLayersApart(model.deployment.targets)
      func whole(_ node: JSONNode) -> JSONNode { isApart ? node.child("full_attention") ?? node : node }
      let differing = differences(whole(first), whole(second))
      guard let key = differing.first else {
        return config.finding(
          .note, at: places[1],
          "`rope_scaling` and `rope_parameters` say the same; change both when you change one.",
          expected: "one dictionary, or two that agree", actual: "two that agree")
      }
      func text(_ node: JSONNode) -> String { whole(node).kindAware(key)?.value.noun ?? "not stated" }
      let changes = differing.flatMap { copying($0, from: first, to: second, at: places[1], config) }
      return config.finding(
        .error, at: places[1],
        """
        `rope_scaling` and `rope_parameters` differ in `\(key.prefix(40))` (\(text(first)) and \(text(second))), and \
        programs take one or the other (\(config.readings(of: model.deployment.targets).outcomes)). Write the values \
        that are meant to both.
        """,
        expected: "equal dictionaries", actual: "\(differing.count) differing members",
        fix: labels.allSatisfy(\.isEmpty)
          ? .unsafe("copy the values of rope_scaling to rope_parameters", changes) : nil)
    }
  }

  /// Members in which two dictionaries differ; the kind counts as one, whatever its key.
  private static func differences(_ first: JSONNode, _ second: JSONNode) -> [String] {
    let other = second.value.members?.map(\.key).filter { first.child($0) == nil } ?? []
    let keys = (first.value.members?.map(\.key) ?? []) + other
    let withoutKinds = keys.filter { $0 != ConfigKey.type && $0 != ConfigKey.ropeType }
    return ([ConfigKey.ropeType] + withoutKinds).filter { key in
      switch (first.kindAware(key), second.kindAware(key)) {
      case (let mine?, let theirs?): !mine.means(theirs)
      case (nil, nil): false
      default: ![ConfigKey.ropeTheta, ConfigKey.partialRotaryFactor].contains(key)
      }
    }
  }

  private static func copying(
    _ key: String, from first: JSONNode, to second: JSONNode, at pointer: String, _ config: LintedConfig
  ) -> [SettingChange] {
    let value = first.kindAware(key).map { JSONText.raw(config.text(of: $0)) }
    let hasOldName = key == ConfigKey.ropeType && second.child(ConfigKey.type) != nil
    let keys = hasOldName ? [key, ConfigKey.type] : [key]
    return keys.map { config.change(JSONPointer.child($0, of: pointer), value, after: [ConfigKey.ropeType]) }
  }
}

extension LintedConfig {
  /// Whether every target that takes the file gives kinds of layers tables of their own, as Gemma 3 has them.
  fileprivate func keepsLayersApart(_ targets: [Runtime]) -> Bool {
    let readings = readings(of: targets).filter { $0.refused == nil }
    return !readings.isEmpty && readings.allSatisfy { $0.layerType != nil }
  }
}

extension JSONNode {
  /// A member; for the kind, under either of its names.
  fileprivate func kindAware(_ key: String) -> JSONNode? {
    child(key) ?? (key == ConfigKey.ropeType ? child(ConfigKey.type) : nil)
  }
}
