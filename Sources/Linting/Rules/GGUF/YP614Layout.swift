import Bytes
import Diagnostics
import GGUF

extension Rule {
  static let layout = Rule(
    "YP614", "layout, version or byte order", severity: "error; note for big-endian",
    checks: """
      A GGUF of version 1 or above 3; an alignment that is no UINT32 or no power of two; tensors whose data is not \
      aligned, overlaps or lies beyond the end of the file; a header that is cut short or promises what it does not \
      hold. As a note: a big-endian file.
      """,
    why: """
      llama.cpp does not load such a file, or the weights that it reads are shifted. Rewriting tools have left tensors \
      2 MiB short after an edit of a chat template.
      """,
    example: "general.alignment = 33",
    remedy: "Download or convert the file again. yarn-patch never moves tensors against each other.",
    exceptions: """
      Gaps between tensors and bytes behind the last one are accepted, and tensor types that are not known here. A Git \
      LFS pointer in place of the file says nothing about the file.
      """,
    sources: ["llama.cpp ggml/src/gguf.cpp", "ikawrakow/ik_llama.cpp PR 2443"]
  ) { model in
    model.findings(of: layoutCodes, consequence: "llama.cpp does not load the file.", runtimes: ["llama.cpp"])
      .filter { ![".safetensors", ".json"].contains(where: $0.location.path.hasSuffix) }
      + model.ggufs.filter { $0.file.byteOrder == .big }.map { gguf in
        Finding(
          .note, at: SourceLocation(path: gguf.path, byteOffset: 4),
          """
          The file is big-endian: llama.cpp loads it on big-endian machines only. For others convert the model again, \
          without `--bigendian`.
          """,
          expected: "little-endian", actual: "big-endian", runtimes: ["llama.cpp"])
      }
  }

  private static let layoutCodes: Set<FileError.Code> = [
    .truncated, .html, .notGGUF, .ggufOldFormat, .ggufVersion, .ggufCount, .ggufEncoding, .ggufTextLength,
    .ggufValueType,
    .ggufBool, .ggufNesting, .ggufAlignment, .ggufDimensions, .ggufTensorOffset, .ggufTensorOverlap,
  ]
}
