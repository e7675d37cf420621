import TestSupport
import Testing
import YarnPatch

@Suite struct LibraryExampleTests {
  @Test func `the README's example extends a model`() throws {
    let folder = try ScratchFolder(["model": Fixture.model])
    #expect(try extend(folder["model"]) == "from 256 to 1024 tokens, 44 checks hold")
    #expect(try inspect(folder["model"]).model.primary?.declaration?.contextLength?.value == 1024)
    #expect(try undoPatch(folder["model"]).count == 2)
  }
}
