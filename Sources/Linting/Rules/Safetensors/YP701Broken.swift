import Diagnostics
import LosslessJSON
import Safetensors

extension Rule {
  static let safetensorsBroken = Rule(
    "YP701", "safetensors header, index or metadata broken", severity: "error; warning for metadata",
    checks: """
      The header of a safetensors file cannot be right (its length, its JSON, repeated names, holes or overlaps between \
      tensors), the index names shards that are not there, or `__metadata__` has no `format`.
      """,
    why: """
      Loaders refuse such files, or read past them later. Without `format` transformers refuses the file or fails on \
      it, because the entry tells which library wrote the tensors.
      """,
    example:
      #"{"__metadata__": {"license": "mit"}, "model.norm.weight": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}"#,
    remedy: """
      Download the file or the missing shards again. For the metadata save the tensors again with \
      `save_file(tensors, path, metadata={"format": "pt"})`.
      """,
    exceptions: """
      A file that is a Git LFS pointer is not read. An index none of whose shards is here is a warning: the weights may \
      be left out on purpose. There is no fix for the metadata: adding the entry makes the header longer and moves all \
      tensors, which a lint run does not do.
      """,
    sources: ["safetensors format checks", "safetensors/safetensors issue 549"]
  ) { model in
    let unreadable = model.refusals.filter { refusal in
      let path = refusal.location.path
      let isOurs = path.hasSuffix(".safetensors") || path.hasSuffix(".index.json")
      return isOurs && refusal.code != "not-found" && refusal.code != .gitLFSPointer
    }
    return unreadable.map { Finding(.error, of: $0) } + absentShards(model) + unmarked(model)
  }

  private static func absentShards(_ model: LintedModel) -> [Finding] {
    guard let index = model.index else { return [] }
    let absent = index.shards.filter { !model.names.contains($0) }
    guard let first = absent.first, let tensor = index.weightMap.first(where: { $0.shard == first })?.tensor else {
      return []
    }
    let isWithoutWeights = absent.count == index.shards.count
    return [
      Finding(
        isWithoutWeights ? .warning : .error,
        at: SourceLocation(path: index.path, key: JSONPointer.child(tensor, of: "/weight_map")),
        """
        \(absent.count) of \(index.shards.count) shards that the index names are not here, \(first.prefix(80)) the first; \
        loaders fail at it. Download them into the same folder.
        """,
        expected: "\(index.shards.count) shards", actual: "\(index.shards.count - absent.count)")
    ]
  }

  /// One finding for all files: they were written by one program.
  private static func unmarked(_ model: LintedModel) -> [Finding] {
    let files = model.weights.filter { file in !(file.metadata ?? []).contains { $0.key == "format" } }
    guard let first = files.first else { return [] }
    let others = files.count == 1 ? "" : " The same holds for \(files.count - 1) other files."
    return [
      Finding(
        .warning, at: SourceLocation(path: first.path, byteOffset: 8, key: "__metadata__"),
        """
        `__metadata__` has no `format`, without which transformers refuses the file. Save the tensors again with \
        metadata={"format": "pt"}.\(others)
        """,
        expected: "format", actual: first.metadata == nil ? "no metadata" : "other entries",
        runtimes: ["transformers4", "transformers5"])
    ]
  }
}
