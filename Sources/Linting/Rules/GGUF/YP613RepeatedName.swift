import GGUF

extension Rule {
  static let repeatedName = Rule(
    "YP613", "duplicate or empty key, duplicate tensor name", severity: "error",
    checks: "A GGUF states a key or a tensor's name twice, or one that is empty or longer than the format allows.",
    why: "llama.cpp and gguf-py refuse the file, or abort; older readers take either of the two.",
    example: "general.architecture at byte 24 and again at byte 69",
    remedy: "Convert the model again, or download it anew where the publisher corrected it.",
    exceptions: """
      No fix: keeping the first of two would need an edit of a header that readers refuse, this one included, so \
      nothing could prove the result.
      """,
    sources: ["llama.cpp ggml/src/gguf.cpp", "ggml-org/llama.cpp PRs 4062 and 20874"]
  ) { model in
    model.findings(
      of: [.ggufDuplicateKey, .ggufDuplicateTensor, .ggufName],
      consequence: "llama.cpp and gguf-py refuse the file.", runtimes: ["llama.cpp"])
  }
}
