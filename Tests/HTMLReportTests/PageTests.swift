import Foundation
import LosslessJSON
import RoPE
import Runtimes
import TestSupport
import Testing
import YarnPatch

@testable import HTMLReport

@Suite struct PageTests {
  private static let model = "models/tiny-llama-ctx256"
  /// With entropies over few keys: their mathematics has tests of its own.
  private static func guided(_ path: String) throws -> Guide {
    try guide(path, context: nil, series: nil, keyElements: 1 << 14)
  }

  /// Each model is read once, for that takes most of the time.
  private static let guides = Task {
    try await withThrowingTaskGroup(of: (String, Guide).self) { group in
      for fixture in fixtures { group.addTask { (fixture, try guided(Fixture.path(fixture))) } }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }

  private static func page(_ fixture: String) async throws -> (guide: Guide, html: String) {
    let guide = try #require(try await guides.value[fixture])
    return (guide, Page.html(guide))
  }

  /// What stands between two texts.
  private static func content(_ html: String, from start: String, to end: String) throws -> String {
    let open = try #require(html.range(of: start))
    let close = try #require(html.range(of: end, range: open.upperBound..<html.endIndex))
    return String(html[open.upperBound..<close.lowerBound])
  }

  private static func data(_ html: String) throws -> JSONDocument {
    let text = try content(html, from: #"<script type="application/json" id="data">"#, to: "</script>")
    return try JSONDocument(Array(text.utf8), path: "data")
  }

  private static let fixtures = [
    model, "config/yarn-old", "config/v5-per-layer", "config/dynamic", "config/linear", "config/llama3",
    "config/longrope", "config/mla-yarn", "config/partial-rotary", "config/bad-base-null", "gguf/qwen2-yarn.gguf",
    "gguf/llama3-freqs.gguf",
  ]

  @Test(arguments: fixtures) func `a page is small, complete and asks for nothing`(fixture: String) async throws {
    let html = try await Self.page(fixture).html
    #expect(html.utf8.count < 500_000)
    #expect(html.hasPrefix("<!DOCTYPE html>") && html.hasSuffix("</html>\n"))
    let script = try #require(html.range(of: "<script type=\"module\">"))
    let markup = html[..<script.lowerBound]
    #expect(!markup.contains("{{"))
    for request in [" src=", "url(", "@import", "http-equiv=\"refresh\"", " style=", " onload=", " onclick="] {
      #expect(!markup.contains(request), "\(request)")
    }
    let links = markup.components(separatedBy: "href=\"").dropFirst()
    #expect(links.allSatisfy { $0.hasPrefix("#") || $0.hasPrefix("data:,\"") })
  }

  @Test(arguments: ["config/yarn-old", model])
  func `the policy allows the page's own style and script by their hashes and nothing else`(fixture: String)
    async throws
  {
    let html = try await Self.page(fixture).html
    let policy = try Self.content(html, from: "Content-Security-Policy\" content=\"", to: "\">")
    let style = try Self.content(html, from: "<style>", to: "</style>")
    let script = try Self.content(html, from: "<script type=\"module\">", to: "</script>")
    #expect(policy.hasPrefix("default-src 'none'; "))
    #expect(policy.contains("style-src '\(Page.hash(style))'; script-src '\(Page.hash(script))';"))
    #expect(!policy.contains("unsafe"))
  }

  @Test(arguments: [
    ("", "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
    ("abc", "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="),
  ]) func `hashes are those that browsers compute`(text: String, hash: String) {
    #expect(Page.hash(text) == hash)
  }

  @Test func `what is put into the template is not looked at again`() {
    #expect(Page.filled("a{{x}}b{{y}}c{{z}}{{", ["x": "{{y}}", "y": "}}"]) == "a{{y}}b}}c{{")
  }

  @Test(arguments: ["config/yarn-old", "config/v5-per-layer", model, "gguf/qwen2-yarn.gguf"])
  func `the data are the library's numbers`(fixture: String) async throws {
    let (guide, html) = try await Self.page(fixture)
    let data = try Self.data(html)
    #expect(data["/schema"]?.value.string == "yarn-patch.report/1")
    for (index, layer) in guide.layers.enumerated() {
      let table = try #require(layer.reading.table)
      #expect(data["/declared/\(index)/attentionFactor"]?.value.number?.double == table.attentionFactor)
      for (pair, frequency) in table.inverseFrequencies.enumerated() {
        #expect(data["/declared/\(index)/inverseFrequencies/\(pair)"]?.value.number?.double == frequency)
      }
    }
    let planned = try #require(guide.planned?.table)
    for (pair, frequency) in planned.inverseFrequencies.enumerated() {
      #expect(data["/methods/YaRN/\(pair)"]?.value.number?.double == frequency)
    }
    let entropies = try #require(guide.curves).entropies
    #expect(!entropies.isEmpty)
    for (index, entropy) in entropies.enumerated() {
      #expect(data["/entropies/\(index)/scaled"]?.value.number?.double == entropy.scaled)
    }
  }

  @Test(arguments: fixtures) func `the setting that a page opens with gives the library's table`(fixture: String)
    async throws
  {
    let guide = try await Self.page(fixture).guide
    for layer in guide.layers {
      guard let knobs = Knobs(layer, context: guide.context) else { continue }
      let table = Formula.read(layer.declaration, sequenceLength: knobs.length).table
      // The softmax multiplier of latent attention is no knob.
      #expect(knobs.parameters.attentionFactor == table?.attentionFactor)
      #expect(FrequencyTable(knobs.parameters).inverseFrequencies == table?.inverseFrequencies)
    }
  }

  @Test(arguments: ["config/llama3", "config/longrope", "gguf/llama3-freqs.gguf"])
  func `a scaling that no knob can say stands beside the methods`(fixture: String) async throws {
    let (guide, html) = try await Self.page(fixture)
    #expect(try Self.data(html)["/beside"]?.value.string == "the files: \(guide.layers[0].reading.kind)")
    let frequency = try #require(guide.layers[0].reading.table?.inverseFrequencies.last)
    #expect(html.contains("<td>\(frequency)</td>"))
  }

  @Test(arguments: [
    ("Qwen3ForCausalLM", "qwen3", "would name this model’s architecture qwen3"),
    ("ExampleForCausalLM", "ARCHITECTURE", "in the place of ARCHITECTURE"),
  ]) func `keys of a GGUF have the architecture that the converter gives`(
    name: String, architecture: String, words: String
  ) throws {
    let folder = try ScratchFolder()
    let config = """
      {"architectures": ["\(name)"], "model_type": "qwen3", "head_dim": 64, "rope_theta": 10000.0,
       "max_position_embeddings": 4096}
      """
    try folder.write(Array(config.utf8), to: "config.json")
    let html = Page.html(try Self.guided(folder.path))
    #expect(try Self.data(html)["/spelling/gguf/factor"]?.value.string == "\(architecture).rope.scaling.factor")
    #expect(html.contains(words))
  }

  @Test func `members of config.json are those of the file's layout`() async throws {
    let html = try await Self.page("config/v5-per-layer").html
    let members = "/spelling/templates/yarn/members/rope_parameters"
    #expect(try Self.data(html)["\(members)/sliding_attention/rope_type"]?.value.string == "default")
    #expect(html.contains("In the layout of this model’s config.json."))
    #expect(try await Self.page("gguf/qwen2-yarn.gguf").html.contains("The model has no config.json here"))
    #expect(try await Self.page("config/llama3").html.contains("No patch is written into this config.json"))
  }

  @Test func `names and values of files stay text`() throws {
    let folder = try ScratchFolder()
    let hostile = "</script><img src=x onerror=alert(1)>\u{2028}&quot;"
    let name = "<b>&\"'"
    let config = """
      {"model_type": \(JSONText.quoted(hostile)), "hidden_size": 64, "num_attention_heads": 1, "rope_theta": 10000.0,
       "max_position_embeddings": 4096, "rope_scaling": {"rope_type": \(JSONText.quoted(hostile)), "factor": 4.0}}
      """
    try folder.write(Array(config.utf8), to: "\(name)/config.json")
    let html = Page.html(try Self.guided("\(folder.path)/\(name)"))
    #expect(!html.contains("<img") && !html.contains("<b>&"))
    #expect(html.contains("&lt;b&gt;&amp;&quot;"))
    let data = try Self.data(html)
    #expect(data["/model"]?.value.string == "\(folder.path)/\(name)")
    #expect(data["/declared/0/kind"]?.value.string == hostile.lowercased())
    #expect(!html.contains("\u{2028}"))
  }

  @Test func `without rotation the order of words is lost, with it it is not`() throws {
    let still = [Double](repeating: 0, count: 4)
    let frequencies = FrequencyTable(RoPEParameters(base: 10_000, rotaryDimension: 64)).inverseFrequencies
    let shares = WordOrder.orders.map { WordOrder.attention($0, still) }
    #expect(shares[0] == shares[1])
    #expect(abs(shares[0].reduce(0, +) - 1) < 1e-15)
    let turned = WordOrder.orders.map { WordOrder.attention($0, frequencies) }
    #expect(zip(turned[0], turned[1]).allSatisfy { abs($0 - $1) > 0.05 })
    // A word's own distance is 0 in both orders, its logit the same as without rotation.
    #expect(turned.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-15 })
  }
}
