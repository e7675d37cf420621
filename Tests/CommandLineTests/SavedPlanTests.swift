import Foundation
import TestSupport
import Testing

/// `patch --save-plan` and `apply`, as a user and a script meet them.
@Suite struct SavedPlanTests {
  private let folder: ScratchFolder

  init() throws {
    folder = try ScratchFolder([
      "model": Fixture.model, "plain": "config/llama-plain", "m.gguf": "gguf/llama-plain.gguf",
    ])
  }

  private func run(_ arguments: String, in place: String = ".") throws -> Command.Outcome {
    try Command.run(arguments.split(separator: " ").map(String.init), cwd: folder[place])
  }

  @Test(arguments: ["model", "plain", "plain/config.json", "m.gguf", "model/model.safetensors"])
  func `saving writes the plan, and applying it does what patch does`(model: String) throws {
    let before = try folder.state()
    let saved = try run("patch \(model) --factor 4 --save-plan plan.json")
    #expect(saved.exitCode == 0 && saved.errors == "" && saved.output.hasSuffix("yarn-patch apply plan.json\n"))
    let after = try folder.state()
    #expect(after.filter { $0.key != "plan.json" } == before && after["plan.json"] != nil)

    #expect(try run("apply plan.json --dry-run").exitCode == 0 && folder.state() == after)
    let applied = try run("apply plan.json")
    #expect(applied.exitCode == 0 && applied.errors == "")
    let patched = try folder.state()
    #expect(try run("undo \(model)").exitCode == 0 && folder.state() == after)
    let direct = try run("patch \(model) --factor 4")
    #expect(try folder.state() == patched)
    #expect(comparable(direct.output) == comparable(applied.output))
  }

  @Test func `apply prints the document of patch`() throws {
    #expect(try run("patch model --factor 4 --save-plan plan.json --check").exitCode == 1)
    let rehearsed = try run("apply plan.json --dry-run --format json")
    let planned = try run("patch model --factor 4 --dry-run --format json")
    #expect(rehearsed.output == planned.output)
    for isDone in [false, true] {
      let outcome = try run("apply plan.json --format json")
      let document = try expectDocument(outcome.output, Contract.patch)
      #expect(document["/changed"]?.value.bool == !isDone)
      #expect(document["/verified"]?.value.bool == true)
    }
  }

  @Test func `where apply is run from does not matter`() throws {
    try FileManager.default.createDirectory(atPath: folder["a/b"], withIntermediateDirectories: true)
    #expect(try run("patch ../../model --factor 4 --save-plan ../plan.json", in: "a/b").exitCode == 0)
    for (place, plan) in [
      (".", "a/plan.json"), ("a", "plan.json"), ("model", "../a/plan.json"), (".", folder["a/plan.json"]),
    ] {
      #expect(try run("apply \(plan)", in: place).exitCode == 0)
      #expect(try run("undo model").exitCode == 0)
    }
  }

  @Test func `no undo record is kept when none is asked for`() throws {
    #expect(try run("patch plain --factor 4 --save-plan plan.json").exitCode == 0)
    #expect(try run("apply plan.json --no-undo").exitCode == 0)
    #expect(!folder.names.contains { $0.contains("undo") })
  }

  @Test func `a plan of any size or kind is refused in bounded memory and time`() throws {
    try folder.write([UInt8](), to: "huge.json")
    truncate(folder["huge.json"], 1 << 40)
    try folder.write(String(repeating: "[", count: 1 << 20), to: "deep.json")
    let start =
      "{\"schema\": \"yarn-patch.plan/1\", \"model\": \"plain\", \"request\": {\"method\": \"yarn\", \"factor\": 4}, "
    try folder.write(start + "\"files\": [" + String(repeating: "{},", count: 100_000) + "{}]}", to: "many.json")
    try folder.write(
      start + "\"files\": [{\"path\": \"../huge.json\", \"size\": 1099511627776, \"headerSize\": 1099511627776}]}",
      to: "far.json")
    mkfifo(folder["pipe.json"], 0o600)
    for (name, place) in [
      ("huge.json", ""), ("deep.json", "byte 0x"), ("many.json", "at /files/0/path"), ("far.json", "at /files/0/path"),
      ("pipe.json", ""),
    ] {
      try expectRefusal(["apply", name], in: folder, at: place)
    }
  }

  @Test func `a plan whose model was interrupted says how to go on`() throws {
    #expect(try run("patch plain --factor 4 --save-plan plan.json").exitCode == 0)
    #expect(try run("patch plain --factor 4").exitCode == 0)
    // The record as it is while a change is under way; its last line is a digest.
    let record = try folder.text("plain/.yarn-patch-undo").replacingOccurrences(of: "step=done", with: "step=pending")
    let lines = record.split(separator: "\n").dropLast().joined(separator: "\n") + "\n"
    let digest = try Command.run("/bin/sh", ["-c", "sha256sum | cut -c -64"], stdin: lines).output
    try folder.write(lines + "end=" + digest, to: "plain/.yarn-patch-undo")
    try expectRefusal(["apply", "plan.json"], in: folder, file: "plain/.yarn-patch-undo", says: "yarn-patch recover")
  }
}
