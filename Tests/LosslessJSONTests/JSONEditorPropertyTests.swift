import Bytes
import Diagnostics
import LosslessJSON
import TestSupport
import Testing

/// Random documents in random layouts, changed at random places, compared with a table of their leaves.
@Suite struct JSONEditorPropertyTests {
  struct Plan {
    var random: SeededGenerator
    var changes: [Change] = []
    /// Pointer and spelling of every value that must be there afterwards and is not a filled container.
    var leaves: [String: String] = [:]

    mutating func scalar() -> JSONText {
      [.null, .bool(true), .raw("1e-05"), .raw("1000000.0"), .string("\"a\": 1, }"), .array([]), .object([])]
        .randomElement(using: &random) ?? .null
    }

    /// A random object, and what is to become of its members.
    mutating func object(at pointer: String, depth: Int, isKept: Bool) -> JSONText {
      let keys = ["a", "b", "c/d", "e~", "é", "f"].shuffled(using: &random).prefix(
        Int.random(in: 0...5, using: &random))
      var remaining = 0
      let members = keys.map { key in
        let here = JSONPointer.child(key, of: pointer)
        let fate = isKept ? Int.random(in: 0..<6, using: &random) : 9
        let stays = isKept && fate > 1
        let value =
          depth > 0 && Bool.random(using: &random)
          ? object(at: here, depth: depth - 1, isKept: stays) : leaf(at: here, isKept: stays)
        if fate == 0 { changes.append(.remove(here)) }
        if fate == 1 {
          let value = scalar()
          changes.append(.replace(here, value))
          leaves[here] = value.compact
        }
        remaining += isKept && fate > 0 ? 1 : 0
        return (key: key, value: value)
      }
      for key in ["x", "B", "y"] where isKept && Int.random(in: 0..<4, using: &random) == 0 {
        let value = scalar()
        changes.append(.insert(key, value, into: pointer, after: keys.shuffled(using: &random)))
        leaves[JSONPointer.child(key, of: pointer)] = value.compact
        remaining += 1
      }
      if isKept, remaining == 0 { leaves[pointer] = "{}" }
      return .object(members)
    }

    private mutating func leaf(at pointer: String, isKept: Bool) -> JSONText {
      let value = scalar()
      if isKept { leaves[pointer] = value.compact }
      return value
    }
  }

  static func leaves(of node: JSONNode, in document: JSONDocument, at pointer: String = "") -> [String: String] {
    guard let members = node.value.members, !members.isEmpty else {
      return [pointer: String(decoding: document.bytes[node.range], as: UTF8.self)]
    }
    return members.reduce(into: [:]) { result, member in
      let here = JSONPointer.child(member.key, of: pointer)
      result.merge(leaves(of: member.node, in: document, at: here)) { first, _ in first }
    }
  }

  /// The compact text with random white space around its commas, colons and braces.
  static func ragged(_ text: String, _ random: inout SeededGenerator) -> String {
    var result = ""
    var isInString = false
    func space() -> String { ["", " ", "  ", "\n", "\n  ", "\r\n\t", " \n\n "].randomElement(using: &random) ?? "" }
    for (character, next) in zip(text, text.dropFirst() + " ") {
      if character == "\"", result.last != "\\" { isInString.toggle() }
      let isEmpty = "{[".contains(character) && "}]".contains(next)
      result.append(character)
      guard !isInString, !isEmpty, ",:{}".contains(character) || ",:}".contains(next) else { continue }
      result += space()
    }
    return result
  }

  @Test func `random changes to ragged text do what they say and nothing else`() throws {
    for seed in 0..<1500 as Range<UInt64> {
      var plan = Plan(random: SeededGenerator(seed: seed))
      let tree = plan.object(at: "", depth: 3, isKept: true)
      let text = Self.ragged(tree.compact, &plan.random)
      let list = try edits(of: text, plan.changes)
      let result = try apply(list, to: text)
      let document = try JSONDocument(Array(result.utf8), path: "edited.json")
      #expect(Self.leaves(of: document.root, in: document) == plan.leaves, "seed \(seed): \(text) → \(result)")
      // Away from the changes nothing but white space and commas was touched.
      #expect(list.edits.count <= plan.changes.count, "seed \(seed)")
    }
  }

  @Test func `random changes do what they say and nothing else`() throws {
    for seed in 0..<1500 as Range<UInt64> {
      var plan = Plan(random: SeededGenerator(seed: seed))
      let tree = plan.object(at: "", depth: 3, isKept: true)
      let lineBreak = Bool.random(using: &plan.random) ? "\n" : "\r\n"
      let indent = ["", " ", "  ", "   ", "\t"].randomElement(using: &plan.random) ?? ""
      let text =
        Int.random(in: 0..<3, using: &plan.random) == 0 ? tree.compact : tree.pretty(indent: indent, newline: lineBreak)
      let list = try edits(of: text, plan.changes.shuffled(using: &plan.random))
      let result = try apply(list, to: text)
      let document = try JSONDocument(Array(result.utf8), path: "edited.json")
      #expect(Self.leaves(of: document.root, in: document) == plan.leaves, "seed \(seed): \(text) → \(result)")
      // No line mixes styles: a document over lines stays so, one on a line gets no line break.
      #expect(result.utf8.contains(0x0a) == false || text.utf8.contains(0x0a), "seed \(seed)")
      #expect(
        result.utf8.count { $0 == 0x0d } == (lineBreak == "\n" ? 0 : result.utf8.count { $0 == 0x0a }), "seed \(seed)")
      // A document that was set by `pretty` still is: the careful person's text is the regular one.
      if text.utf8.contains(0x0a), !indent.isEmpty, document.indentation != nil {
        #expect(Self.pretty(document.root, indent, lineBreak) == result, "seed \(seed): \(text)")
      }
    }
  }

  static func pretty(_ node: JSONNode, _ indent: String, _ lineBreak: String) -> String {
    text(node).pretty(indent: indent, newline: lineBreak)
  }

  static func text(_ node: JSONNode) -> JSONText {
    switch node.value {
    case .null: .null
    case .bool(let value): .bool(value)
    case .number(let number): .raw(number.text)
    case .string(let string): .string(string)
    case .array(let elements): .array(elements.map(text))
    case .object(let members): .object(members.map { ($0.key, text($0.node)) })
    }
  }
}
