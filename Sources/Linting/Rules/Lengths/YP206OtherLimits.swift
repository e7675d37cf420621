import LosslessJSON
import ModelConfig
import Runtimes

extension Rule {
  static let otherLimits = Rule(
    "YP206", "tokenizer or generation limit below the window",
    severity: "warning for the tokenizer; note for the generation settings",
    checks: """
      Whether `model_max_length` of tokenizer_config.json or `max_length` of generation_config.json is below the window \
      of config.json.
      """,
    why: """
      vLLM serves the smaller one of the window and the tokenizer's limit; other tools cut longer prompts off without a \
      word. transformers stops generating at `max_length`, prompt included.
      """,
    example: #"{"model_max_length": 32768} beside {"max_position_embeddings": 131072}"#,
    remedy: "Set the limit to the window: `yarn-patch lint --fix --unsafe-fixes MODEL`.",
    exceptions: """
      Limits from 1000000 on, which tokenizers write for none. A `max_length` of at most 32 is the default of the class \
      and no statement about the model.
      """,
    sources: ["vLLM config/model.py", "h2oai/h2ogpt PR 524", "waybarrios/vllm-mlx PR 626"]
  ) { model in
    guard let window = model.configs.first?.declaration?.contextLength?.value else { return [] }
    func finding(_ severity: Severity, _ file: String, _ key: String, above least: Int, _ effect: String) -> Finding? {
      let pointer = "/\(key)"
      guard let document = model.siblings[file], let limit = document[pointer]?.value.number?.integer,
        limit > least, limit < min(window, 1_000_000)
      else { return nil }
      return Finding(
        severity, at: document.location(of: pointer),
        """
        `\(key)` is \(limit) although the model's window is \(window): \(effect). Set it to \(window).
        """,
        expected: "at least \(window)", actual: "\(limit)",
        runtimes: (severity == .warning ? [.vllm] : [Runtime.transformers4, .transformers5]).map(\.name),
        fix: .unsafe("set \(key) to \(window)", [SettingChange(document.path, pointer, .json(.integer(window)))]))
    }
    return [
      finding(
        .warning, "tokenizer_config.json", "model_max_length", above: 0,
        "vLLM serves no more than that, and other tools cut prompts off"),
      finding(
        .note, "generation_config.json", "max_length", above: 32,
        "transformers stops generating there, prompt included"),
    ].compactMap(\.self)
  }
}
