import LosslessJSON
import ModelConfig
import TestSupport
import Testing

@testable import Runtimes

@Suite struct `Real configs` {
  /// Files of the collection with what transformers 5.23.0 makes of them.
  private static func facts() throws -> [(path: String, facts: [String: JSONValue])]? {
    guard let bytes = Corpus.bytes("facts.json") else { return nil }
    let files = try #require(try JSONDocument(bytes, path: "facts.json")["/files"]?.value.members)
    return files.compactMap { file in
      let facts = file.node.value.membersByKey
      return facts["kind"]?.string == "config" ? (file.key, facts["transformers"]?.membersByKey ?? [:]) : nil
    }
  }

  @Test func `are loaded as transformers 5 loads them`() throws {
    guard let files = try Self.facts() else { return print(Corpus.absence) }
    var (loaded, tables) = (0, 0)
    for (path, facts) in files {
      guard let bytes = Corpus.bytes(path), let document = try? JSONDocument(bytes, path: path),
        let file = try? HuggingFaceConfig(document), let recorded = facts["rope_parameters"], !recorded.isNull
      else { continue }
      let config = Transformers5Config(file)
      // A composite class takes its text class's defaults when the file has no section for it.
      if facts["class"]?.string != facts["text_class"]?.string, config.sectionPointer.isEmpty { continue }
      loaded += 1
      let layers = config.isNested ? recorded.membersByKey.filter { $0.value.number == nil } : ["": recorded]
      #expect(Set(config.loaded.map { $0.type ?? "" }) == Set(layers.keys), "\(path)")
      for layer in config.loaded { check(layer, layers[layer.type ?? ""] ?? .null, path) }
      if let window = facts["max_position_embeddings"]?.number?.double {
        #expect(config.window?.number == window, "\(path)")
      }
      for reading in Runtime.transformers5.read(.config(file, .init()), .init()) {
        let name = reading.layerType ?? "*"
        guard let table = facts["rope_init"]?.membersByKey[name]?.membersByKey, table["inv_freq_first3"] != nil
        else { continue }
        check(reading, table, path)
        tables += 1
      }
    }
    print("configs of the collection: \(loaded) loaded as transformers loads them, \(tables) scaled tables")
    #expect(loaded > 40 && tables > 8)
  }

  private func check(_ layer: Transformers5Config.Layer, _ recorded: JSONValue, _ path: String) {
    guard let parameters = layer.parameters else {
      #expect(recorded.isNull, "\(path)")
      return
    }
    let members = recorded.membersByKey
    #expect(parameters.string("rope_type") == members["rope_type"]?.string, "\(path)")
    for key in ["rope_theta", "partial_rotary_factor", "original_max_position_embeddings", "factor"] {
      #expect(parameters[key]?.number == members[key]?.number?.double, "\(path) \(key)")
    }
  }

  private func check(_ reading: RuntimeReading, _ recorded: [String: JSONValue], _ path: String) {
    let frequencies = reading.table?.inverseFrequencies ?? []
    #expect(frequencies.count == recorded["n_freq"]?.number?.integer, "\(path)")
    #expect(reading.table?.attentionFactor == recorded["attention_factor"]?.number?.double, "\(path)")
    let pairs = zip(
      frequencies.prefix(3) + frequencies.suffix(3),
      (recorded["inv_freq_first3"]?.doubles ?? []) + (recorded["inv_freq_last3"]?.doubles ?? []))
    for (value, truth) in pairs {
      #expect(abs(value - truth) <= RecordedComparison.tolerance * truth, "\(path)")
    }
  }

  @Test func `have an answer of every runtime`() throws {
    guard let files = try Self.facts() else { return print(Corpus.absence) }
    var counts: [String: Int] = [:]
    for (path, _) in files {
      guard let bytes = Corpus.bytes(path), let document = try? JSONDocument(bytes, path: path),
        let config = try? HuggingFaceConfig(document)
      else { continue }
      for runtime in [Runtime.transformers4, .transformers5, .vllm, .sglang] {
        for reading in runtime.read(.config(config, .init()), .init()) {
          let explained = reading.notes.contains { ["not-computed", "no-rotation"].contains($0.code) }
          #expect(reading.table != nil || reading.refused != nil || explained, "\(runtime.name): \(path)")
          let answer = reading.table != nil ? "tables" : reading.refused != nil ? "refusals" : "without a table"
          counts["\(runtime.name) \(answer)", default: 0] += 1
        }
      }
    }
    print("configs of the collection:", counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" })
    #expect(counts["vllm tables", default: 0] > 40)
  }
}
