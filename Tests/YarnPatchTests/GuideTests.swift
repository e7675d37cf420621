import Diagnostics
import TestSupport
import Testing
import YarnPatch

@Suite struct GuideTests {
  @Test(
    arguments: [
      ("models/tiny-llama-ctx256", nil, 1024), ("models/tiny-llama-ctx256", 512, 512),
      ("config/yarn-old", nil, 131_072),
      ("config/dynamic", nil, nil), ("config/llama3", nil, 131_072),
    ] as [(String, Int?, Int?)]) func `the length to explain is the scaled window, or four times an unscaled one`(
      fixture: String, asked: Int?, context: Int?
    ) throws
  {
    let guide = try guide(Fixture.path(fixture), context: asked)
    #expect(guide.context == context ?? guide.layers[0].reading.contextLength)
    #expect(guide.planned?.table != nil)
    #expect(guide.readings.contains { $0.runtime == "vllm" })
  }

  @Test func `a value that no equation can use is on the page, not in the way`() throws {
    let guide = try guide(Fixture.path("config/bad-base-null"))
    #expect(!guide.verification.passed && guide.planned == nil && guide.curves == nil)
    #expect(throws: FileError.self) { _ = try guide.advice.get() }
  }

  @Test(arguments: ["config/learned-gpt2", "config/bad-html", "safetensors/missing"])
  func `what states no settings has no page`(fixture: String) {
    #expect(throws: FileError.self) { _ = try guide(Fixture.path(fixture)) }
  }

  @Test func `a page replaces an older page and nothing else`() throws {
    let folder = try ScratchFolder()
    let page = "<!DOCTYPE html>\n<title>a</title>"
    try write(page: page, to: folder["page.html"])
    try write(page: page + "2", to: folder["page.html"])
    #expect(try folder.text("page.html") == page + "2")
    try folder.write(Array("GGUF".utf8), to: "model.gguf")
    let error = try #require(throws: FileError.self) { try write(page: page, to: folder["model.gguf"]) }
    #expect(error.code == "already-exists")
    #expect(try folder.text("model.gguf") == "GGUF")
  }
}
