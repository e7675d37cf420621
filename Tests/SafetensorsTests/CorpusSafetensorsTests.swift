import Bytes
import Diagnostics
import LosslessJSON
import Safetensors
import TestSupport
import Testing

@Suite struct CorpusSafetensorsTests {
  /// The recorded facts of one kind of file.
  static func facts(_ kind: String, suffix: String) throws -> [(path: String, facts: JSONValue)]? {
    guard let bytes = Corpus.bytes("facts.json") else { return nil }
    let files = try #require(try JSONDocument(bytes, path: "facts.json")["/files"]?.value.members)
    return files.filter { $0.node.value.fact("kind")?.string == kind && $0.key.hasSuffix(suffix) }
      .map { ($0.key, $0.node.value) }
  }

  @Test func `real files are read as the reference library reads them`() throws {
    guard let files = try Self.facts("safetensors", suffix: ".safetensors") else { return print(Corpus.absence) }
    var (read, refused) = (0, 0)
    for (path, facts) in files {
      let source = MemorySource(try #require(Corpus.bytes(path)), path: path)
      guard facts.fact("safetensors_error") == nil else {
        let error = refusal { () throws(FileError) in try SafetensorsFile(source) }
        #expect(error?.code == .safetensorsNotCovered, "\(path)")
        refused += 1
        continue
      }
      try check(SafetensorsFile(source), against: facts)
      read += 1
    }
    print("safetensors files: read \(read), refused \(refused)")
    #expect(read > 20 && refused > 0)
  }

  private func check(_ file: SafetensorsFile, against facts: JSONValue) throws {
    func number(_ name: String) -> UInt64? { facts.fact(name)?.number?.integer.map { UInt64($0) } }
    #expect(file.headerLength == number("header_length_field"), "\(file.path)")
    #expect(file.dataOffset == number("data_start"), "\(file.path)")
    #expect(file.headerPadding == number("header_trailing_spaces"), "\(file.path)")
    #expect(UInt64(file.tensors.count) == number("n_tensors"), "\(file.path)")
    let metadata = file.metadata.map { Dictionary(uniqueKeysWithValues: $0.map { ($0.key, $0.value) }) }
    let expected = facts.fact("metadata")?.members.map {
      Dictionary(uniqueKeysWithValues: $0.map { ($0.key, $0.node.value.string ?? "") })
    }
    #expect(metadata == expected, "\(file.path)")
    let dtypes = Dictionary(grouping: file.tensors, by: \.dtype).mapValues(\.count)
    let expectedTypes = facts.fact("dtypes")?.members?.map { ($0.key, $0.node.value.number?.integer ?? 0) }
    #expect(dtypes == expectedTypes.map { Dictionary(uniqueKeysWithValues: $0) }, "\(file.path)")
    for tensor in facts.fact("first3")?.elements ?? [] {
      let ours = file.tensor(named: tensor.value.fact("name")?.string ?? "")
      #expect(ours?.dtype == tensor.value.fact("dtype")?.string, "\(file.path)")
      #expect(
        ours?.shape.map(Int.init) == tensor.value.fact("shape")?.elements?.compactMap(\.value.number?.integer),
        "\(file.path)")
    }
  }

  @Test func `broken downloads are named`() throws {
    guard let files = try Self.facts("safetensors-malformed", suffix: "") else { return print(Corpus.absence) }
    let codes = try files.map { path, _ in
      let source = MemorySource(try #require(Corpus.bytes(path)), path: path)
      return refusal { () throws(FileError) in try SafetensorsFile(source) }?.code
    }
    #expect(Set(codes) == [.gitLFSPointer, .html])
  }

  @Test func `real indices are read as recorded`() throws {
    guard let files = try Self.facts("safetensors-index", suffix: "") else { return print(Corpus.absence) }
    for (path, facts) in files {
      let index = try SafetensorsIndex(document: JSONDocument(#require(Corpus.bytes(path)), path: path))
      #expect(index.weightMap.count == facts.fact("n_weights")?.number?.integer, "\(path)")
      #expect(index.shards.count == facts.fact("n_shards")?.number?.integer, "\(path)")
      #expect(index.shards.min() == facts.fact("first_shard")?.string, "\(path)")
      #expect(index.shards.max() == facts.fact("last_shard")?.string, "\(path)")
      #expect(index.totalSize == facts.fact("metadata")?.fact("total_size")?.number?.integer, "\(path)")
    }
    print("shard indices: read \(files.count)")
    #expect(files.count > 10)
  }
}

extension JSONValue {
  func fact(_ name: String) -> JSONValue? { members?.first { $0.key == name }?.node.value }
}
