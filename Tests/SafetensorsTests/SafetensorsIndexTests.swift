import Diagnostics
import LosslessJSON
import Safetensors
import TestSupport
import Testing

@Suite struct SafetensorsIndexTests {
  static func index(_ text: String) throws(FileError) -> SafetensorsIndex {
    try SafetensorsIndex(document: JSONDocument(Array(text.utf8), path: "model.safetensors.index.json"))
  }

  @Test func `tensors and shards keep their order`() throws {
    let index = try Self.index(
      #"{"metadata": {"total_size": 12.0}, "weight_map": {"b": "2.safetensors", "a": "1.safetensors", "c": "2.safetensors"}}"#
    )
    #expect(
      index.weightMap.map { [$0.tensor, $0.shard] } == [
        ["b", "2.safetensors"], ["a", "1.safetensors"], ["c", "2.safetensors"],
      ])
    #expect(index.shards == ["2.safetensors", "1.safetensors"])
    #expect(index.totalSize == 12)
    #expect(try Self.index(#"{"weight_map": {}}"#).totalSize == nil)
  }

  @Test(arguments: [
    ("[]", "safetensors-index", "/weight_map"), (#"{"weight_map": []}"#, "safetensors-index", "/weight_map"),
    (#"{"weight_map": {"a": 1}}"#, "safetensors-index", "/weight_map/a"),
    (#"{"weight_map": {"a": "x", "a": "x"}}"#, "safetensors-duplicate-name", "/weight_map/a"),
  ])
  func `an index without a usable map is refused`(_ text: String, _ code: String, _ key: String) {
    let error = refusal { () throws(FileError) in try Self.index(text) }
    #expect(error?.code.rawValue == code)
    #expect(error?.location.key == key)
  }

  @Test(arguments: ["", ".", "..", "../x", "/etc/passwd", "a/b", #"a\\b"#, #"a\n"#])
  func `a shard that is not a plain file name is refused`(_ shard: String) {
    let error = refusal { () throws(FileError) in try Self.index("{\"weight_map\": {\"a/b\": \"\(shard)\"}}") }
    #expect(error?.code == .safetensorsShardName)
    #expect(error?.location.key == "/weight_map/a~1b")
  }
}
