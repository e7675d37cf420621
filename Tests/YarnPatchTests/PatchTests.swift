import Diagnostics
import PatchPlanning
import Runtimes
import TestSupport
import Testing
import YarnPatch

@Suite struct PatchTests {
  static let ggufs = [
    "alignment-64", "deepseek2-yarn", "llama-plain", "llama-plain.big-endian", "llama-v2", "vocabulary-only",
  ]

  @Test(arguments: ggufs)
  func `a GGUF grows, then changes in place, and two undos lead back`(_ name: String) throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("gguf/\(name).gguf", as: "model.gguf")
    let before = folder.contents
    let first = try patch(path, request(.yarn, 2))
    let middle = try folder.bytes("model.gguf")
    #expect(first.strategy == (name == "deepseek2-yarn" ? "in-place" : "rewrite"))
    #expect(first.verification?.passed == true && first.undo != nil)
    #expect(first.files.map(\.sizeAfter) == [UInt64(middle.count)])
    let second = try patch(path, request(.yarn, 8))
    #expect(second.strategy == "in-place" && second.files[0].sizeBefore == second.files[0].sizeAfter)
    #expect(second.files[0].bytesWritten < second.files[0].sizeAfter)
    #expect(try folder.bytes("model.gguf") != middle)
    #expect(try undoPatch(path).map(\.path) == [path])
    #expect(try folder.bytes("model.gguf") == middle)
    #expect(try undoPatch(path).map(\.path) == [path])
    #expect(folder.contents == before)
    #expect(refusal { try undoPatch(path) }?.code == .nothingToUndo)
  }

  @Test(arguments: ["llama-plain", "crlf", "compact", "v5-per-layer", "nested-thinker", "mla-yarn", "gpt-oss"])
  func `a config changes and undo restores the exact bytes`(_ name: String) throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("config/\(name)", as: "model") + "/config.json"
    let before = folder.contents
    for method in PatchMethod.allCases {
      let outcome = try patch(path, request(method, 8) { $0.runtimes = [.formula] })
      #expect(outcome.verification?.passed == true)
      // Readers must never see half of a text.
      #expect(outcome.strategy == (outcome.plan.changesNothing ? "none" : "rewrite"))
      if outcome.plan.changesNothing { continue }
      #expect(folder.contents != before)
      #expect(try undoPatch(path).map(\.path) == [path])
      #expect(folder.contents == before, "\(method)")
    }
  }

  @Test(arguments: PatchMethod.allCases)
  func `a second identical patch changes nothing and says so`(_ method: PatchMethod) throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("config/llama-plain/config.json")
    let asked = request(method, 4) { $0.runtimes = method == .dynamic ? [.transformers5, .mlxLM] : nil }
    let first = try patch(path, asked)
    #expect(first.plan.changesNothing == (method == .none))
    let after = folder.contents
    let second = try patch(path, asked)
    #expect(second.plan.changesNothing && second.strategy == "none" && second.undo == nil)
    #expect(second.files.map(\.bytesWritten) == [0] && second.files[0].changes.isEmpty)
    #expect(second.verification?.passed == true)
    #expect(folder.contents == after)
  }

  @Test func `a plan writes nothing and foretells the patch`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    let before = folder.contents
    let plan = try planPatch(path, request(.yarn, 4))
    #expect(folder.contents == before)
    #expect(plan.verification == nil && plan.undo == nil && plan.files.allSatisfy { $0.bytesWritten == 0 })
    let outcome = try patch(path, request(.yarn, 4))
    #expect(plan.strategy == outcome.strategy)
    #expect(plan.files.map(\.path) == outcome.files.map(\.path))
    #expect(plan.files.map(\.sizeAfter) == outcome.files.map(\.sizeAfter))
    #expect(plan.files.map(\.changes) == outcome.files.map(\.changes))
  }

  @Test func `without a record there is nothing to undo and nothing is left beside the file`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("gguf/llama-plain.gguf")
    let outcome = try patch(path, request(.yarn, 4), keepsUndo: false)
    #expect(outcome.undo == nil && folder.names == ["llama-plain.gguf"])
    #expect(refusal { try undoPatch(path) }?.code == .nothingToUndo)
  }

  // MARK: folders

  @Test func `a folder's config.json and GGUF change together and go back together`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    let before = folder.contents
    let outcome = try patch(path, request(.yarn, 4))
    #expect(outcome.files.map(\.path) == ["\(path)/config.json", "\(path)/tiny-llama-ctx256-f16.gguf"])
    #expect(outcome.files.allSatisfy { !$0.changes.isEmpty })
    let windows = try inspect(path).model.files.compactMap { $0.declaration?.contextLength?.value }
    #expect(windows == [1024, 1024])
    #expect(outcome.verification?.checks.contains { $0.id == "files-agree" && $0.passed } == true)
    #expect(folder.contents["model/model.safetensors"] == before["model/model.safetensors"])
    #expect(try undoPatch(path).count == 2)
    #expect(folder.contents == before)
  }

  @Test func `a folder's GGUF may lag behind its config.json`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    _ = try patch("\(path)/config.json", request(.yarn, 4))
    let outcome = try patch(path, request(.yarn, 4))
    #expect(outcome.files.map { $0.changes.isEmpty } == [true, false])
    #expect(outcome.verification?.passed == true)
  }

  @Test func `files of one folder that start from different bases or lengths are refused together`() throws {
    for (old, new) in [
      ("\"rope_theta\": 10000.0", "\"rope_theta\": 50000.0"),
      ("\"max_position_embeddings\": 256", "\"max_position_embeddings\": 512"),
    ] {
      let folder = try ScratchFolder()
      let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
      try folder.replace(old, by: new, in: "model/config.json")
      let before = folder.contents
      let error = refusal { try patch(path, request(.yarn, 4)) }
      #expect(error?.code == .filesDisagree && error?.location.path.hasSuffix(".gguf") == true)
      #expect(folder.contents == before)
    }
  }

  @Test(arguments: [
    "single/model.safetensors", "sharded/model.safetensors.index.json", "sharded/model-00002-of-00002.safetensors",
  ])
  func `weights lead to the config.json beside them`(_ name: String) throws {
    let folder = try ScratchFolder()
    let kind = String(name.prefix { $0 != "/" })
    _ = try folder.copy("safetensors/\(kind)")
    let before = folder.contents
    let outcome = try patch(folder[name], request(.yarn, 4))
    #expect(outcome.files.map(\.path) == [folder["\(kind)/config.json"]])
    let changed = folder.contents.filter { before[$0.key] != nil && before[$0.key] != $0.value }
    #expect(changed.keys.sorted() == ["\(kind)/config.json"])
    #expect(try undoPatch(folder[name]).map(\.path) == [folder["\(kind)/config.json"]])
    #expect(folder.contents == before)
  }

  @Test func `the weights' shapes tell the head size that config.json does not state`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("safetensors/no-head-dim")
    // No runtime looks at the weights for it.
    #expect(refusal { try patch(path, request(.yarn, 4)) }?.code == .runtimesDisagree)
    let outcome = try patch(path, request(.yarn, 4) { $0.runtimes = [.formula] })
    #expect(outcome.plan.settings.rotaryDimension == 24)
  }

  // MARK: split sets

  @Test(arguments: 1...3)
  func `any shard leads to the whole set, whose first shard changes`(_ shard: Int) throws {
    let folder = try ScratchFolder()
    for number in 1...3 { _ = try folder.copy("gguf/split-0000\(number)-of-00003.gguf") }
    let before = folder.contents
    let named = folder["split-0000\(shard)-of-00003.gguf"]
    let outcome = try patch(named, request(.yarn, 4))
    #expect(outcome.files.map(\.path) == [folder["split-00001-of-00003.gguf"]])
    #expect(outcome.verification?.passed == true)
    let changed = before.filter { folder.contents[$0.key] != $0.value }
    #expect(changed.keys.sorted() == ["split-00001-of-00003.gguf"])
    #expect(try undoPatch(named).count == 1)
    #expect(folder.contents == before)
  }

  @Test func `a set with a missing shard is refused`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("gguf/split-00001-of-00003.gguf")
    _ = try folder.copy("gguf/split-00003-of-00003.gguf")
    #expect(refusal { try patch(path, request(.yarn, 4)) }?.code == .missingShard)
  }

  // MARK: what a patch is told to take on

  @Test func `a base that is named is taken, whatever the files say`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("safetensors/stored-inv-freq-wrong-base", as: "model")
    let error = refusal { try patch(path, request(.yarn, 4)) }
    #expect(error?.code == .storedTableDisagrees && error?.location.key?.hasSuffix("rotary_emb.inv_freq") == true)
    #expect(try patch(path, request(.yarn, 4) { $0.base = 10_000 }).verification?.passed == true)
  }

  @Test func `divisors in the weights can be taken on`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("gguf/llama3-freqs.gguf")
    let before = folder.contents
    #expect(refusal { try patch(path, request(.yarn, 4)) }?.code == .trainedScaling)
    #expect(folder.contents == before)
    let outcome = try patch(path, request(.yarn, 4) { $0.allowed = ["YP608"] })
    #expect(outcome.verification?.passed == true)
    #expect(try undoPatch(path).map(\.path) == [path])
    #expect(folder.contents == before)
  }

  @Test func `a very long window is stated in spite of the factor's float32`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("gguf/llama-plain.gguf")
    let outcome = try patch(path, request(.yarn, 1999.3) { $0.originalContext = 1_000_003 })
    #expect(outcome.plan.settings.window == 1_999_305_997)
    #expect(outcome.verification?.passed == true)
  }

  @Test func `a headroom that the model card names is told`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("config/qwen3-headroom/config.json")
    let notes = try planPatch(path, request(.yarn, 4)).plan.notes
    #expect(notes.contains { $0.contains("32768") && $0.contains("40960") })
    #expect(try planPatch(path, request(.yarn, 4) { $0.originalContext = 40960 }).plan.notes.isEmpty)
  }
}
