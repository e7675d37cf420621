import Diagnostics
import GGUF
import ModelConfig

extension Rule {
  static let foreignPrefix = Rule(
    "YP612", "keys under another architecture's prefix", severity: "error",
    checks: "A `*.rope.*` key begins with another name than `general.architecture` says.",
    why: "llama.cpp asks for keys under the file's own architecture only, so the setting has no effect.",
    example: "llama.rope.scaling.type = yarn in a file of architecture qwen3",
    remedy: """
      `yarn-patch lint MODEL --fix --unsafe-fixes` renames the key where the right one is absent, which puts the setting \
      into effect, and else takes it out. `yarn-patch patch MODEL` writes the right ones.
      """,
    exceptions: "Keys of a part of the model, such as `clip.vision.rope.…` in a file of architecture clip.",
    sources: ["llama.cpp src/llama-arch.cpp"]
  ) { model in
    model.ggufs.flatMap { gguf -> [Finding] in
      guard let architecture = gguf.file.architecture, !architecture.isEmpty else { return [] }
      let present = Set(gguf.file.metadata.entries(startingWith: "\(architecture).rope.").map(\.key))
      return gguf.file.metadata.compactMap { entry in
        guard !entry.key.hasPrefix("\(architecture)."), let name = ropeName(entry.key) else { return nil }
        let own = "\(architecture).rope.\(name)"
        let isFree = !present.contains(own)
        return Finding(
          .error, at: SourceLocation(path: gguf.path, byteOffset: entry.valueRange.lowerBound, key: entry.key),
          """
          `\(entry.key.prefix(80))` has no effect in a \(architecture) file: llama.cpp asks for `\(own.prefix(80))`\
          \(isFree ? ", which is absent. Rename it" : ", which is there. Take the other out").
          """,
          expected: "\(own.prefix(80))", actual: entry.value.phrase, runtimes: ["llama.cpp"],
          fix: isFree
            ? .unsafe(
              "rename \(entry.key.prefix(80)) to \(own.prefix(80))",
              [gguf.change(own, entry.value), gguf.change(entry.key, nil)])
            : .unsafe("take out \(entry.key.prefix(80))", [gguf.change(entry.key, nil)]))
      }
    }
  }

  /// What stands behind `.rope.` in a key that has an architecture before it.
  private static func ropeName(_ key: String) -> String? {
    let parts = key.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    return parts.count == 3 && parts[1] == "rope" && !parts[0].isEmpty ? String(parts[2]) : nil
  }
}
