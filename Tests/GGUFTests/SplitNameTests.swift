import GGUF
import Testing

@Suite struct SplitNameTests {
  @Test(arguments: [
    ("model-00001-of-00003.gguf", "model", 0, 3), ("a-b-Q4_K-00012-of-00012.gguf", "a-b-Q4_K", 11, 12),
    ("m-123456-of-200000.gguf", "m", 123_455, 200_000),
  ]) func `reads the numbers of a name and gives it back`(name: String, prefix: String, index: Int, count: Int) throws {
    let split = try #require(SplitName(fileName: name))
    #expect(split.prefix == prefix)
    #expect(split.index == index)
    #expect(split.count == count)
    #expect(split.name(of: index) == name)
  }

  @Test func `names the other files of a set`() throws {
    let split = try #require(SplitName(fileName: "model-00002-of-00003.gguf"))
    #expect(
      (0..<3).map(split.name) == [
        "model-00001-of-00003.gguf", "model-00002-of-00003.gguf", "model-00003-of-00003.gguf",
      ])
  }

  @Test(arguments: [
    "model.gguf", "model-00000-of-00003.gguf", "model-00004-of-00003.gguf", "model-0001-of-0003.gguf",
    "model-00001-of-00003.safetensors", "model-00001-of-.gguf", "model-+0001-of-00003.gguf", "00001-of-00003.gguf",
    "model-00001-off-00003.gguf", "model-99999999999999999999-of-99999999999999999999.gguf",
  ]) func `other names are none of a set`(name: String) {
    #expect(SplitName(fileName: name) == nil)
  }
}
