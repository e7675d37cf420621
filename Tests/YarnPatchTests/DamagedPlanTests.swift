import Diagnostics
import Foundation
import LosslessJSON
import TestSupport
import Testing

@testable import YarnPatch

/// Plans that were cut, altered or forged: refused, and the model stays.
@Suite struct DamagedPlanTests {
  private let folder: ScratchFolder
  private var plan: String { folder["plan.json"] }
  private let text: String
  private let before: [String: [UInt8]]

  init() throws {
    folder = try ScratchFolder()
    _ = try folder.copy("config/qwen3-headroom", as: "model")
    _ = try folder.copy("gguf/llama-plain.gguf", as: "other/model.gguf")
    // An option of each type, a note, and a change that has no before.
    let request = request(.yarn, 4) {
      ($0.truncate, $0.base, $0.runtimes) = (true, 1_000_000, [.vllm, .transformers4])
      $0.allowed = ["YP504"]
    }
    _ = try savePlan(folder["model"], request, to: folder["plan.json"])
    text = try folder.text("plan.json")
    before = folder.contents.filter { $0.key != "plan.json" }
  }

  /// What happens to a plan of this text: an error, or the patch that was saved, which is taken back.
  private func attempt(_ text: some StringProtocol) throws -> FileError? {
    try folder.write(Array(text.utf8), to: "plan.json")
    do throws(FileError) { _ = try SavedPlan(plan).apply() } catch {
      #expect(![error.location.path, error.found, error.expected, error.remedy].contains(""))
      #expect(folder.contents.filter { $0.key != "plan.json" } == before)
      return error
    }
    _ = try undoPatch(folder["model"])
    #expect(folder.contents.filter { $0.key != "plan.json" } == before)
    return nil
  }

  @Test func `every beginning of a plan is refused`() throws {
    let end = text.utf8.count - 1
    for length in 0..<end {
      let error = try attempt(String(decoding: Array(text.utf8.prefix(length)), as: UTF8.self))
      #expect(error?.location.path == plan && error?.location.byteOffset != nil, "\(length) bytes")
    }
    #expect(try attempt(text.dropLast()) == nil)
  }

  @Test func `white space, line ends and the order of members are nobody's concern`() throws {
    #expect(try attempt(text.replacingOccurrences(of: "\n", with: "\r\n")) == nil)
    let json = try JSONSerialization.jsonObject(with: Data(text.utf8))
    // Foundation spells no number of this plan otherwise.
    let other = try JSONSerialization.data(withJSONObject: json, options: [.sortedKeys, .withoutEscapingSlashes])
    #expect(try attempt(String(decoding: other, as: UTF8.self)) == nil)
  }

  /// Each value by each other kind of value and by a near one, gone, and twice.
  @Test func `every altered member is refused`() throws {
    let document = try JSONDocument(Array(text.utf8), path: "plan")
    var count = 0
    for (pointer, node) in Self.nodes(document.root, at: "") {
      let old = String(decoding: document.bytes[node.range], as: UTF8.self)
      var others = ["null", "false", "-1", "1e999", "9007199254740993", "\"\"", "\"x\"", "[]", "{}", "[\(old)]"]
      switch node.value {
      case .number(let number): others += ["\(number.text).0", "\(number.double + 1)", "\"\(number.text)\""]
      case .string: others += [String(old.dropLast()) + " \"", "\"\\u0000\"", "\"..\"", "\"/etc/passwd\""]
      case .bool(let value): others.append("\(!value)")
      default: break
      }
      for other in others where other != old {
        let error = try attempt(Self.replacing(node.range, in: text, by: other))
        // The tool's name is for people, and a refusal that does not come up is allowed under any name.
        let isFree =
          ["/tool", "/request/allowed/0"].contains(pointer) && other.hasPrefix("\"") && !other.contains("\\u0000")
        #expect((error == nil) == isFree, "\(pointer) \(other): \(error?.description ?? "applied")")
        count += 1
      }
    }
    print("altered plans refused: \(count)")
  }

  @Test func `every missing, added or doubled member is refused`() throws {
    let document = try JSONDocument(Array(text.utf8), path: "plan")
    for (pointer, node) in Self.nodes(document.root, at: "") {
      guard let members = node.value.members, let first = members.first else { continue }
      for member in members {
        let whole = member.keyRange.lowerBound..<member.node.range.upperBound
        let value = String(decoding: document.bytes[whole], as: UTF8.self)
        #expect(try attempt(Self.replacing(whole, in: text, by: "\"new\": 0")) != nil, "\(pointer) \(value)")
        #expect(try attempt(Self.replacing(whole, in: text, by: "\(value), \(value)"))?.code == .badPlan, "\(value)")
      }
      let start = first.keyRange.lowerBound..<first.keyRange.lowerBound
      #expect(try attempt(Self.replacing(start, in: text, by: "\"new\": null, ")) != nil, "\(pointer)")
    }
  }

  @Test(
    arguments: [
      ("\"path\": \"config.json\"", "\"path\": \"../other/model.gguf\"", "/files/0/path"),
      ("\"path\": \"config.json\"", "\"path\": \"/etc/passwd\"", "/files/0/path"),
      ("\"path\": \"config.json\"", "\"path\": \"./config.json\"", "/files/0/path"),
      ("\"headerSize\": 628", "\"headerSize\": 9223372036854775807", "/files/0/headerSize"),
      ("\"headerSize\": 628", "\"headerSize\": 18446744073709551616", "/files/0/headerSize"),
      ("\"headerSize\": 628", "\"headerSize\": -1", "/files/0/headerSize"),
      ("\"size\": 628", "\"size\": 1e300", "/files/0/size"),
      ("\"schema\": \"yarn-patch.plan/1\"", "\"schema\": 1", "/schema"),
      ("yarn-patch.plan/1", "yarn-patch.plan/2", "/schema"),
      ("\"vllm@0.33.0\",", "\"vllm@99\",", "/request/runtimes/0"),
      ("\"method\": \"yarn\",\n    \"factor\"", "\"method\": \"magic\",\n    \"factor\"", "/request/method"),
    ])
  func `a forged plan is refused at the member`(old: String, new: String, place: String) throws {
    let range = try #require(text.range(of: old))
    let error = try attempt(text.replacingCharacters(in: range, with: new))
    #expect(error?.code == .badPlan && error?.location.key == place, "\(error?.description ?? "applied")")
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>)
  func `damage at random is refused or of no consequence`(seed: UInt64) throws {
    var generator = SeededGenerator(seed: seed)
    for round in 0..<60 {
      let bytes = generator.mutation(of: Array(text.utf8), inserting: Array("{}[]\",:0 9e-\\u\n".utf8) + [0, 0xff])
      try folder.write(bytes, to: "plan.json")
      guard (try? SavedPlan(plan).apply()) != nil else { continue }
      _ = try undoPatch(folder["model"])
      #expect(folder.contents.filter { $0.key != "plan.json" } == before, "seed \(seed), round \(round)")
    }
    #expect(folder.contents.filter { $0.key != "plan.json" } == before, "seed \(seed)")
  }

  @Test(arguments: ["model/config.json", "other/model.gguf", "model", "nowhere"])
  func `what is no plan is not applied`(name: String) {
    #expect(refusal { try SavedPlan(folder[name]) } != nil)
  }

  /// Each value with its pointer, the outermost first.
  private static func nodes(_ node: JSONNode, at pointer: String) -> [(String, JSONNode)] {
    let children: [(String, JSONNode)] =
      node.value.members?.map { (JSONPointer.child($0.key, of: pointer), $0.node) }
      ?? node.value.elements?.enumerated().map { ("\(pointer)/\($0)", $1) } ?? []
    return [(pointer, node)] + children.flatMap { nodes($1, at: $0) }
  }

  private static func replacing(_ range: Range<Int>, in text: String, by other: String) -> String {
    var bytes = Array(text.utf8)
    bytes.replaceSubrange(range, with: other.utf8)
    return String(decoding: bytes, as: UTF8.self)
  }
}
