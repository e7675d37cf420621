import GGUF
import ModelConfig

extension Rule {
  static let typeUnknown = Rule(
    "YP602", "type string unknown", severity: "error",
    checks: "`rope.scaling.type` of a GGUF is none of none, linear, yarn, longrope.",
    why: "llama.cpp aborts while loading: its table of types has no such name, and it compares letter by letter.",
    example: "llama.rope.scaling.type = llama3",
    remedy: """
      Convert the model again with a current converter: it stores the llama3 scheme as the tensor `rope_freqs.weight`, \
      and other kinds under the four names. Where YaRN was meant, `yarn-patch patch MODEL --factor F --method yarn --original-context N` writes the name.
      """,
    exceptions: "A missing type (YP601), a type that is no text (YP610).",
    sources: ["llama.cpp src/llama-model.cpp"]
  ) { model in
    model.ggufs.compactMap { gguf in
      guard let type = gguf.file[gguf.keys.type]?.stringValue, !["none", "linear", "yarn", "longrope"].contains(type)
      else { return nil }
      let original = gguf.number(gguf.keys.original) ?? 0 > 0 ? "" : " --original-context N"
      let remedy =
        type == "llama3"
        ? "That scheme is stored as the tensor \(GGUFKeys.divisorsTensor): convert the model again."
        : "Convert the model again, or type \(gguf.patching("--factor F --method yarn\(original)"))."
      return gguf.finding(
        .error, at: gguf.keys.type,
        "\"\(type.prefix(40))\" is not a GGUF scaling type: llama.cpp aborts while loading. \(remedy)",
        expected: "none, linear, yarn or longrope")
    }
  }
}
