import Drawing
import Foundation
import FoundationXML
import RoPE
import TestSupport
import Testing
import YarnPatch

@testable import Reporting
@testable import Runtimes

@Suite struct SpectrumPlotTests {
  /// An element as an XML parser reads it back.
  private struct Element {
    var name: String
    var attributes: [String: String]
    var text = ""
    /// Class of the nearest group around it.
    var group: String?
  }

  private final class Reader: NSObject, XMLParserDelegate {
    var elements: [Element] = []
    var open: [Int] = []

    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      let group = open.reversed().lazy.map { self.elements[$0] }.first {
        $0.name == "g" && $0.attributes["class"] != nil
      }
      open.append(elements.count)
      elements.append(Element(name: name, attributes: attributes, group: group?.attributes["class"]))
    }

    func parser(_ parser: XMLParser, foundCharacters text: String) {
      if let last = open.last { elements[last].text += text }
    }

    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) { open.removeLast() }
  }

  private func parsed(_ svg: String) throws -> [Element] {
    let parser = XMLParser(data: Data(svg.utf8))
    let reader = Reader()
    parser.delegate = reader
    try #require(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "") \(svg)")
    // No coordinate may be anything but a short decimal.
    let names = ["x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "width", "height"]
    for element in reader.elements {
      for (key, value) in element.attributes where names.contains(key) {
        #expect(value.wholeMatch(of: /-?\d+(\.\d{1,2})?/) != nil, "\(element.name) \(key) \(value)")
      }
      if let path = element.attributes["d"] {
        #expect(path.wholeMatch(of: /[MLlmZ\d. -]+/) != nil, "\(path)")
      }
    }
    return reader.elements
  }

  private func reading(
    _ runtime: String, _ scaling: RoPEScaling, base: Double = 10_000, dimension: Int = 64, window: Int? = 1024,
    layerType: String? = nil
  ) -> RuntimeReading {
    var reading = RuntimeReading(runtime, version: "1", layerType: layerType, kind: "default")
    let parameters = RoPEParameters(base: base, rotaryDimension: dimension, scaling: scaling)
    (reading.base, reading.rotaryDimension, reading.contextLength) = (base, dimension, window)
    if case .yarn(let yarn) = scaling {
      reading.kind = "yarn"
      (reading.factor, reading.originalContext) = (yarn.factor, yarn.originalContextLength)
    }
    (reading.parameters, reading.table) = (parameters, FrequencyTable(parameters))
    return reading
  }

  private static let yarn = RoPEScaling.yarn(YaRN(factor: 4, originalContextLength: 256))

  @Test func `points stand at the logarithm of their wavelength`() throws {
    let elements = try parsed(SpectrumPlot.svg([reading("formula", Self.yarn)], model: "m"))
    let circles = elements.filter { $0.name == "circle" && $0.group == "reference" && $0.attributes["r"] != "2.45" }
    let all = elements.filter { $0.name == "circle" && $0.group == "reference" }
    #expect(all.count == 33, "32 pairs and the legend's entry")
    #expect(circles.count <= 33)
    // Wavelengths run from 6.28 to 47117 unscaled and 188469 scaled: an axis from 1 to 10^6, 340 high below y = 34.
    for (pair, circle) in all.prefix(32).enumerated() {
      let wavelength = 2 * Double.pi * Foundation.pow(10_000, Double(pair) / 32)
      let y = 34 + 340 * (1 - Foundation.log10(wavelength) / 6)
      let x = 64 + 680 * (Double(pair) + 0.5) / 32
      #expect(abs((Double(circle.attributes["cy"] ?? "") ?? 0) - y) < 0.006, "pair \(pair)")
      #expect(abs((Double(circle.attributes["cx"] ?? "") ?? 0) - x) < 0.006, "pair \(pair)")
    }
    let last = try #require(
      elements.last { $0.name == "path" && $0.group == "series0" && $0.attributes["d"]?.contains("733.38") == true })
    let top = try #require(last.attributes["d"]?.split(separator: " ")[1].prefix { $0 != "L" }).description
    let y = 34 + 340 * (1 - Foundation.log10(4 * 2 * Double.pi * Foundation.pow(10_000, 31 / 32.0)) / 6)
    #expect(abs((Double(top) ?? 0) - (y - 1.2 * 3.5)) < 0.006)
  }

  @Test func `lengths are lines and bands are shaded by what YaRN does`() throws {
    let elements = try parsed(SpectrumPlot.svg([reading("formula", Self.yarn)], model: "m"))
    let levels = elements.filter { $0.attributes["class"] == "level" }.compactMap { $0.attributes["y1"] }
    let expected = [256.0, 1024].map { (34 + 340 * (1 - Foundation.log10($0) / 6)).coordinate }
    #expect(levels == expected)
    let texts = elements.filter { $0.name == "text" }.map(\.text)
    #expect(texts.contains("trained 256 tokens") && texts.contains("window 1024 tokens"))
    #expect(texts.contains("pair") && texts.contains("tokens per turn"))
    // Of the pairs 1 is kept, 12 are blended and 19 interpolated, as `verify` counts them for this model.
    let bands = (0...2).map { style in
      elements.first { $0.name == "rect" && $0.attributes["class"] == "band\(style)" }?.attributes
    }
    #expect(bands.map { $0?["x"] } == ["64", "85.25", "340.25"])
    #expect(bands.map { $0?["width"] } == ["21.25", "255", "403.75"])
    #expect(texts.filter { ["1 kept", "12 blended", "19 interpolated"].contains($0) }.count == 3)
  }

  @Test func `a description holds the numbers`() throws {
    let elements = try parsed(SpectrumPlot.svg([reading("formula", Self.yarn)], model: "m"))
    #expect(elements[0].name == "svg" && elements[0].attributes["role"] == "img")
    #expect(elements[1].name == "title" && elements[1].text == "RoPE wavelengths of m")
    let description = elements[2].text
    #expect(elements[2].name == "desc")
    for part in [
      "trained 256 tokens", "window 1024 tokens", "1 kept, 12 blended, 19 interpolated", "unscaled: 6.2832, 8.3788,",
      "formula: yarn ×4, attention factor 1: 6.2832,", "188470",
    ] { #expect(description.contains(part), "\(part): \(description)") }
    #expect(elements.contains { $0.name == "style" && $0.text.contains("prefers-color-scheme:dark") })
  }

  @Test func `tables that differ by rounding share an entry, others do not`() throws {
    var rounded = reading("vllm", Self.yarn)
    rounded.table?.inverseFrequencies = reading("", Self.yarn).table?.inverseFrequencies.map { Double(Float($0)) } ?? []
    var louder = reading("sglang", Self.yarn)
    louder.table?.attentionFactor = 1.2
    let other = reading("mlx-lm", .linear(factor: 4), window: 4096)
    let elements = try parsed(SpectrumPlot.svg([reading("formula", Self.yarn), rounded, louder, other], model: "m"))
    let entries = elements.filter { $0.attributes["class"] == "entry" }.map(\.text)
    #expect(entries.contains("formula, vllm: yarn ×4, attention factor 1"))
    #expect(entries.contains("sglang: yarn ×4, attention factor 1.2"))
    #expect(entries.count { $0.contains("mlx-lm") } == 1 && entries.count { $0.hasPrefix("unscaled") } == 1)
    let captions = elements.filter { $0.attributes["class"] == "caption" }.map(\.text)
    #expect(captions.contains("window 1024 tokens (formula, vllm, sglang)"))
    #expect(captions.contains("window 4096 tokens (mlx-lm)"))
  }

  @Test func `each kind of layer has a panel, and a table for all layers is in each`() throws {
    let readings = [
      reading("vllm", .none, layerType: "full_attention"), reading("vllm", Self.yarn, layerType: "sliding_attention"),
      reading("formula", .none, base: 500),
    ]
    let elements = try parsed(SpectrumPlot.svg(readings, model: "m"))
    #expect(
      elements.filter { $0.attributes["class"] == "heading" }.map(\.text) == ["full_attention", "sliding_attention"])
    #expect(elements.count { $0.text.hasPrefix("formula: ") && $0.name == "text" } == 2)
  }

  @Test func `text of a file stays text`() throws {
    let hostile = "<script>alert('x')</script>\"&]]>\u{1b}[2J\u{202E}--><![CDATA["
    var refused = RuntimeReading(hostile, version: nil, kind: "default")
    refused.refused = RuntimeRefusal("Error", hostile)
    let readings = [reading(hostile, Self.yarn, layerType: hostile), refused]
    let elements = try parsed(SpectrumPlot.svg(readings, model: hostile))
    #expect(!elements.contains { $0.name == "script" })
    #expect(elements[1].text == "RoPE wavelengths of \(printable(hostile))")
    #expect(elements.contains { $0.attributes["class"] == "heading" && $0.text == printable(hostile) })
    #expect(elements[2].text.contains("no table, \(printable(hostile))"))
  }

  @Test(arguments: [2, 4, 64, 512]) func `any width and base can be drawn`(dimension: Int) throws {
    for base in [1.0000001, 10_000, 1e15] {
      for window in [nil, 1, Int.max] {
        let elements = try parsed(
          SpectrumPlot.svg(
            [reading("formula", Self.yarn, base: base, dimension: dimension, window: window)], model: "m"))
        #expect(elements.count { $0.group == "series0" && $0.name == "path" } == dimension / 2 + 1, "\(base)")
      }
    }
  }

  @Test func `pairs that do not turn are crosses at the upper edge`() throws {
    let scaling = RoPEScaling.proportional(factor: 2, headDimension: 64)
    let elements = try parsed(SpectrumPlot.svg([reading("formula", scaling, dimension: 16)], model: "m"))
    let crosses = elements.filter { $0.group == "series0" && $0.attributes["d"]?.contains("l") == true }
    #expect(crosses.count == 24 && crosses.allSatisfy { $0.attributes["d"]?.contains(" 30.5l7 7m-7 0l7 -7") == true })
    #expect(elements.contains { $0.name == "text" && $0.text.contains("24 pairs do not turn") })
    #expect(elements[2].text.contains("no turn"))
  }

  @Test func `without any table the reasons remain`() throws {
    var refused = RuntimeReading("vllm", version: nil, kind: "default")
    refused.refused = RuntimeRefusal("ValueError", String(repeating: "long word ", count: 200))
    let elements = try parsed(SpectrumPlot.svg([refused], model: String(repeating: "m", count: 5000)))
    let lines = elements.filter { $0.attributes["class"] == "entry" }.map(\.text)
    #expect(lines.count == 4 && lines[0].hasPrefix("vllm: no table, long word") && lines[3].hasSuffix("…"))
    #expect(lines.allSatisfy { $0.count <= 112 })
    #expect(!elements.contains { $0.name == "circle" })
  }

  @Test func `every runtime's reading of a file is drawn, alike each time`() throws {
    let readings = try tables(Fixture.path("config/gemma3"), runtimes: .all)
    let svg = SpectrumPlot.svg(readings, model: "gemma3")
    #expect(svg == SpectrumPlot.svg(readings, model: "gemma3"))
    let text = try parsed(svg).filter { $0.name == "text" }.map(\.text).joined(separator: "\n")
    for reading in readings { #expect(text.contains(reading.runtime)) }
  }
}
