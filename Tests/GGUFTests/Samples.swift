import Bytes
import Diagnostics
import GGUF
import TestSupport
import Testing

/// A small file with every kind of thing in it: two tensors, RoPE keys, a tokenizer, nested arrays.
func sample(_ order: ByteOrder = .little, version: UInt32 = 3, alignment: Int = 32) -> GGUFBuilder {
  var builder = GGUFBuilder(
    metadata: [
      ("general.architecture", .string("llama")),
      ("general.alignment", .uint32(UInt32(alignment))),
      ("llama.context_length", .uint32(4096)),
      ("llama.rope.freq_base", .float32(10_000)),
      ("llama.rope.scaling.type", .string("linear")),
      ("tokenizer.ggml.tokens", .array(type: 8, [.string("a"), .string("bc"), .string("")])),
      ("tokenizer.ggml.scores", .array(type: 6, [.float32(0.5), .float32(-1)])),
      ("tokenizer.ggml.add_bos_token", .bool(true)),
      (
        "nested",
        .array(
          type: 9, [.array(type: 4, [.uint32(1), .uint32(2)]), .array(type: 8, [.string("x")]), .array(type: 7, [])])
      ),
    ],
    tensors: [
      .init("rope_freqs.weight", [3], data: []),
      .init("output.weight", [2, 2], type: 1, data: []),
    ])
  builder.byteOrder = order
  builder.version = version
  builder.alignment = alignment
  builder.tensors[0].data = [Float(1), 0.5, 8].flatMap { builder.encode($0.bitPattern) }
  builder.tensors[1].data = [Float16(1), -2, 0.25, 0].flatMap { builder.encode($0.bitPattern) }
  return builder
}

func parse(_ bytes: [UInt8]) throws(FileError) -> GGUFFile { try GGUFFile(MemorySource(bytes, path: "t.gguf")) }

/// The error that reading gives, or `nil` with a recorded issue.
func refusal(_ bytes: [UInt8], _ place: Testing.SourceLocation = #_sourceLocation) -> FileError? {
  do throws(FileError) {
    _ = try parse(bytes)
    Issue.record("the file was accepted", sourceLocation: place)
    return nil
  } catch {
    return error
  }
}

/// Where a text stands in a file.
func offset(of text: String, in bytes: [UInt8]) throws -> Int {
  let wanted = Array(text.utf8)
  return try #require((0...bytes.count - wanted.count).first { bytes[$0...].starts(with: wanted) })
}
