import LosslessJSON
import Reporting
import Runtimes
import TestSupport
import Testing
import YarnPatch

@Suite struct TableReportTests {
  private let readings: [RuntimeReading]

  init() throws { readings = try tables(Fixture.path("config/yarn-old"), runtimes: .all) }

  private func report(_ readings: [RuntimeReading]) throws -> JSONValue {
    try JSONDocument(Array(TableReport.json(readings, model: "m").utf8), path: "table.json").root.value
  }

  @Test func `JSON has exactly the contract's members for every runtime, refused or not`() throws {
    let document = try report(readings)
    #expect(document.members?.map(\.key) == ["schema", "model", "tables"])
    let tables = try #require(document.members?.last?.node.value.elements)
    #expect(tables.count == Runtime.all.count)
    for (table, reading) in zip(tables, readings) {
      let members = try #require(table.value.members)
      #expect(
        members.map(\.key) == [
          "runtime", "version", "layerType", "kind", "rotaryDimension", "base", "factor", "originalContext",
          "inverseFrequencies", "attentionFactor", "softmaxScaleMultiplier", "contextLength", "refused", "notes",
          "startOptions",
        ])
      let values = Dictionary(uniqueKeysWithValues: members.map { ($0.key, $0.node.value) })
      #expect(values["runtime"]?.string == reading.runtime && values["version"]?.string == reading.version)
      let frequencies = values["inverseFrequencies"]?.elements?.compactMap { $0.value.number?.double }
      #expect(frequencies == reading.table?.inverseFrequencies)
      #expect(values["attentionFactor"]?.number?.double == reading.table?.attentionFactor)
      let refused = values["refused"]
      #expect(refused?.members?.map(\.key) ?? [] == (reading.refused == nil ? [] : ["reason"]))
      #expect(refused?.members?.first?.node.value.string == reading.refused?.reason)
      #expect(reading.refused != nil || refused?.isNull == true)
      for (note, told) in zip(reading.notes, values["notes"]?.elements ?? []) {
        #expect(told.value.members?.map(\.key) == ["code", "key", "message"])
        #expect(told.value.members?.first?.node.value.string == note.code)
      }
      #expect(values["notes"]?.elements?.count == reading.notes.count)
    }
    #expect(readings.contains { $0.refused != nil } && readings.contains { !$0.notes.isEmpty })
  }

  @Test func `CSV has a line for each pair of each table`() {
    let lines = TableReport.csv(readings).split(separator: "\n")
    #expect(lines.first == "runtime,version,layer_type,pair,inverse_frequency")
    #expect(lines.count == 1 + readings.reduce(0) { $0 + ($1.table?.inverseFrequencies.count ?? 0) })
    #expect(lines.contains("vllm,0.33.0,,0,1") && lines.contains("formula,,,0,1"))
  }

  @Test func `CSV holds no more lines than it says, and nothing hidden`() {
    var reading = readings[0]
    reading.layerType = "a,\"b\r\n\u{1B}[31m\u{9b}\u{202E}"
    let text = TableReport.csv([reading])
    #expect(text.contains(#","a,""b\r\n\u{1B}[31m\u{009B}\u{202E}",0,1"#))
    #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || 0x20..<0x7f ~= $0.value })
  }

  @Test func `text names runtime, version, notes and the reason for no table`() {
    let text = TableReport.text(readings)
    #expect(text.contains("vllm 0.33.0: yarn ×4, base 1000000, 128 rotating elements, window 131072 tokens\n"))
    #expect(text.contains("\n  ignored-key /rope_theta: "))
    #expect(text.contains("llama.cpp llama-cpp-python-0.3.36: no table, architecture ExampleForCausalLM"))
  }
}
