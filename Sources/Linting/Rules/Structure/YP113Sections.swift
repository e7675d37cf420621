import LosslessJSON
import ModelConfig
import Runtimes

extension Rule {
  static let multimodalSections = Rule(
    "YP113", "multimodal sections lost or inconsistent", severity: "error",
    checks: """
      `mrope_section` does not add up to half of the rotary dimension, or does not have the three parts that mlx-lm \
      demands; or the dictionary of a model with positions in time, height and width has none, or had one before the \
      last patch.
      """,
    why: """
      The sections say which frequencies turn with time, height and width. Without them image inputs crash, or get \
      positions of plain text; with a wrong sum the split of the table fails.
      """,
    example: #"{"model_type": "qwen2_5_vl", "rope_scaling": {"rope_type": "yarn", "factor": 4.0}}"#,
    remedy: """
      Put `"mrope_section"` of the model's original config.json back into the dictionary; `yarn-patch undo MODEL` takes \
      the last patch back.
      """,
    exceptions: """
      Families outside the list in the rule, and models without a dictionary, whose classes supply their own sections. \
      The fix needs the undo record of a patch beside the file, and config.json as the patch left it.
      """,
    sources: ["turboderp-org/exllamav3 PR 332", "mlx-lm models/rope_utils.py", "transformers models/qwen2_vl"]
  ) { model in
    model.configs.flatMap { config in
      config.scalings.compactMap { dictionary, declaration in
        if dictionary.states(key) { return inconsistent(declaration, dictionary, config, model) }
        return lost(dictionary, config, model)
      }
    }
  }

  private static let key = "mrope_section"

  private static let families: Set = [
    "qwen2_vl", "qwen2_5_vl", "qwen2_5_omni", "qwen2_5_omni_thinker", "qwen3_vl", "qwen3_vl_moe", "qwen3_omni_moe",
    "qwen3_omni_moe_thinker", "glm4v", "glm4v_moe", "ernie4_5_vl_moe", "ernie4_5_moe_vl", "paddleocr_vl",
  ]

  private static func inconsistent(
    _ declaration: RoPEDeclaration, _ dictionary: ScalingDictionary, _ config: LintedConfig, _ model: LintedModel
  ) -> Finding? {
    guard let sections = declaration.mropeSection?.value, let rotary = declaration.rotaryDimension?.value else {
      return nil
    }
    var sum: Int? = 0
    for section in sections {
      let (next, overflow) = (sum ?? 0).addingReportingOverflow(section)
      sum = overflow || sum == nil ? nil : next
    }
    if sum != rotary / 2 {
      let found = sum.map(String.init) ?? "more than any head"
      return config.finding(
        .error, at: dictionary.pointer(to: key),
        """
        The parts of `mrope_section` add up to \(found) and \(rotary) rotating dimensions have \(rotary / 2) pairs; \
        image inputs fail. Take the list from the model's original config.json.
        """,
        expected: "a sum of \(rotary / 2)", actual: "a sum of \(found)")
    }
    let mlx = config.readings(of: model.deployment.targets.filter { $0.name == Runtime.mlxLM.name }, for: dictionary)
    guard sections.count != 3, mlx.contains(where: { $0.refused != nil }) else { return nil }
    return config.finding(
      .error, at: dictionary.pointer(to: key),
      "`mrope_section` has \(sections.count) parts and mlx-lm takes exactly three: time, height and width.",
      expected: "three parts", actual: "\(sections.count)", runtimes: [Runtime.mlxLM.name])
  }

  private static func lost(
    _ dictionary: ScalingDictionary, _ config: LintedConfig, _ model: LintedModel
  ) -> Finding? {
    let old = model.previous.flatMap { previous in
      [ConfigKey.ropeScaling, ConfigKey.ropeParameters].lazy
        .compactMap { previous["\(config.config.section)/\($0)/\(key)"] }.first
        .map { String(decoding: previous.bytes[$0.range], as: UTF8.self) }
    }
    let family = config.family.map { $0.hasSuffix("_text") ? String($0.dropLast(5)) : $0 } ?? ""
    guard old != nil || families.contains(family) else { return nil }
    return config.finding(
      .error, at: dictionary.pointer,
      """
      The dictionary has no `mrope_section`\(old == nil ? ", which \(family) needs" : ", which it had before the last patch")\
      ; image inputs fail or get wrong positions. Put \
      \(old.map { "\"mrope_section\": \($0.filter { !$0.isWhitespace }.prefix(60))" } ?? "the one of the model's original config.json") back.
      """,
      expected: key, actual: "none",
      fix: old.map { .unsafe("put mrope_section back", [config.change(dictionary.pointer(to: key), .raw($0))]) })
  }
}
