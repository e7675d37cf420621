import Diagnostics
import LosslessJSON
import Testing

@testable import ModelConfig

/// One member at a time of a good config is replaced by something else.
@Suite struct CorruptedMemberTests {
  /// What stands in the member's place, as JSON text.
  static let literals = [
    "null", "\"4\"", "0", "-1", "1e309", "NaN", "Infinity", "-Infinity", "[]", "{}", "true", "0.5", "1.5",
    "9223372036854775808", "1e-320",
  ]

  struct Member: Sendable, CustomTestStringConvertible {
    var pointer: String
    var code: FileError.Code
    /// The literals that are good enough; all others are a problem.
    var accepted: Set<String>
    /// A config with `@` where the member's value goes.
    var template: String
    var testDescription: String { pointer }
  }

  private static let positive: Set = ["null", "0.5", "1.5", "9223372036854775808", "1e-320"]
  private static let finite = positive.union(["0", "-1"])

  private static func top(_ key: String) -> String {
    let others = [
      "rope_theta": "1000000.0", "max_position_embeddings": "131072", "hidden_size": "2048",
      "num_attention_heads": "16", "model_type": "\"llama\"",
    ].filter { $0.key != key }.sorted { $0.key < $1.key }
    return "{\"\(key)\":@" + others.map { ",\"\($0.key)\":\($0.value)" }.joined() + "}"
  }

  private static func inner(_ key: String, in dictionary: String = "rope_scaling") -> String {
    let others = ["rope_type": "\"yarn\"", "factor": "4.0", "original_max_position_embeddings": "32768"].filter {
      $0.key != key
    }.sorted { $0.key < $1.key }
    let members = others.map { ",\"\($0.key)\":\($0.value)" }.joined()
    return """
      {"rope_theta":1000000.0,"max_position_embeddings":131072,"head_dim":128,"\(dictionary)":{"\(key)":@\(members)}}
      """
  }

  static let members: [Member] =
    ["rope_scaling", "rope_parameters"].map {
      Member(pointer: "/\($0)", code: .badDictionary, accepted: ["null", "{}"], template: top($0))
    }
    + ["short_factor", "long_factor", "mrope_section"].map {
      Member(
        pointer: "/rope_scaling/\($0)", code: .badNumber, accepted: ["null", "[]"], template: inner($0))
    }
    + [
      "rope_theta", "rotary_emb_base", "rope_base", "rope_embedding_base", "global_rope_theta", "rope_local_base_freq",
    ]
    .map { Member(pointer: "/\($0)", code: .badBase, accepted: ["1.5", "9223372036854775808"], template: top($0)) }
    + [
      "max_position_embeddings", "n_positions", "seq_length", "hidden_size", "num_attention_heads", "head_dim",
      "rotary_dim",
    ].map {
      Member(pointer: "/\($0)", code: .badLength, accepted: ["null"], template: top($0))
    }
    + ["original_max_position_embeddings"].map {
      Member(pointer: "/\($0)", code: .badLength, accepted: ["null"], template: top($0))
    }
    + ["partial_rotary_factor", "rotary_pct", "rope_pct", "rotary_percent", "rotary_emb_fraction"].map {
      Member(pointer: "/\($0)", code: .badRotaryDimension, accepted: ["null", "0.5"], template: top($0))
    }
    + ["rope_scaling", "rope_parameters"].flatMap { dictionary in
      [
        ("rope_theta", .badBase, ["1.5", "9223372036854775808"]),
        ("factor", .badNumber, positive.subtracting(["null"])),
        ("original_max_position_embeddings", .badLength, ["null"]),
        ("beta_fast", .badNumber, positive), ("beta_slow", .badNumber, positive),
        ("low_freq_factor", .badNumber, positive), ("high_freq_factor", .badNumber, positive),
        ("attention_factor", .badNumber, positive.union(["0"])),
        ("mscale", .badNumber, finite), ("mscale_all_dim", .badNumber, finite),
        ("truncate", .badNumber, ["null", "true"]),
        ("rope_type", .badNumber, ["null", "\"4\""]), ("type", .badNumber, ["null", "\"4\""]),
        ("partial_rotary_factor", .badRotaryDimension, ["null", "0.5"]),
      ].map { (key: String, code: FileError.Code, accepted: Set<String>) in
        // The older name of the kind is looked at where the newer one is absent.
        let template = inner(key, in: dictionary).replacing(key == "type" ? ",\"rope_type\":\"yarn\"" : "@@", with: "")
        return Member(pointer: "/\(dictionary)/\(key)", code: code, accepted: accepted, template: template)
      }
    }

  @Test(arguments: members) func `a member that no runtime can use is a problem at its place, and nothing else is`(
    _ member: Member
  ) throws {
    for literal in Self.literals {
      let config = try config(member.template.replacing("@", with: literal))
      let read = config.ropeDeclarations()
      let bases = read.declarations.flatMap(\.bases).map { "@\($0.place.key ?? "")" }
      let claims = (read.claims.joined() + bases).filter { $0.hasSuffix("@\(member.pointer)") }
      if member.accepted.contains(literal) {
        #expect(read.complaints == [], "\(literal)")
        // null and an empty dictionary are as good as absent, everything else is declared.
        #expect(claims.isEmpty == ["null", "{}"].contains(literal), "\(literal)")
      } else {
        #expect(read.complaints == ["\(member.code.rawValue)@\(member.pointer)"], "\(literal)")
        #expect(claims.isEmpty, "\(literal)")
        let offset = config.document[member.pointer].map { UInt64($0.range.lowerBound) }
        #expect(read.problems.first?.location.byteOffset == offset, "\(literal)")
      }
    }
  }

  @Test(arguments: [
    ("{\"head_dim\":63}", "bad-rotary-dimension@/head_dim"),
    ("{\"head_dim\":1}", "bad-rotary-dimension@/head_dim"),
    ("{\"head_dim\":128,\"rotary_dim\":129}", "bad-rotary-dimension@/rotary_dim"),
    ("{\"head_dim\":128,\"rotary_dim\":130}", "bad-rotary-dimension@/rotary_dim"),
    ("{\"head_dim\":128,\"rotary_dim\":3}", "bad-rotary-dimension@/rotary_dim"),
    ("{\"head_dim\":100,\"partial_rotary_factor\":0.25}", "bad-rotary-dimension@/partial_rotary_factor"),
    ("{\"qk_rope_head_dim\":63,\"qk_nope_head_dim\":128}", "bad-rotary-dimension@/qk_rope_head_dim"),
    ("{\"hidden_size\":2880,\"num_attention_heads\":64}", "bad-rotary-dimension@/hidden_size"),
  ]) func `an odd rotary dimension, or one above the head, is a problem`(_ text: String, _ complaint: String) throws {
    let read = try declared(text)
    #expect(read.complaints == [complaint])
    #expect(read.declarations.first?.rotaryDimension == nil)
  }

  @Test(arguments: [
    ("short_factor", "1,null", 1), ("long_factor", "1e309", 0), ("long_factor", "1,2,\"3\"", 2),
    ("short_factor", "NaN", 0), ("mrope_section", "16,24.5", 1), ("mrope_section", "-1", 0),
    ("mrope_section", "1e300", 0), ("long_factor", "[1]", 0),
  ]) func `an element that is no usable number is a problem at its index`(_ key: String, _ list: String, _ index: Int)
    throws
  {
    let read = try declared("{\"rope_scaling\":{\"\(key)\":[\(list)]}}")
    #expect(read.complaints == ["bad-number@/rope_scaling/\(key)/\(index)"])
    #expect(read.claims == [[]])
  }

  @Test func `problems come in file order, one for each place`() throws {
    let read = try declared(
      """
      {"rope_parameters":{"full_attention":{"factor":0},"sliding_attention":{"rope_theta":0}},"num_attention_heads":0,
       "hidden_size":-1,"max_position_embeddings":true}
      """)
    #expect(
      read.complaints == [
        "bad-number@/rope_parameters/full_attention/factor", "bad-base@/rope_parameters/sliding_attention/rope_theta",
        "bad-length@/num_attention_heads", "bad-length@/hidden_size", "bad-length@/max_position_embeddings",
      ])
  }

  @Test func `a message quotes no more than the beginning of a value`() throws {
    for value in [String(repeating: "9", count: 5000), "\"" + String(repeating: "x", count: 5000) + "\""] {
      let read = try declared("{\"max_position_embeddings\":\(value)}")
      #expect(try #require(read.problems.first).description.utf8.count < 300)
    }
  }

  @Test(arguments: ["v5-per-layer", "mla-yarn", "gemma3", "longrope"])
  func `no value in any place is fatal, and every problem names a place that exists`(_ name: String) throws {
    let good = try fixtureConfig(name)
    let leaves = Self.leaves(of: good.document.root).dropFirst()  // the document itself stays an object
    #expect(leaves.count > 10)
    for leaf in leaves {
      for literal in ["null", "\"4\"", "0", "-1", "1e309", "NaN", "{}", "[1e309]", "{\"full_attention\":{}}"] {
        let text =
          Array(good.document.bytes[..<leaf.lowerBound]) + Array(literal.utf8)
          + good.document.bytes[leaf.upperBound...]
        let config = try HuggingFaceConfig(try JSONDocument(text, path: name))
        for problem in config.ropeDeclarations().problems {
          let pointer = try #require(problem.location.key)
          #expect(config.document[pointer] != nil, "\(pointer) \(literal)")
        }
      }
    }
  }

  private static func leaves(of node: JSONNode) -> [Range<Int>] {
    switch node.value {
    case .object(let members): [node.range] + members.flatMap { leaves(of: $0.node) }
    case .array(let elements): [node.range] + elements.flatMap { leaves(of: $0) }
    default: [node.range]
    }
  }
}
