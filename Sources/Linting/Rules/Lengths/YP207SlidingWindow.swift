import ModelConfig

extension Rule {
  static let slidingWindow = Rule(
    "YP207", "sliding window shorter than the window",
    severity: "warning when every layer slides; note when only some do",
    checks: "Whether layers attend within a sliding window that is shorter than `max_position_embeddings`.",
    why: """
      No scaling helps a layer that does not look further back than its window. vLLM shortens the whole model to it when \
      sliding attention is disabled.
      """,
    example: #"{"model_type": "mistral", "max_position_embeddings": 32768, "sliding_window": 4096}"#,
    remedy: """
      Where every layer slides, an extension reaches further only through the depth of the layers; use a model whose \
      layers see everything. Where only some do, nothing is to be done: scale the others.
      """,
    exceptions: """
      A window that is switched off (`use_sliding_window: false`, no layer in `layer_types` or behind \
      `max_window_layers`). A GGUF: its architecture decides which layers slide.
      """,
    sources: [
      "transformers configuration_*.py", "vLLM config/model.py", "NVIDIA/TensorRT-Model-Connect PR 400",
    ]
  ) { model in
    model.configs.compactMap { config in
      guard let window = config.declaration?.contextLength?.value, let sliding = config.config.slidingWindow,
        sliding.length.value < window
      else { return nil }
      let length = sliding.length.value
      return config.finding(
        sliding.isInEveryLayer ? .warning : .note, at: sliding.length.place.key ?? "",
        sliding.isInEveryLayer
          ? """
          Every layer sees only the last \(length) tokens: a window of \(window) changes nothing for them. Serve \
          \(length), or take a model whose layers see everything.
          """
          : """
          Some layers see only the last \(length) tokens whatever the scaling; the window of \(window) is that of the \
          others. Nothing needs to be changed.
          """,
        expected: "at least \(window)")
    }
  }
}
