import Bytes
import FileStore
import TestSupport
import Testing
import YarnPatch

/// Large files, whose tensors no patch should copy.
@Suite struct GrowthTests {
  let folder: ScratchFolder
  let path: String

  init() throws {
    folder = try ScratchFolder()
    var builder = GGUFBuilder(metadata: [
      ("general.architecture", .string("qwen2")), ("qwen2.context_length", .uint32(4096)),
      ("qwen2.attention.key_length", .uint32(64)), ("qwen2.rope.dimension_count", .uint32(64)),
      ("qwen2.rope.freq_base", .float32(10_000)),
    ])
    let data = (0..<17 << 17).flatMap { i in [UInt8](repeating: UInt8(truncatingIfNeeded: i &* 37), count: 8) }
    builder.tensors = [.init("output.weight", [UInt64(data.count) / 4], data: data)]
    path = try folder.write(builder.bytes(), to: "m.gguf")
  }

  @Test func `a header grows by blocks, the next patch fits in place, and undo removes both`() throws {
    let old = try folder.bytes("m.gguf")
    let quantum = try Transaction(tool: "test").growthQuantum(of: path)
    let plan = try planPatch(path, request(.yarn, 4))
    #expect(folder.contents == ["m.gguf": old])
    let first = try patch(path, request(.yarn, 4))
    #expect(first.strategy == plan.strategy)
    #expect(first.files[0].sizeAfter == plan.files[0].sizeAfter)
    let padding = first.files[0].changes.first { $0.at == "yarn_patch.padding" }
    let middle = try folder.bytes("m.gguf")
    if let quantum {
      #expect(["insert-range", "clone"].contains(first.strategy))
      #expect(middle.count - old.count == Int(quantum))
      #expect(padding?.after?.hasSuffix(" spaces (string)") == true)
      #expect(first.files[0].bytesWritten < 3 * quantum)
    } else {
      print("not tested: this file system can neither insert blocks nor share them")
      #expect(first.strategy == "clone" && padding == nil)
    }
    let second = try patch(path, request(.yarn, 8) { $0.attentionFactor = 1.5 })
    #expect(quantum == nil || second.strategy == "in-place")
    #expect(try undoPatch(path).count == 1)
    #expect(try folder.bytes("m.gguf") == middle)
    #expect(try undoPatch(path, full: true)[0].notes.count == 1)
    #expect(folder.contents == ["m.gguf": old])
  }

  @Test func `the padding is not a difference to another model`() throws {
    let other = folder["other.gguf"]
    _ = try patch(path, request(.yarn, 4), output: other)
    _ = try patch(path, request(.yarn, 4), keepsUndo: false)
    var options = VerifyOptions()
    options.against = other
    options.attention = .off
    #expect(try verify(path, options).passed)
  }
}
