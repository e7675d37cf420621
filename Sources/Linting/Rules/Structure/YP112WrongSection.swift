import LosslessJSON
import ModelConfig

extension Rule {
  static let wrongSection = Rule(
    "YP112", "scaling outside the language section", severity: "error; warning when several sections qualify",
    checks: """
      The config has a section for its language model (`text_config`, `llm_config`, `language_config`, \
      `thinker_config`), and a scaling stands at the top level or in the section of a vision or audio tower.
      """,
    why: """
      vLLM and SGLang read the language section, so a scaling outside it changes nothing and nothing is said. In the \
      section of a tower it changes the wrong model.
      """,
    example:
      #"{"text_config": {"max_position_embeddings": 32768}, "rope_scaling": {"rope_type": "yarn", "factor": 4.0}}"#,
    remedy: """
      Move the dictionary into the language section: `yarn-patch lint MODEL --select YP112 --fix --unsafe-fixes` does.
      """,
    exceptions: """
      A top-level dictionary that says the same as the section's, and dictionaries that name no scaling, such as a \
      tower's own base. Where two sections qualify, the rule names the one that is taken.
      """,
    sources: ["vllm-project/vllm PR 54289", "sgl-project/sglang issue 27974"]
  ) { model in
    model.configs.flatMap { config in
      outsideSection(config, model) + inTowers(config) + severalSections(config)
    }
  }

  private static let keys = [ConfigKey.ropeScaling, ConfigKey.ropeParameters]

  /// The kind that a dictionary at a pointer scales with.
  private static func scaling(at pointer: String, _ config: LintedConfig) -> String? {
    let dictionary = ScalingDictionary(pointer: pointer, layerType: nil, in: config.document)
    return dictionary.kind.flatMap { ["default", "none", "mrope"].contains($0) ? nil : $0 }
  }

  private static func outsideSection(_ config: LintedConfig, _ model: LintedModel) -> [Finding] {
    let document = config.document
    let existing = HuggingFaceConfig.languageSections.first { document[$0]?.value.members != nil }
    guard let section = config.config.section.isEmpty ? existing : config.config.section else { return [] }
    return keys.compactMap { key in
      let (top, place) = ("/\(key)", "\(section)/\(key)")
      guard let kind = scaling(at: top, config), let outer = document[top] else { return nil }
      let inner = document[place]
      if let inner, inner.means(outer) { return nil }
      let moved =
        inner?.value.members == nil
        ? [config.change(place, .raw(config.text(of: outer)), after: [ConfigKey.maximum])]
        : (outer.value.members ?? []).map { member in
          config.change(JSONPointer.child(member.key, of: place), .raw(config.text(of: member.node)))
        }
      return config.finding(
        .error, at: top,
        """
        Kind \(JSONText.quoted(kind)) stands on the outer object; vLLM and SGLang read \(place). Move it there, or type \
        `yarn-patch lint \(model.path.shellWord) --select YP112 --fix --unsafe-fixes`.
        """,
        expected: place, actual: top, runtimes: ["vllm", "sglang"],
        fix: .unsafe("move it to \(place)", moved + [config.change(top, nil)]))
    }
  }

  private static func inTowers(_ config: LintedConfig) -> [Finding] {
    let objects = (config.document.root.value.members ?? []).filter { member in
      member.node.isObject && keys.contains { member.node.child($0) != nil }
    }
    return objects.map(\.key).filter(TensorShapes.isOfTower).flatMap { tower in
      keys.compactMap { key in
        let place = JSONPointer.child(key, of: JSONPointer.child(tower, of: ""))
        guard let kind = scaling(at: place, config) else { return nil }
        return config.finding(
          .error, at: place,
          """
          Kind \(JSONText.quoted(kind)) stands in the section `\(tower.prefix(40))`, which is not the language model; \
          its window stays as it is. Move the dictionary to \(config.config.section)/\(key).
          """,
          expected: "\(config.config.section)/\(key)", actual: place)
      }
    }
  }

  private static func severalSections(_ config: LintedConfig) -> [Finding] {
    let sections = HuggingFaceConfig.languageSections.filter {
      HuggingFaceConfig.statesPositions(config.document, in: $0)
    }
    guard sections.count > 1 else { return [] }
    return [
      config.finding(
        .warning, at: sections[1],
        """
        \(sections.listed) all state positions; \(sections[0]) is taken here, and runtimes may take another. Make them \
        agree, or name one with `--section`.
        """,
        expected: "one language section", actual: "\(sections.count)")
    ]
  }
}
