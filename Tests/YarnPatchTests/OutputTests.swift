import Diagnostics
import FileStore
import PatchPlanning
import TestSupport
import Testing
import YarnPatch

@Suite struct OutputTests {
  @Test(arguments: ["gguf/llama-plain.gguf", "config/llama-plain/config.json"])
  func `a file's result goes to the output and the source stays`(_ fixture: String) throws {
    let folder = try ScratchFolder()
    let path = try folder.copy(fixture)
    let output = folder["out" + (fixture.hasSuffix("gguf") ? ".gguf" : ".json")]
    let outcome = try patch(path, request(.yarn, 4), output: output)
    #expect(outcome.undo == nil && outcome.files.map(\.path) == [output])
    #expect(try Fixture.bytes(fixture) == folder.bytes(fixture.split(separator: "/").last.map(String.init) ?? ""))
    #expect(folder.names.count == 2)
    // The same bytes as a patch of the file itself.
    _ = try patch(path, request(.yarn, 4), keepsUndo: false)
    #expect(Set(folder.contents.values).count == 1)
  }

  @Test func `a folder's output is the whole model`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    let before = folder.contents
    let outcome = try patch(path, request(.yarn, 4), output: folder["out"])
    #expect(outcome.verification?.passed == true)
    let after = folder.contents
    #expect(before.allSatisfy { after[$0.key] == $0.value })
    let names = before.keys.map { $0.dropFirst("model/".count) }
    #expect(after.keys.filter { $0.hasPrefix("out/") }.sorted() == names.map { "out/\($0)" }.sorted())
    let changed = names.filter { after["out/\($0)"] != before["model/\($0)"] }
    #expect(changed.sorted() == ["config.json", "tiny-llama-ctx256-f16.gguf"])
  }

  @Test func `a folder's output leaves out what is ours, and links that lead nowhere`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    let names = folder.contents.keys.map { "out/" + $0.dropFirst("model/".count) }
    _ = try patch("\(path)/config.json", request(.yarn, 2))
    _ = try patch("\(path)/tiny-llama-ctx256-f16.gguf", request(.yarn, 2))
    try folder.write([1], to: "model/.config.json.yarn-patch.123")
    try folder.link("model/readme.txt", to: "/nonexistent/readme.txt")
    let rehearsed = try planPatch(path, request(.yarn, 4), output: folder["out"])
    let outcome = try patch(path, request(.yarn, 4), output: folder["out"])
    for plan in [rehearsed.plan, outcome.plan] {
      #expect(plan.notes.contains("readme.txt: not copied, the link leads nowhere"))
    }
    #expect(folder.contents.keys.filter { $0.hasPrefix("out/") }.sorted() == names.sorted())
  }

  @Test func `an output is written when there is nothing to change too`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("config/llama-plain/config.json")
    let outcome = try patch(path, request(.none), output: folder["out.json"])
    #expect(outcome.plan.changesNothing)
    #expect(try folder.bytes("out.json") == folder.bytes("config.json"))
  }

  @Test func `an output that exists is refused and stays`() throws {
    let folder = try ScratchFolder()
    let model = try folder.copy("models/tiny-llama-ctx256", as: "model")
    try folder.write([1], to: "taken")
    try folder.write([2], to: "folder/file")
    let before = folder.contents
    for (path, output) in [("\(model)/config.json", "taken"), (model, "folder"), (model, "taken"), (model, "model")] {
      let error = refusal { try patch(path, request(.yarn, 4), output: folder[output]) }
      #expect(error?.code == .alreadyExists, "\(output)")
      #expect(folder.contents == before)
    }
  }

  @Test func `one shard of a set is no output`() throws {
    let folder = try ScratchFolder()
    for number in 1...3 {
      _ = try folder.copy("gguf/split-0000\(number)-of-00003.gguf", as: "set/s-0000\(number)-of-00003.gguf")
    }
    let before = folder.contents
    let error = refusal {
      try patch(folder["set/s-00001-of-00003.gguf"], request(.yarn, 4), output: folder["out.gguf"])
    }
    #expect(error?.code == .badRequest && error?.remedy.contains("folder") == true)
    #expect(folder.contents == before)
    #expect(try patch(folder["set"], request(.yarn, 4), output: folder["out"]).verification?.passed == true)
    #expect(folder.names.filter { $0.hasPrefix("out/") }.count == 3)
  }
}

@Suite struct LinkTests {
  @Test func `through a plain link the file changes and the link stays`() throws {
    let folder = try ScratchFolder()
    _ = try folder.copy("gguf/llama-plain.gguf", as: "store/model.gguf")
    try folder.link("model.gguf", to: "store/model.gguf")
    let before = folder.contents
    _ = try patch(folder["model.gguf"], request(.yarn, 4))
    #expect(folder.contents["model.gguf"] == before["model.gguf"])
    #expect(folder.contents["store/model.gguf"] != before["store/model.gguf"])
    _ = try undoPatch(folder["model.gguf"])
    #expect(folder.contents == before)
  }

  /// A model as huggingface_hub lays it out: links in a snapshot, bytes under their digest.
  private func cache(_ folder: ScratchFolder) throws -> String {
    let digests = ["config.json": String(repeating: "a1", count: 20), "m.gguf": String(repeating: "b2", count: 32)]
    for (name, fixture) in [("config.json", "config/llama-plain/config.json"), ("m.gguf", "gguf/llama-plain.gguf")] {
      let digest = try #require(digests[name])
      _ = try folder.copy(fixture, as: "blobs/\(digest)")
      try folder.link("snapshots/main/\(name)", to: "../../blobs/\(digest)")
    }
    return folder["snapshots/main"]
  }

  @Test(arguments: ["config.json", "m.gguf"])
  func `a cache is never written through: the link gives way to a patched file`(_ name: String) throws {
    let folder = try ScratchFolder()
    let snapshot = try cache(folder)
    let before = folder.contents
    let outcome = try patch("\(snapshot)/\(name)", request(.yarn, 4))
    #expect(outcome.verification?.passed == true)
    let after = folder.contents
    #expect(before.filter { $0.key.hasPrefix("blobs/") } == after.filter { $0.key.hasPrefix("blobs/") })
    #expect(after["snapshots/main/\(name)"]?.starts(with: Array("-> ".utf8)) == false)
    // Even where the sizes agree.
    #expect(try patch("\(snapshot)/\(name)", request(.yarn, 8)).verification?.passed == true)
    for _ in 1...2 { _ = try undoPatch("\(snapshot)/\(name)") }
    #expect(folder.contents == before)
  }

  @Test func `a patch of equal size replaces the link as well`() throws {
    let folder = try ScratchFolder()
    _ = try folder.copy("gguf/deepseek2-yarn.gguf", as: "blobs/\(String(repeating: "c3", count: 32))")
    try folder.link("m.gguf", to: "blobs/\(String(repeating: "c3", count: 32))")
    let before = folder.contents
    let outcome = try patch(folder["m.gguf"], request(.yarn, 8))
    #expect(outcome.strategy == "rewrite" && outcome.files[0].sizeBefore == outcome.files[0].sizeAfter)
    #expect(before.filter { $0.key.hasPrefix("blobs/") } == folder.contents.filter { $0.key.hasPrefix("blobs/") })
    _ = try undoPatch(folder["m.gguf"])
    #expect(folder.contents == before)
  }

  @Test func `a bare blob is refused, unless the result goes elsewhere`() throws {
    let folder = try ScratchFolder()
    _ = try cache(folder)
    let blob = folder["blobs/\(String(repeating: "b2", count: 32))"]
    let before = folder.contents
    let error = refusal { try patch(blob, request(.yarn, 4)) }
    #expect(error?.code == .contentAddressed && error?.remedy.contains("--output") == true)
    #expect(refusal { try planPatch(blob, request(.yarn, 4)) }?.code == .contentAddressed)
    #expect(folder.contents == before)
    #expect(try patch(blob, request(.yarn, 4), output: folder["out.gguf"]).verification?.passed == true)
    #expect(before.allSatisfy { folder.contents[$0.key] == $0.value })
  }

  @Test func `other names of a file are told of`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("gguf/llama-plain.gguf", as: "a.gguf")
    try folder.hardLink("b.gguf", to: "a.gguf")
    let error = refusal { try patch(path, request(.yarn, 4)) }
    #expect(error?.code == .hardLinks && error?.state == .untouched)
    #expect(error?.remedy.contains("--allow hard-links") == true)
    let grown = try patch(path, request(.yarn, 4) { $0.allowed = ["hard-links"] })
    #expect(grown.files[0].notes.contains { $0.contains("hard links") && $0.contains("keep the old bytes") })
    #expect(try folder.bytes("b.gguf") == Fixture.bytes("gguf/llama-plain.gguf"))
    try folder.hardLink("c.gguf", to: "a.gguf")
    let inPlace = try patch(path, request(.yarn, 8))
    #expect(inPlace.files[0].notes.contains { $0.contains("hard links") && $0.contains("changed with it") })
    #expect(try folder.bytes("c.gguf") == folder.bytes("a.gguf"))
  }
}
