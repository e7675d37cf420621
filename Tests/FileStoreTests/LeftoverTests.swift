import Bytes
import Diagnostics
import Testing

@testable import FileStore

@Suite struct LeftoverTests {
  let folder = TemporaryFolder()
  let transaction = Transaction(tool: "test")

  @Test(arguments: [
    (".m.gguf.yarn-patch.1", "m.gguf"), (".a.yarn-patch.b.yarn-patch.12-3", "a.yarn-patch.b"),
    (".m.yarn-patch-undo.yarn-patch.7", "m.yarn-patch-undo"), ("m.gguf.yarn-patch.1", nil), (".yarn-patch.1", nil),
    (".m.yarn-patch.", nil), (".m.yarn-patch.x", nil), (".m.yarn-patch.1-", nil), (".m.yarn-patch.1-2-3", nil),
    (".m.yarn-patch.1.gguf", nil), (".m.yarn-patch-undo", nil),
  ])
  func `a leftover has a name of our own pattern`(name: String, file: String?) {
    #expect(Sibling.fileName(from: name) == file)
    #expect(UndoRecord.isOurs(name) == (file != nil || name.hasSuffix(".yarn-patch-undo")))
  }

  @Test func `what the dead left is removed, and nothing else`() throws {
    for name in ["m", "n", "busy", ".m.yarn-patch.1", ".m.yarn-patch.2-1", ".n.yarn-patch.1", ".gone.yarn-patch.1"] {
      try folder.write(name, [1])
    }
    try folder.write(".m.yarn-patch-undo.yarn-patch.1", [1])
    try folder.write(".busy.yarn-patch.1", [1])
    try folder.link(".n.yarn-patch.2", to: "m")
    try folder.link(".gone.yarn-patch.2", to: "m")
    try folder.link(".away.yarn-patch.1", to: "m")
    try folder.link("away", to: "nowhere")
    let holder = try FileSource(folder["busy"])
    #expect(try holder.file.lock())
    let some = transaction.leftovers(in: folder.path, of: ["m"])
    #expect(some == [folder[".m.yarn-patch.1"], folder[".m.yarn-patch.2-1"]])
    #expect(transaction.remove(leftovers: some) == [])
    #expect(transaction.leftovers(in: folder.path, of: ["m"]) == [])
    let all = transaction.leftovers(in: folder.path)
    #expect(all.count == 7)
    #expect(transaction.remove(leftovers: all) == [folder[".gone.yarn-patch.1"]])
    #expect(
      folder.names() == [
        ".away.yarn-patch.1", ".busy.yarn-patch.1", ".gone.yarn-patch.1", ".gone.yarn-patch.2", "away", "busy", "m",
        "n",
      ])
    withExtendedLifetime(holder) {}
  }

  @Test func `a leftover in use stays`() throws {
    try folder.write("m", [1])
    try folder.write(".m.yarn-patch.1", [1])
    let holder = try FileSource(folder[".m.yarn-patch.1"])
    #expect(try holder.file.lock())
    #expect(transaction.remove(leftovers: transaction.leftovers(in: folder.path)) == [])
    #expect(folder.leftovers() == [".m.yarn-patch.1"])
    withExtendedLifetime(holder) {}
  }
}
