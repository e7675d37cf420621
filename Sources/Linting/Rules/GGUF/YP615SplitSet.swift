import Diagnostics
import GGUF

extension Rule {
  static let splitSet = Rule(
    "YP615", "split-set problems", severity: "error",
    checks: """
      A shard is missing; numbers in names and in the `split.` keys, or the number of tensors, disagree; a shard after \
      the first states RoPE keys.
      """,
    why: """
      llama.cpp loads a set from its first shard, and that one's metadata is all that counts: a setting in another shard \
      has no effect, and a set with a gap does not load.
      """,
    example: "model-00002-of-00003.gguf without model-00001-of-00003.gguf",
    remedy: """
      Download what is missing under its original name. A setting belongs into the first shard: `yarn-patch patch` of \
      any shard writes it there.
      """,
    exceptions: """
      Any shard leads to the whole set, so naming another than the first is no finding and needs no fix.
      """,
    sources: ["llama.cpp src/llama-model-loader.cpp", "vllm-project/vllm-gguf-plugin PR 50"]
  ) { model in
    model.findings(
      of: ["missing-shard", "split-mismatch"], consequence: "llama.cpp does not load the set.", runtimes: ["llama.cpp"])
      + model.ggufs.flatMap { gguf in
        gguf.shards.dropFirst().flatMap { shard in
          shard.metadata.filter { $0.key.contains(".rope.") }.map { entry in
            Finding(
              .error, at: SourceLocation(path: shard.path, byteOffset: entry.valueRange.lowerBound, key: entry.key),
              """
              `\(entry.key.prefix(80))` stands in shard \((shard.split?.no ?? 0) + 1): llama.cpp takes metadata from the \
              first shard only. Set it there with \(gguf.patching("--factor F")).
              """,
              expected: "settings in \(gguf.path)", actual: entry.value.phrase, runtimes: ["llama.cpp"])
          }
        }
      }
  }
}
