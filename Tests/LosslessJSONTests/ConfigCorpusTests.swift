import Diagnostics
import LosslessJSON
import TestSupport
import Testing

@Suite struct ConfigCorpusTests {
  @Test func `real configurations are read, left alone, and laid out as recorded`() throws {
    guard let bytes = Corpus.bytes("facts.json") else { return print(Corpus.absence) }
    let facts = try #require(try JSONDocument(bytes, path: "facts.json")["/files"]?.value.members)
    var counts: [String: Int] = [:]
    for file in facts where file.key.hasSuffix("config.json") {
      let bytes = try #require(Corpus.bytes(file.key))
      let document: JSONDocument
      do {
        document = try JSONDocument(bytes, path: file.key)
      } catch {
        counts["refused as \(error.code.rawValue)", default: 0] += 1
        #expect(file.node.value.fact("json_error") != nil, "\(error)")
        continue
      }
      counts["read", default: 0] += 1
      try check(document, against: file.node.value)
    }
    print("configurations:", counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", "))
    #expect(counts["read", default: 0] > 80)
    #expect(counts["refused as json-syntax"] == 1)
    #expect(counts["refused as git-lfs-pointer"] == 1)
    #expect(counts["refused as json-empty"] == 1)
  }

  private func check(_ document: JSONDocument, against facts: JSONValue) throws {
    let path = document.path
    #expect(facts.fact("json_error") == nil, "\(path)")
    #expect(try JSONEditor(document).edits().isEmpty, "\(path)")
    #expect(document.disagreements == [], "\(path)")
    let lineBreak = ["lf": "\n", "crlf": "\r\n"][facts.fact("newline")?.string ?? ""]
    #expect(document.lineBreak == lineBreak, "\(path)")
    #expect(document.root.value.members?.count == facts.fact("top_level_keys")?.number?.integer, "\(path)")
    #expect(document.keysAreSorted == facts.fact("keys_sorted")?.bool, "\(path)")
    let indent = facts.fact("indent")
    let indentation = indent?.string == "tab" ? "\t" : indent?.number?.integer.map { String(repeating: " ", count: $0) }
    #expect(document.indentation == indentation, "\(path)")
    #expect(document.bareNumbers.isEmpty == facts.fact("non_json_numbers")?.elements?.isEmpty, "\(path)")
    #expect(document.duplicates.isEmpty, "\(path)")
  }

  @Test func `the bare Infinity of a real configuration is recorded`() throws {
    guard let bytes = Corpus.bytes("configs/Nemotron-H-56B-Base-8K/config.json") else { return print(Corpus.absence) }
    let document = try JSONDocument(bytes, path: "config.json")
    #expect(document.bareNumbers == ["/time_step_limit/1"])
  }

  /// A member taken out and put back behind its neighbour gives every byte back, when the neighbour is indented alike.
  @Test func `members of real configurations leave and return`() throws {
    guard let bytes = Corpus.bytes("facts.json") else { return print(Corpus.absence) }
    let facts = try #require(try JSONDocument(bytes, path: "facts.json")["/files"]?.value.members)
    var count = 0
    for file in facts where file.key.hasPrefix("configs/") {
      let bytes = try #require(Corpus.bytes(file.key))
      let document = try JSONDocument(bytes, path: file.key)
      func indentation(_ member: JSONMember) -> Int {
        bytes[..<member.keyRange.lowerBound].reversed().prefix { $0 == 0x20 }.count
      }
      let members = try #require(document.root.value.members)
      for (previous, member) in zip(members, members.dropFirst()) where indentation(previous) == indentation(member) {
        guard member.node.value.elements == nil, member.node.value.members == nil else { continue }
        var removal = try JSONEditor(document)
        try removal.remove(JSONPointer.child(member.key, of: ""))
        let without = try JSONDocument(try #require(try removal.edits().apply(to: bytes)), path: file.key)
        // Keys that are sorted but for this one would take it at another place.
        guard without.keysAreSorted == document.keysAreSorted else { continue }
        var insertion = try JSONEditor(without)
        let value = JSONText.raw(String(decoding: bytes[member.node.range], as: UTF8.self))
        try insertion.insert(member.key, value, into: "", after: [previous.key])
        #expect(try insertion.edits().apply(to: without.bytes) == bytes, "\(file.key) \(member.key)")
        count += 1
      }
    }
    print("members taken out and put back:", count)
    #expect(count > 1500)
  }
}

extension JSONValue {
  func fact(_ name: String) -> JSONValue? { members?.first { $0.key == name }?.node.value }
}
