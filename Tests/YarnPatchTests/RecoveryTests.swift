import Diagnostics
import FileStore
import Glibc
import PatchPlanning
import TestSupport
import Testing
import YarnPatch

@Suite struct RecoveryTests {
  let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  /// Patches as if a crash had come before the end.
  private func interrupt(_ path: String) throws {
    let record = try #require(try patch(path, request(.yarn, 4)).undo)
    var pending = try #require(try UndoRecord.read(at: record))
    pending.steps[0].state = .pending
    for index in pending.steps[0].files.indices where pending.steps[0].files[index].change == .inPlace {
      Issue.record("\(pending.steps[0].files[index].path): a change in place is pending in another way")
    }
    try folder.write(pending.text, to: String(record.dropFirst(folder.path.count + 1)))
  }

  /// `rolled back NAME`, and so on.
  private func recover(_ name: String) -> [String] {
    func short(_ path: String) -> Substring { path.dropFirst(folder.path.count + 1) }
    return recoverModel(folder[name]).map { recovery in
      switch recovery {
      case .rolledBack(let model, _): "rolled back \(short(model))"
      case .finishedUndo(let model, _): "finished \(short(model))"
      case .failed(let error): "failed \(error.code.rawValue)"
      case .removed(let path): "removed \(short(path))"
      case .kept(let path): "kept \(short(path))"
      }
    }
  }

  @Test(arguments: ["dir/m.gguf", "real/m.gguf", "dir", "real"], ["dir/m.gguf", "dir"])
  func `an interrupted patch through a link is found by every name`(name: String, patched: String) throws {
    _ = try folder.copy("gguf/llama-plain.gguf", as: "real/m.gguf")
    try folder.link("dir/m.gguf", to: "../real/m.gguf")
    let before = folder.contents
    try interrupt(folder[patched])
    #expect(interruptedChange(of: folder[name])?.location.path == folder["real/m.gguf.yarn-patch-undo"])
    #expect(refusal { try patch(folder[name], request(.yarn, 8)) }?.code == .interrupted)
    #expect(recover(name) == ["rolled back real/m.gguf"])
    #expect(folder.contents == before)
    #expect(recover(name) == [])
    _ = try patch(folder[patched], request(.yarn, 4))
    #expect(try undoPatch(folder[name]).map(\.path) == [folder["real/m.gguf"]])
    #expect(folder.contents == before)
  }

  @Test func `a folder whose files stand in several folders is not patched as one`() throws {
    _ = try folder.copy("models/tiny-llama-ctx256", as: "model")
    _ = try folder.copy("models/tiny-llama-ctx256", as: "real")
    unlink(folder["model/config.json"])
    try folder.link("model/config.json", to: "../real/config.json")
    let before = folder.contents
    for error in [
      refusal { try patch(folder["model"], request(.yarn, 4)) },
      refusal { try planPatch(folder["model"], request(.yarn, 4)) },
    ] {
      #expect(error?.code == .outsideRecordFolder)
      #expect(error?.location.path == folder["model/tiny-llama-ctx256-f16.gguf"])
      #expect(error?.remedy.contains("yarn-patch patch \(folder["model/tiny-llama-ctx256-f16.gguf"])`") == true)
    }
    #expect(folder.contents == before)
    #expect(try patch(folder["model"], request(.yarn, 4), output: folder["out"]).verification?.passed == true)
  }

  @Test func `a folder of links into one other folder is patched there`() throws {
    _ = try folder.copy("models/tiny-llama-ctx256", as: "real")
    for name in folder.names { try folder.link("model/\(name.dropFirst("real/".count))", to: "../\(name)") }
    let before = folder.contents
    #expect(try patch(folder["model"], request(.yarn, 4)).undo == folder["real/.yarn-patch-undo"])
    _ = try undoPatch(folder["model"])
    #expect(folder.contents == before)
  }

  @Test func `every interrupted change of a folder is ended, also beside one that cannot be`() throws {
    for name in ["a", "b", "c"] { _ = try folder.copy("gguf/llama-plain.gguf", as: "set/\(name).gguf") }
    let before = folder.contents
    for name in ["a", "c"] { try interrupt(folder["set/\(name).gguf"]) }
    #expect(recover("set") == ["rolled back set/a.gguf", "rolled back set/c.gguf"])
    #expect(folder.contents == before)
    for name in ["a", "b", "c"] { try interrupt(folder["set/\(name).gguf"]) }
    try folder.write([1, 2, 3], to: "set/a.gguf")
    try folder.write([9], to: "set/.b.gguf.yarn-patch.1")
    try folder.write([9], to: "set/.a.gguf.yarn-patch.1")
    #expect(
      recover("set") == [
        "failed changed-since-patch", "rolled back set/b.gguf", "rolled back set/c.gguf",
        "removed set/.b.gguf.yarn-patch.1",
      ])
    #expect(folder.names.contains("set/.a.gguf.yarn-patch.1"), "the file is not whole")
  }

  @Test(arguments: ["model", "model/m.gguf", "names", "names/m.gguf"])
  func `what an interrupted run left is removed`(name: String) throws {
    _ = try folder.copy("gguf/llama-plain.gguf", as: "model/m.gguf")
    try folder.link("names/m.gguf", to: "../model/m.gguf")
    let before = folder.contents
    try folder.write([1], to: "model/.m.gguf.yarn-patch.12345")
    #expect(recover(name) == ["removed model/.m.gguf.yarn-patch.12345"])
    #expect(folder.contents == before)
    try folder.write([1], to: "model/.other.gguf.yarn-patch.12345")
    #expect(recover(name) == (name == "model" ? ["kept model/.other.gguf.yarn-patch.12345"] : []))
    #expect(try folder.bytes("model/.other.gguf.yarn-patch.12345") == [1])
  }
}
