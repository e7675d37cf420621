import Foundation
import FoundationXML
import Reporting
import TestSupport
import Testing
import YarnPatch

@Suite struct AttentionPlotTests {
  private func svg(_ name: String) throws -> String {
    var options = VerifyOptions()
    options.attention = .full
    let text = AttentionPlot.svg(try verify(Fixture.path(name), options))
    #expect(XMLParser(data: Data(text.utf8)).parse(), "\(text)")
    return text
  }

  @Test func `logits, entropies and cached keys have a plot each, with the trained window marked`() throws {
    let drawn = try svg("config/longrope")
    for text in [
      "logit of an equal key, %", "entropy, nats", "error of cached keys, %", "trained, 4096 tokens",
      "beyond, up to 131072 tokens", "without the attention factor", "at the trained length",
    ] { #expect(drawn.contains(">\(text)<"), "\(text)") }
  }

  @Test func `a model that is not scaled has no window beyond the trained one, and no cache to warn of`() throws {
    let drawn = try svg("models/tiny-llama-ctx256/config.json")
    #expect(drawn.contains(">trained, 256 tokens<") && !drawn.contains("beyond, up to"))
    #expect(!drawn.contains("cached"))
  }

  @Test func `without a table there is a drawing that says so`() throws {
    let drawn = try svg("config/llama-no-theta")
    #expect(drawn.contains("no table follows from the files"))
    #expect(drawn.contains("FAILED: the frequency table can be computed"))
  }

  // MARK: the first layer

  /// The tiny trained model, with changes of its configuration.
  private func weights(_ changes: [(String, String)] = []) throws -> String {
    let folder = try ScratchFolder()
    for file in ["config.json", "model.safetensors"] { _ = try folder.copy("models/tiny-llama-ctx256/\(file)") }
    for (phrase, other) in changes { try folder.replace(phrase, by: other, in: "config.json") }
    var options = VerifyOptions()
    options.attention = .weights
    let text = AttentionPlot.svg(try verify(folder.path, options))
    #expect(XMLParser(data: Data(text.utf8)).parse(), "\(text)")
    return text
  }

  @Test func `the first layer's logits and entropies have a plot each, old and new, with the trained window marked`()
    throws
  {
    let drawn = try weights([
      ("\"max_position_embeddings\": 256", "\"max_position_embeddings\": 1024"),
      (
        "\"rope_scaling\": null",
        "\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4.0, \"original_max_position_embeddings\": 256}"
      ),
    ])
    for text in [
      "logit", "entropy, nats", "mean, unscaled", "largest, unscaled", "mean, as the file says",
      "largest, as the file says", "unscaled", "as the file says", "trained, 256 tokens", "beyond, up to 1024 tokens",
      "at the trained length",
    ] { #expect(drawn.contains(">\(text)<"), "\(text)") }
    #expect(drawn.contains("does not show what later layers make of text"))
    #expect(drawn.contains("nats over 1024 tokens") && drawn.contains("at distances of 512–1023 tokens"))
  }

  @Test func `a first layer without scaling has one setting and nothing beyond`() throws {
    let drawn = try weights()
    #expect(
      drawn.contains(">mean, as the file says<") && !drawn.contains("unscaled") && !drawn.contains("beyond, up to"))
  }

  @Test func `a first layer that cannot be read has a drawing that says why`() throws {
    let drawn = try weights([("\"model_type\": \"llama\"", "\"model_type\": \"llama4\"")])
    #expect(drawn.contains("first layer: not looked at, "))
  }
}
