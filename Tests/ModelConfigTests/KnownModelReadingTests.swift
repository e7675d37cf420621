import Diagnostics
import LosslessJSON
import TestSupport
import Testing

@testable import ModelConfig

@Suite struct KnownModelReadingTests {
  static func models(_ text: String) throws(FileError) -> KnownModels {
    try KnownModels(try JSONDocument(Array(text.utf8), path: "models.json"))
  }

  static func entry(_ members: String) -> String {
    #"{"models": [{"name": "Mine", "families": ["qwen3"], "source": "measured", \#(members)}]}"#
  }

  @Test func `an entry of the user's goes before the published one`() throws {
    let models = try Self.models(Self.entry(#""window": 40960, "trainedLength": 16384, "testedFactor": 2.5"#))
    var stated = RoPEDeclaration()
    stated.contextLength = Declared(40960, at: SourceLocation(path: "config.json"))
    stated.base = Declared(1_000_000, at: SourceLocation(path: "config.json"))
    let model = models.model(family: "qwen3", stating: ModelTraits(stated, shape: nil))
    #expect(model?.name == "Mine" && model?.trainedLength == 16384 && model?.testedFactor == 2.5)
    #expect(models.model(family: "qwen3_moe", stating: ModelTraits(stated, shape: nil))?.name == "Qwen3")
    #expect(models.all.count == KnownModels.published.all.count + 1)
  }

  @Test func `every member is read`() throws {
    let text = Self.entry(
      """
      "window": 8, "trainedLength": 4, "base": 1e4, "shapes": [[2, 3], [4, 5]], "note": "why",
      "trainedScaling": {"kind": "yarn", "factor": 2}
      """)
    let expected = KnownModel(
      name: "Mine", families: ["qwen3"], window: 8, base: 10000,
      shapes: [ModelShape(width: 2, layers: 3), ModelShape(width: 4, layers: 5)], trainedLength: 4,
      trainedScaling: .init(kind: "yarn", factor: 2), note: "why", source: "measured")
    #expect(try Self.models(text).all.first == expected)
    #expect(try Self.models(#"{"models": []}"#).all == KnownModels.published.all)
  }

  @Test(arguments: [
    ("[]", "/models"), ("{}", "/models"), (#"{"models": {}}"#, "/models"), (#"{"models": [], "x/y": 1}"#, "/x~1y"),
    (#"{"models": [1]}"#, "/models/0"), (#"{"models": [{}]}"#, "/models/0/name"),
    (#"{"models": [{"name": "a", "name": "b"}]}"#, "/models/0/name"),
    (#"{"models": [{"name": "", "source": "x"}]}"#, "/models/0/name"),
    (#"{"models": [{"name": "a", "families": []}]}"#, "/models/0/families"),
    (#"{"models": [{"name": "a", "families": ["b", 3]}]}"#, "/models/0/families/1"),
    (entry(#""trainedLength": 4"#), "/models/0/window"),
    (entry(#""window": 8.5, "trainedLength": 4"#), "/models/0/window"),
    (entry(#""window": 8, "trainedLength": 0"#), "/models/0/trainedLength"),
    (entry(#""window": 8, "trainedLength": 4294967296"#), "/models/0/trainedLength"),
    (entry(#""window": 8, "trainedLength": 4, "base": 1"#), "/models/0/base"),
    (entry(#""window": 8, "trainedLength": 4, "base": 1e999"#), "/models/0/base"),
    (entry(#""window": 8, "trainedLength": 4, "base": NaN"#), "/models/0/base"),
    (entry(#""window": 8, "trainedLength": 4, "testedFactor": 0.5"#), "/models/0/testedFactor"),
    (entry(#""window": 8, "trainedLength": 4, "shapes": [[1, 2], [3]]"#), "/models/0/shapes/1"),
    (entry(#""window": 8, "trainedLength": 4, "trainedScaling": "yarn""#), "/models/0/trainedScaling"),
    (entry(#""window": 8, "trainedLength": 4, "trainedScaling": {"factor": 4}"#), "/models/0/trainedScaling/kind"),
    (entry(#""window": 8, "trainedLength": 4, "note": null"#), "/models/0/note"),
    (entry(#""window": 8, "trainedLenght": 4"#), "/models/0/trainedLenght"),
  ])
  func `a file that is no such table is refused by place`(_ text: String, _ pointer: String) throws {
    let error = #expect(throws: FileError.self) { try Self.models(text) }
    #expect(error?.code == .badKnownModel && error?.location.key == pointer, "\(error.map(\.description) ?? "")")
  }
}
