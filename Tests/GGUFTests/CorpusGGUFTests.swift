import Bytes
import Diagnostics
import Foundation
import GGUF
import Testing

/// Reads real files, when they are at hand, and compares with what the format's own reader says of them.
///
/// The folder is `YARN_PATCH_CORPUS`, or `../shared/corpus` next to the package.
@Suite struct CorpusGGUFTests {
  static let folder: String = {
    if let path = ProcessInfo.processInfo.environment["YARN_PATCH_CORPUS"] { return path }
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return package.deletingLastPathComponent().appendingPathComponent("shared/corpus").path
  }()

  /// What is known of each file, by its path; `nil` without a corpus.
  static func facts() throws -> [String: [String: Any]]? {
    guard let data = FileManager.default.contents(atPath: folder + "/facts.json") else {
      print("CorpusGGUFTests: no corpus at \(folder), nothing was read")
      return nil
    }
    let facts = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let files = try #require(facts["files"] as? [String: [String: Any]])
    return files.filter { $0.key.hasSuffix(".gguf") || $0.key.hasPrefix("malformed/gguf") }
  }

  static func source(_ path: String) throws -> MemorySource {
    MemorySource([UInt8](try #require(FileManager.default.contents(atPath: "\(folder)/\(path)"))), path: path)
  }

  @Test func `reads real files as gguf-py does`() throws {
    guard let facts = try Self.facts() else { return }
    var read = 0
    for (path, fact) in facts.sorted(by: { $0.key < $1.key }) {
      guard let version = fact["version"] as? Int else { continue }
      let source = try Self.source(path)
      let file = try GGUFFile(source)
      let name = Comment(rawValue: path)
      #expect(Int(file.version) == version, name)
      #expect(file.byteOrder.rawValue == fact["endian"] as? String, name)
      #expect(Int(file.alignment) == fact["alignment"] as? Int, name)
      #expect(Int(file.headerEnd) == fact["header_end_offset"] as? Int, name)
      #expect(Int(file.dataOffset) == fact["data_offset"] as? Int, name)
      #expect(file.metadata.count == fact["n_kv"] as? Int, name)
      #expect(file.tensors.count == fact["n_tensors"] as? Int, name)
      #expect(file.architecture == fact["architecture"] as? String, name)
      let types = try #require(fact["types"] as? [String: String])
      #expect(Dictionary(uniqueKeysWithValues: file.metadata.map { ($0.key, Self.typeName($0.value)) }) == types, name)
      for (key, value) in fact["kv_except_tokenizer"] as? [String: Any] ?? [:] {
        #expect(Self.matches(file[key], value), "\(path) \(key)")
      }
      let tensorTypes = fact["tensor_types"] as? [String: Int] ?? [:]
      #expect(Dictionary(grouping: file.tensors, by: \.type.name).mapValues(\.count) == tensorTypes, name)
      for (tensor, expected) in zip(file.tensors, fact["tensors_first3"] as? [[String: Any]] ?? []) {
        #expect(tensor.name == expected["name"] as? String, name)
        #expect(tensor.dimensions.map(Int.init) == expected["shape"] as? [Int], name)
        #expect(tensor.type.name == expected["type"] as? String, name)
        #expect(Int(file.dataOffset + tensor.offset) == expected["data_offset"] as? Int, name)
      }
      try Self.checkEdits(file, source)
      read += 1
    }
    print("CorpusGGUFTests: \(read) files read")
    #expect(read > 0)
  }

  @Test func `refuses every malformed or outdated file by name`() throws {
    let codes: [String: FileError.Code] = [
      "gguf/history/ggml-vocab-dbrx.duplicate-key.gguf": .ggufDuplicateKey,
      "gguf/history/ggml-vocab-llama.v1-467382.gguf": .ggufVersion,
      "gguf/history/ggml-vocab-llama.v1-595423.gguf": .ggufVersion,
      "gguf/history/test_writer.type13.gguf": .ggufValueType,
      "malformed/gguf/fugg-example.gguf": .ggufOldFormat,
      "malformed/gguf/fugg-vocab-llama.gguf": .ggufOldFormat,
      "malformed/gguf/gridcore-fuzz-bad-version.bin": .ggufVersion,
      "malformed/gguf/gridcore-fuzz-hdr-suppress-eos.gguf": .truncated,
      "malformed/gguf/gridcore-fuzz-hdr-wrap-first-offset.gguf": .truncated,
      "malformed/gguf/gridcore-fuzz-hdr-zero-first-dim.gguf": .ggufDimensions,
      "malformed/gguf/gridcore-fuzz-huge-counts.bin": .ggufCount,
      "malformed/gguf/gridcore-fuzz-kv-arr-huge-n.bin": .ggufCount,
      "malformed/gguf/gridcore-fuzz-kv-huge-strlen.bin": .ggufCount,
      "malformed/gguf/gridcore-fuzz-magic-only.bin": .truncated,
      "malformed/gguf/gridcore-fuzz-tensor-huge-dims.bin": .ggufDimensions,
      "malformed/gguf/gridcore-fuzz-trunc-magic.bin": .truncated,
      "malformed/gguf/lfs-pointer.gguf": .gitLFSPointer,
      "malformed/gguf/microk-tiny.gguf": .ggufCount,
      "malformed/gguf/text-list.gguf": .notGGUF,
      "malformed/gguf/weight-inspect-tiny.gguf": .truncated,
    ]
    guard let facts = try Self.facts() else { return }
    let refused = facts.filter { $0.value["version"] == nil }.keys.sorted()
    for path in refused {
      let source = try Self.source(path)
      let error = #expect(throws: FileError.self, "\(path)") { try GGUFFile(source) }
      #expect(error?.code == codes[path], "\(path): \(error.map(String.init(describing:)) ?? "")")
    }
    print("CorpusGGUFTests: \(refused.count) files refused")
    #expect(refused == codes.keys.sorted())
  }

  /// A YaRN patch of a real file leads to a file that says so, and back.
  private static func checkEdits(_ file: GGUFFile, _ source: MemorySource) throws {
    let prefix = file.architecture ?? "llama"
    let edits = try file.edits(
      setting: [
        ("\(prefix).rope.scaling.type", .string("yarn")), ("\(prefix).rope.scaling.factor", .float32(4)),
        ("\(prefix).context_length", .uint32(131_072)),
      ], removing: ["general.name"], in: source)
    let new = try #require(edits.apply(to: source.bytes))
    let after = try GGUFFile(MemorySource(new))
    #expect(after["\(prefix).rope.scaling.factor"] == .float32(4))
    #expect(after["\(prefix).context_length"] == .uint32(131_072))
    #expect(after["general.name"] == nil)
    #expect(after.tensors.map(\.offset) == file.tensors.map(\.offset))
    #expect(new.dropFirst(Int(after.dataOffset)) == source.bytes.dropFirst(Int(file.dataOffset)))
    #expect(edits.inverse.apply(to: new) == source.bytes)
  }

  private static func typeName(_ value: GGUFValue) -> String {
    if case .array(let array) = value { "ARRAY/\(array.elementType.name)" } else { value.type.name }
  }

  private static func matches(_ value: GGUFValue?, _ expected: Any) -> Bool {
    switch value {
    case .string(let text): text == expected as? String
    case .bool(let bool): bool == expected as? Bool
    case .array(let array): (expected as? [Any]).map { UInt64($0.count) == array.count } ?? true
    case let value?: value.doubleValue == (expected as? NSNumber)?.doubleValue
    case nil: false
    }
  }
}
