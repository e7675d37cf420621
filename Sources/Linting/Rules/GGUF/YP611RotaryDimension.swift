import GGUF
import ModelConfig

extension Rule {
  static let ggufRotaryDimension = Rule(
    "YP611", "rotary dimension mismatch", severity: "error",
    checks: """
      llama.cpp refuses the file for its `rope.dimension_count`: an odd number, more than the key length, or another \
      number than the key length where the architecture rotates whole heads.
      """,
    why: """
      The loader throws for llama, llama-embed, deci and falcon; for others that rotate whole heads (qwen2, qwen3, \
      mistral3, …) an assertion ends the process when the graph is built.
      """,
    example: "llama.rope.dimension_count = 64 with a head size of 128",
    remedy: "Convert the model again; without the key llama.cpp takes the head size.",
    exceptions: """
      Architectures that rotate a part of each head, or a part of its own (phi3, glm4, deepseek2, …), and a key of the \
      wrong type (YP610).
      """,
    sources: ["llama.cpp src/llama-model.cpp", "llama.cpp src/models/*.cpp"]
  ) { model in
    model.ggufs.compactMap { gguf in
      let key = gguf.keys.rotaryDimension
      guard case .uint32(let dimension)? = gguf.file[key], gguf.llamaCpp?.refused != nil,
        let refusal = gguf.llamaCpp(imagining: key, .uint32(dimension), tensors: [:])?.refused,
        gguf.llamaCpp(imagining: key, nil, tensors: [:])?.refused != refusal
      else { return nil }
      let head = gguf.declaration?.headDimension?.value
      return gguf.finding(
        .error, at: key,
        """
        \(dimension) elements rotate\(head.map { " and the head size is \($0)" } ?? ""): llama.cpp does not load the \
        file (\(refusal.reason)). Convert the model again.
        """,
        expected: head.map { "\($0)" } ?? "an even number")
    }
  }
}
