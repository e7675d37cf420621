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
}
