import Diagnostics
import Foundation
import ModelConfig
import PatchPlanning
import TestSupport
import Testing

/// Files that the fixtures do not have: layouts half filled, settings in unusual places.
@Suite struct LayoutTests {
  private func difference(_ text: String, _ request: PatchRequest) throws -> String {
    lineDifference(from: text, to: try patched(text, request))
  }

  @Test(arguments: [
    ("null", ["\"rope_type\": \"yarn\"", "\"factor\": 2.0", "\"original_max_position_embeddings\": 4096"]),
    ("{}", ["\"factor\": 2.0", "\"original_max_position_embeddings\": 4096", "\"rope_type\": \"yarn\""]),
  ])
  func `the dictionary that is there is filled, whichever layout it belongs to`(
    _ empty: String, members: [String]
  ) throws {
    let text = """
      {
        "head_dim": 64,
        "max_position_embeddings": 4096,
        "rope_parameters": \(empty),
        "rope_theta": 10000.0
      }

      """
    #expect(
      try difference(text, request(.yarn, 2)) == """
        -  "max_position_embeddings": 4096,
        -  "rope_parameters": \(empty),
        +  "max_position_embeddings": 8192,
        +  "rope_parameters": {
        +    \(members.joined(separator: ",\n+    "))
        +  },
        """)
  }

  @Test func `null beside a filled new dictionary stays null`() throws {
    let text = Fixture.replacing(
      try Fixture.config("v5-yarn"),
      [("  \"sliding_window\": null,", "  \"rope_scaling\": null,\n  \"sliding_window\": null,")])
    let new = try patched(text, request(.yarn, 8))
    #expect(new.contains("\"rope_scaling\": null") && new.contains("\"factor\": 8.0"))
  }

  @Test func `every name of the window that has its value is raised, others stay`() throws {
    let text = """
      {
        "head_dim": 64,
        "max_position_embeddings": 4096,
        "seq_length": 4096,
        "model_max_length": 2048,
        "rope_theta": 10000.0
      }

      """
    let there = """
      -  "max_position_embeddings": 4096,
      -  "seq_length": 4096,
      +  "max_position_embeddings": 8192,
      +  "seq_length": 8192,
      """
    #expect(try difference(text, request(.yarn, 2)).hasPrefix(there))
    let scaled = try patched(text, request(.yarn, 2))
    let back = try patched(scaled, request(.none))
    #expect(back.contains("\"max_position_embeddings\": 4096") && back.contains("\"seq_length\": 4096"))
    #expect(back.contains("\"model_max_length\": 2048"))
  }

  @Test func `an outer original length follows, so that no reader finds two`() throws {
    let text = """
      {
        "head_dim": 64,
        "max_position_embeddings": 16384,
        "original_max_position_embeddings": 4096,
        "rope_scaling": {
          "rope_type": "yarn",
          "factor": 4.0
        },
        "rope_theta": 10000.0
      }

      """
    let new = try patched(text, request(.yarn, 4) { $0.originalContext = 2048 })
    #expect(new.contains("  \"original_max_position_embeddings\": 2048,"))
    #expect(new.contains("    \"original_max_position_embeddings\": 2048"))
    #expect(!new.contains("4096"))
  }

  static let composite = """
    {
      "model_type": "example_vl",
      "rope_scaling": {
        "type": "yarn",
        "factor": 4.0,
        "original_max_position_embeddings": 4096
      },
      "text_config": {
        "head_dim": 64,
        "max_position_embeddings": 4096,
        "rope_theta": 10000.0
      }
    }

    """

  @Test func `scaling goes into the language section, where readers look, and not to its namesake outside`() throws {
    #expect(
      try difference(Self.composite, request(.yarn, 2)) == """
        -    "max_position_embeddings": 4096,
        +    "max_position_embeddings": 8192,
        +    "rope_scaling": {
        +      "rope_type": "yarn",
        +      "factor": 2.0,
        +      "original_max_position_embeddings": 4096
        +    },
        """)
  }

  @Test func `--section chooses the object`() throws {
    let text = """
      {
        "decoder": {
          "head_dim": 64,
          "max_position_embeddings": 4096,
          "rope_theta": 10000.0
        },
        "text_config": {
          "head_dim": 64,
          "max_position_embeddings": 1024,
          "rope_theta": 10000.0
        }
      }

      """
    let wanted = """
      -    "max_position_embeddings": 4096,
      +    "max_position_embeddings": 8192,
      +    "rope_scaling": {
      +      "rope_type": "yarn",
      +      "factor": 2.0,
      +      "original_max_position_embeddings": 4096
      +    },
      """
    #expect(try difference(text, request(.yarn, 2) { $0.section = "/decoder" }) == wanted)
    #expect(try patched(text, request(.yarn, 2)).contains("\"max_position_embeddings\": 2048"))
    for section in ["/encoder", "decoder", "/decoder/head_dim"] {
      let error = refusal("\(section)") { try patched(text, request(.yarn, 2) { $0.section = section }) }
      #expect(error?.code == .noSuchSection && error?.location.key == section)
    }
  }

  @Test func `the whole document can be named as the section`() throws {
    let text = Fixture.replacing(
      Self.composite, [("\"model_type\"", "\"head_dim\": 64,\n  \"max_position_embeddings\": 16384,\n  \"model_type\"")]
    )
    let asked = request(.yarn, 8) {
      $0.section = ""
      $0.base = 10_000
    }
    let new = try patched(text, asked)
    #expect(new.contains("\"factor\": 8.0") && new.contains("  \"max_position_embeddings\": 32768,"))
    #expect(new.contains("    \"max_position_embeddings\": 4096,"))
  }

  private func perLayer(_ labels: [String]) -> String {
    let dictionaries = labels.map { "    \"\($0)\": {\"rope_type\": \"default\", \"rope_theta\": 10000.0}" }
    return """
      {
        "head_dim": 64,
        "max_position_embeddings": 4096,
        "rope_parameters": {
      \(dictionaries.joined(separator: ",\n"))
        }
      }

      """
  }

  @Test func `with one dictionary for each kind of layer only full attention is scaled`() throws {
    #expect(
      try difference(perLayer(["sliding_attention", "full_attention"]), request(.yarn, 2)) == """
        -  "max_position_embeddings": 4096,
        +  "max_position_embeddings": 8192,
        -    "full_attention": {"rope_type": "default", "rope_theta": 10000.0}
        +    "full_attention": {"rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 4096, \
        "rope_theta": 10000.0}
        """)
  }

  @Test(arguments: [["sliding_attention", "chunked_attention"], ["sliding_attention"]])
  func `without a dictionary for full attention nothing is guessed`(_ labels: [String]) throws {
    let error = refusal { try patched(perLayer(labels), request(.yarn, 2)) }
    #expect(error?.code == .noFullAttention && error?.location.key == "/rope_parameters")
    #expect(labels.allSatisfy { error?.found.contains($0) == true })
  }

  @Test func `an old dictionary beside one for each kind of layer changes both`() throws {
    let text = Fixture.replacing(
      perLayer(["full_attention", "sliding_attention"]),
      [
        (
          "  \"rope_parameters\"",
          "  \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2.0},\n  \"rope_theta\": 10000.0,\n  \"rope_parameters\""
        )
      ])
    let new = try patched(text, request(.yarn, 4))
    #expect(new.components(separatedBy: "\"factor\": 4.0").count == 3)
    #expect(new.contains("\"sliding_attention\": {\"rope_type\": \"default\", \"rope_theta\": 10000.0}"))
  }

  @Test func `a shared original length of all layers follows`() throws {
    let text = Fixture.replacing(
      perLayer(["full_attention"]),
      [
        ("    \"full_attention\"", "    \"original_max_position_embeddings\": 4096,\n    \"full_attention\""),
        ("\"rope_type\": \"default\"", "\"rope_type\": \"yarn\", \"factor\": 4.0"),
        ("4096,\n  \"rope", "16384,\n  \"rope"),
      ])
    let new = try patched(text, request(.yarn, 4) { $0.originalContext = 2048 })
    #expect(new.contains("    \"original_max_position_embeddings\": 2048,\n"))
    #expect(!new.contains("4096"))
  }

  @Test func `text that only looks like a setting stays`() throws {
    let text = """
      {
        "comment": "\\"max_position_embeddings\\": 4096, \\"rope_scaling\\": null",
        "head_dim": 64,
        "max_position_embeddings": 4096,
        "vision": {"max_position_embeddings": 4096, "rope_scaling": null, "rope_theta": 1E4},
        "rope_theta": 1E+4
      }
      """
    let new = try patched(text, request(.yarn, 2))
    #expect(new.contains("\"comment\": \"\\\"max_position_embeddings\\\": 4096, \\\"rope_scaling\\\": null\""))
    #expect(
      new.contains("\"vision\": {\"max_position_embeddings\": 4096, \"rope_scaling\": null, \"rope_theta\": 1E4}"))
    #expect(new.contains("\"rope_theta\": 1E+4"))
  }
}
