import Bytes
import Diagnostics
import LosslessJSON
import PatchPlanning
import Runtimes
import TestSupport
import Testing

@testable import YarnPatch

@Suite struct SavedPlanTests {
  private let folder: ScratchFolder
  private var plan: String { folder["plan.json"] }

  init() throws { folder = try ScratchFolder() }

  private func save(_ fixture: String, _ request: PatchRequest = request(.yarn, 4)) throws -> String {
    let model = try folder.copy(fixture, as: fixture.hasSuffix(".gguf") ? "model.gguf" : "model")
    _ = try savePlan(model, request, to: plan)
    return model
  }

  // MARK: applying

  @Test(arguments: [
    "gguf/llama-plain.gguf", "gguf/llama-plain.big-endian.gguf", "gguf/vocabulary-only.gguf",
    "gguf/deepseek2-yarn.gguf",
    "config/crlf", "config/v5-per-layer", "config/nested-thinker", "config/mla-yarn", "config/qwen3-headroom",
    "models/tiny-llama-ctx256", "safetensors/sharded",
  ])
  func `applying a plan is patching`(fixture: String) throws {
    let model = try save(fixture)
    let before = folder.contents
    let expected = try patch(model, request(.yarn, 4))
    let patched = folder.contents
    #expect(try undoPatch(model).count > 0 && folder.contents == before)

    let saved = try SavedPlan(plan)
    #expect(saved.model == model)
    #expect(try saved.rehearse().files.map(\.changes) == expected.files.map(\.changes))
    #expect(folder.contents == before)
    let outcome = try saved.apply()
    #expect(folder.contents == patched)
    #expect(outcome.verification?.passed == true && outcome.undo == expected.undo)
    #expect(outcome.files.map(\.changes) == expected.files.map(\.changes))

    let again = try SavedPlan(plan).apply()
    #expect(again.plan.changesNothing && again.strategy == "none" && folder.contents == patched)
    _ = try undoPatch(model)
    #expect(folder.contents == before)
  }

  @Test(arguments: PatchMethod.allCases) func `each method is applied, and applied once`(method: PatchMethod) throws {
    let fixture = method == .none ? "config/yarn-old" : "config/llama-plain"
    let model = try save(
      fixture, request(method, 4) { $0.runtimes = [.transformers5] })
    let before = folder.contents
    #expect(try SavedPlan(plan).apply().plan.changesNothing == false)
    let after = folder.contents
    #expect(try SavedPlan(plan).apply().plan.changesNothing && folder.contents == after && after != before)
    #expect(try undoPatch(model).map(\.path) == ["\(model)/config.json"])
  }

  @Test func `a saved plan goes to an output as a patch does`() throws {
    let model = try save("config/llama-plain")
    _ = try SavedPlan(plan).apply(output: folder["out"])
    _ = try patch(model, request(.yarn, 4), keepsUndo: false)
    #expect(try folder.bytes("out/config.json") == folder.bytes("model/config.json"))
  }

  @Test func `a plan without changes is saved, and applied changes nothing`() throws {
    _ = try save("config/llama-plain", request(.none))
    let before = folder.contents
    #expect(try SavedPlan(plan).apply().plan.changesNothing && folder.contents == before)
  }

  @Test func `a plan and its model move together, and a plan serves every copy of a model`() throws {
    let here = try folder.copy("config/llama-plain", as: "here/model")
    _ = try savePlan(here, request(.yarn, 4), to: folder["here/plan.json"])
    try folder.write(folder.bytes("here/plan.json"), to: "there/plan.json")
    _ = try folder.copy("config/llama-plain", as: "there/model")
    let outcome = try SavedPlan(folder["there/plan.json"]).apply()
    #expect(outcome.files.map(\.path) == [folder["there/model/config.json"]])
    #expect(try folder.bytes("here/model/config.json") == Fixture.bytes("config/llama-plain/config.json"))
  }

  @Test func `a plan names its table of known models`() throws {
    let table = try folder.write(
      Array(
        #"{"models": [{"name": "T", "families": ["qwen3"], "window": 40960, "trainedLength": 16384, "source": "s"}]}"#
          .utf8), to: "models.json")
    _ = try save("config/qwen3-headroom", request(.yarn, 4) { $0.knownModels = try! knownModels(table) })
    #expect(try folder.text("plan.json").contains(#""knownModels": "models.json""#))
    #expect(try SavedPlan(plan).apply().plan.settings.originalContext == 16384)
    try folder.write([], to: "models.json")
    #expect(refusal { try SavedPlan(plan) }?.location.path == table)
  }

  @Test func `what turns the direction of writing is visible in a plan`() throws {
    _ = try save("config/llama-plain", request(.yarn, 4) { $0.allowed = ["\u{202e}\u{2028}\u{7f}\u{e0001}"] })
    #expect(try folder.text("plan.json").contains(#""\u202e\u2028\u007f\udb40\udc01""#))
    #expect(try SavedPlan(plan).apply().plan.changesNothing == false)
  }

  // MARK: the plan's own file

  @Test func `a plan takes the place of a plan, and of nothing else`() throws {
    let model = try save("config/llama-plain")
    let first = try folder.bytes("plan.json")
    _ = try savePlan(model, request(.yarn, 8), to: plan)
    #expect(try folder.bytes("plan.json") != first)
    try folder.write(Array("{}".utf8), to: "other.json")
    try folder.link("dangling", to: "nowhere")
    let before = folder.contents
    for name in ["other.json", "model/config.json", "model", "dangling"] {
      #expect(refusal { try savePlan(model, request(.yarn, 4), to: folder[name]) }?.code == .alreadyExists, "\(name)")
    }
    #expect(refusal { try savePlan(model, request(.yarn, 4), to: folder["none/plan.json"]) }?.code == .notFound)
    #expect(refusal { try savePlan(model, request(.yarn, 0), to: folder["new.json"]) } != nil)
    #expect(folder.contents == before)
  }

  @Test func `saving writes the plan alone`() throws {
    let model = try folder.copy("models/tiny-llama-ctx256", as: "model")
    let before = folder.contents
    _ = try savePlan(model, request(.yarn, 4), to: plan)
    #expect(folder.contents.filter { $0.key != "plan.json" } == before)
  }

  // MARK: stale plans

  @Test func `a plan for another header is stale`() throws {
    _ = try save("gguf/llama-plain.gguf")
    let bytes = try folder.bytes("model.gguf")
    let header = try headerSize(of: folder["model.gguf"])
    for offset in stride(from: 0, to: header, by: 7) {
      var changed = bytes
      changed[offset] ^= 1
      try expectStale(changed, "byte \(offset)")
    }
    try expectStale(bytes + [0], "a byte more")
    try expectStale(bytes.dropLast(), "a byte less")
    // A tensor byte is none of a plan's concern.
    var changed = bytes
    changed[bytes.count - 1] ^= 1
    try folder.write(changed, to: "model.gguf")
    #expect(try SavedPlan(plan).apply().verification?.passed == true)
  }

  private func headerSize(of path: String) throws -> Int {
    Int(try inspect(path).model.primary?.gguf?.first.dataOffset ?? 0)
  }

  private func expectStale(_ bytes: some Sequence<UInt8>, _ comment: Comment) throws {
    try folder.write(Array(bytes), to: "model.gguf")
    let before = folder.contents
    let error = refusal { try SavedPlan(plan).apply() }
    #expect(error?.code == .stalePlan && error?.location.path == folder["model.gguf"], comment)
    #expect(error.map { [$0.found, $0.expected, $0.remedy].contains("") } == false, comment)
    #expect(folder.contents == before, comment)
  }

  @Test(arguments: [("551", "552"), (" ", "\n"), ("4096", "4097"), ("}", "")])
  func `a changed config makes a plan stale, also where it no longer reads`(old: String, new: String) throws {
    let model = try save("config/llama-plain")
    var text = try folder.text("model/config.json")
    if let place = text.range(of: old) { text.replaceSubrange(place, with: new) } else { text += " " }
    try folder.write(Array(text.utf8), to: "model/config.json")
    let error = refusal { try SavedPlan(plan).apply() }
    #expect(error?.code == .stalePlan && error?.location.path == "\(model)/config.json")
  }

  @Test func `a file that came to the model is a difference`() throws {
    _ = try save("models/tiny-llama-ctx256")
    try folder.write(folder.bytes("model/tiny-llama-ctx256-f16.gguf"), to: "model/second.gguf")
    #expect(refusal { try SavedPlan(plan).apply() }?.code == .planDiffers)
  }

  @Test func `what another version plans otherwise is a difference that names it`() throws {
    _ = try save("config/llama-plain")
    try folder.replace("\"tool\": \"yarn-patch \(version)\"", by: "\"tool\": \"yarn-patch 9\"", in: "plan.json")
    #expect(try SavedPlan(plan).rehearse().files.count == 1)
    try folder.replace("\"after\": \"16384\"", by: "\"after\": \"16383\"", in: "plan.json")
    let error = refusal { try SavedPlan(plan).apply() }
    #expect(error?.code == .planDiffers && error?.location.key == "/files/0/changes/1/after")
    #expect(error?.remedy.contains("yarn-patch 9") == true)
  }
}
