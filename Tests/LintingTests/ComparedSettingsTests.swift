import TestSupport
import Testing

@testable import Linting
@testable import YarnPatch

@Suite struct ComparedSettingsTests {
  @Test(
    arguments: [
      ("llama-plain", "no scaling", "--method none"),
      ("linear", "linear ×4", "--method linear --factor 4"),
      ("yarn-old", "YaRN ×4 from 32768", "--factor 4 --original-context 32768"),
      ("mla-yarn", "YaRN ×40 from 4096", "--factor 40 --original-context 4096 --mscale 1 --mscale-all-dim 1"),
      ("llama3", "llama3 ×8 from 8192", nil),
      ("mrope", "no scaling", "--method none"),
    ] as [(String, String, String?)])
  func `a scaling is named, and the command that gives it`(
    _ name: String, _ phrase: String, _ options: String?
  ) throws {
    let config = try #require(try lintedModel(at: Fixture.path("config/\(name)")).configs.first)
    let settings = try #require(ComparedSettings(config, asConverted: false))
    #expect(settings.phrase == phrase)
    #expect(settings.command(for: "m") == options.map { "yarn-patch patch m \($0)" })
  }

  /// What the converter stores as divisors or drops looks the same in a GGUF, and is told apart between configs.
  @Test(arguments: [
    ("llama3", "longrope", true, false), ("dynamic", "llama-plain", true, false),
    ("linear", "llama-plain", false, false),
    ("yarn-old", "yarn-both-types", true, true),
  ])
  func `kinds that a GGUF cannot tell apart are alike beside one`(
    _ one: String, _ other: String, _ asConverted: Bool, _ amongConfigs: Bool
  ) throws {
    func settings(_ name: String, _ asConverted: Bool) throws -> ComparedSettings {
      let config = try #require(try lintedModel(at: Fixture.path("config/\(name)")).configs.first)
      return try #require(ComparedSettings(config, asConverted: asConverted))
    }
    #expect(try settings(one, true).scales(as: settings(other, true)) == asConverted)
    #expect(try settings(one, false).scales(as: settings(other, false)) == amongConfigs)
  }
}
