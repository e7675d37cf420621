import Foundation
import TestSupport
import Testing

/// Places that do not take what is to be written: the files stay as they were.
@Suite struct UnwritableTests {
  @Test(arguments: ["model/config.json", "model"]) func `a folder without the right to write is left alone`(
    path: String
  ) throws {
    let folder = try ScratchFolder(["model/config.json": "config/llama-plain/config.json"])
    guard let through = withoutRights(in: folder) else { return }
    chmod(folder.path, 0o755)
    chmod(folder.path + "/model", 0o555)
    defer { chmod(folder.path + "/model", 0o755) }
    for arguments in [["patch", path, "--factor", "4"], ["patch", path, "--factor", "4", "--no-undo"]] {
      try expectRefusal(
        arguments, in: folder, file: "model/config.json", says: "Permission denied", through: through)
    }
    let plan = try Command.run(["patch", path, "--factor", "4", "--dry-run"], cwd: folder.path)
    #expect(plan.exitCode == 0)
  }

  @Test func `a GGUF without the right to write is left alone`() throws {
    let folder = try ScratchFolder(["m.gguf": "gguf/qwen2-yarn.gguf"])
    guard let through = withoutRights(in: folder) else { return }
    chmod(folder.path, 0o555)
    chmod(folder.path + "/m.gguf", 0o444)
    defer { chmod(folder.path, 0o755) }
    try expectRefusal(
      ["patch", "m.gguf", "--factor", "2", "--attention-factor", "1"], in: folder, says: "Permission denied",
      through: through)
  }

  @Test func `a file without the right to read is named`() throws {
    let folder = try ScratchFolder(["model/config.json": "config/llama-plain/config.json"])
    guard let through = withoutRights(in: folder) else { return }
    chmod(folder.path, 0o755)
    chmod(folder.path + "/model", 0o755)
    chmod(folder.path + "/model/config.json", 0)
    defer { chmod(folder.path + "/model/config.json", 0o644) }
    let outcome = try Command.run(
      (through + [Command.path])[0], (through + [Command.path, "inspect", "model"]).dropFirst() + [], cwd: folder.path)
    #expect(outcome.exitCode == 2 && outcome.output == "")
    #expect(outcome.errors.hasPrefix("yarn-patch: model/config.json: open failed: Permission denied"))
  }

  @Test(arguments: [0, 0o444, 0o111] as [mode_t])
  func `a folder without the right to read stops nothing beside it, and nothing in it is patched`(mode: mode_t) throws {
    let config = "config/llama-plain/config.json"
    let folder = try ScratchFolder(["tree/open/config.json": config, "tree/shut/config.json": config])
    guard let through = withoutRights(in: folder) else { return }
    for path in ["tree", "tree/open"] { chmod(folder[path], 0o755) }
    chmod(folder["tree/shut"], mode)
    defer { chmod(folder["tree/shut"], 0o755) }
    func run(_ arguments: String...) throws -> Command.Outcome {
      let words = through + [Command.path] + arguments
      return try Command.run(words[0], Array(words.dropFirst()), cwd: folder.path)
    }
    let linted = try run("lint", "tree", "--format", "json")
    #expect(linted.exitCode != nil && linted.output.contains(#""summary":{"models":"#))
    let told = linted.output + linted.errors
    #expect(told.contains("tree/shut") && told.contains("Permission denied"), "\(told)")
    let alone = try run("lint", "tree/shut")
    #expect(alone.exitCode != 0 && (alone.output + alone.errors).contains("Permission denied"))
    let patched = try run("patch", "tree/shut", "--factor", "4")
    #expect(patched.exitCode == 2 && patched.output == "" && patched.errors.contains("Permission denied"))
    chmod(folder["tree/shut"], 0o755)
    #expect(try folder.bytes("tree/shut/config.json") == Fixture.bytes(config))
  }

  @Test(arguments: ["config.json", "m.gguf"]) func `a read-only file system is left alone`(file: String) throws {
    guard let disk = try SmallDisk(orSkip: "a read-only file system") else { return }
    _ = try disk.folder.copy(file == "m.gguf" ? "gguf/llama-plain.gguf" : "config/llama-plain/config.json", as: file)
    try disk.makeReadOnly()
    try expectRefusal(["patch", file, "--factor", "4"], in: disk.folder, says: "Read-only file system")
  }

  /// However little room there is, a patch is made whole or not at all, and leaves no half-written file behind.
  @Test(arguments: ["config.json", "m.gguf"], 0...6)
  func `a full disk is left as it was`(file: String, freePages: Int) throws {
    guard let disk = try SmallDisk(orSkip: "a full disk") else { return }
    let folder = disk.folder
    _ = try folder.copy(file == "m.gguf" ? "gguf/llama-plain.gguf" : "config/llama-plain/config.json", as: file)
    try disk.fill(leaving: freePages)
    let before = try folder.state()
    let outcome = try Command.run(["patch", file, "--factor", "4"], cwd: folder.path, limits: .init())
    guard outcome.exitCode != 0 else {
      #expect(freePages > 1)
      #expect(try Command.run(["verify", file, "--context", "16384"], cwd: folder.path).exitCode == 0)
      return
    }
    #expect(freePages < 6, "\(outcome.errors)")
    #expect(outcome.exitCode == 2 && outcome.output == "")
    #expect(outcome.errors.contains("No space left on device"), "\(outcome.errors)")
    #expect(outcome.errors.contains("  the files: "), "\(outcome.errors)")
    #expect(try folder.state() == before)
  }

  /// What to run the command through so that permissions bind it: nothing, or for root a program that drops its rights.
  ///
  /// - Returns: `nil`, with a word about it, where that is not possible.
  private func withoutRights(in folder: ScratchFolder) -> [String]? {
    guard geteuid() == 0 else { return [] }
    guard let setpriv = installed("setpriv", orSkip: "permissions, which do not bind root") else { return nil }
    chmod(folder.path, 0o755)
    let through = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]
    let probe = try? Command.run(through[0], through.dropFirst() + [Command.path, "--version"], cwd: folder.path)
    guard probe?.exitCode == 0 else {
      print("skipped: permissions, which do not bind root, and nobody cannot run the command")
      return nil
    }
    return through
  }
}

/// A file system of 64 KiB in memory, mounted for as long as this lives.
private final class SmallDisk {
  let folder: ScratchFolder
  private let mount: String

  /// - Returns: `nil`, with a word about it, where mounting is not possible.
  init?(orSkip what: String) throws {
    folder = try ScratchFolder()
    guard let mount = installed("mount", orSkip: what) else { return nil }
    self.mount = mount
    let outcome = try Command.run(mount, ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder.path])
    guard outcome.exitCode == 0 else {
      print("skipped: \(what), because mounting one fails here")
      return nil
    }
  }

  deinit { umount2(folder.path, Int32(MNT_DETACH)) }

  func makeReadOnly() throws {
    guard try Command.run(mount, ["-o", "remount,ro", folder.path]).exitCode == 0 else {
      throw Command.Failure(description: "remounting failed")
    }
  }

  /// Takes all room but this many pages of 4 KiB.
  func fill(leaving pages: Int) throws {
    var status = statvfs()
    statvfs(folder.path, &status)
    let free = Int(status.f_bavail) * Int(status.f_frsize)
    try folder.write([UInt8](repeating: 1, count: free - pages * 4096), to: "filler")
  }
}
