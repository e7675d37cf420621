import Bytes
import Diagnostics
import LosslessJSON
import Testing

@testable import ModelConfig

@Suite struct FixtureConfigTests {
  private static let width = ["head=128@/hidden_size", "rotary=128@/hidden_size"]
  private static let plain =
    ["base=10000@/rope_theta", "context=4096@/max_position_embeddings"] + width
  private static func yarn(at dictionary: String, kind: String = "rope_type", factor: Int = 4) -> [String] {
    [
      "kind=yarn@\(dictionary)/\(kind)", "base=1000000@/rope_theta", "factor=\(factor)@\(dictionary)/factor",
      "original=32768@\(dictionary)/original_max_position_embeddings", "context=131072@/max_position_embeddings",
    ]
  }
  private static let stated = ["head=128@/head_dim", "rotary=128@/head_dim"]

  /// What every good fixture declares, member by member.
  static let expected: [String: [[String]]] = [
    "llama-plain": [plain], "llama-no-scaling-key": [plain], "crlf": [plain], "tabs": [plain], "four-spaces": [plain],
    "single-line": [plain], "compact": [plain], "no-trailing-newline": [plain], "unsorted": [plain],
    "infinity-elsewhere": [plain],
    "llama-no-theta": [["context=4096@/max_position_embeddings"] + width],
    "qwen3-headroom": [["base=1000000@/rope_theta", "context=40960@/max_position_embeddings"] + stated],
    "yarn-old": [yarn(at: "/rope_scaling", kind: "type") + width],
    "yarn-both-types": [yarn(at: "/rope_scaling") + width],
    "both-layouts": [yarn(at: "/rope_scaling") + stated],
    "linear": [
      [
        "kind=linear@/rope_scaling/type", "base=10000@/rope_theta", "factor=4@/rope_scaling/factor",
        "context=4096@/max_position_embeddings",
      ] + width
    ],
    "dynamic": [
      [
        "kind=dynamic@/rope_scaling/type", "base=10000@/rope_theta", "factor=2@/rope_scaling/factor",
        "context=4096@/max_position_embeddings",
      ] + width
    ],
    "llama3": [
      [
        "kind=llama3@/rope_scaling/rope_type", "base=500000@/rope_theta", "factor=8@/rope_scaling/factor",
        "original=8192@/rope_scaling/original_max_position_embeddings", "context=131072@/max_position_embeddings",
      ] + stated + ["low=1@/rope_scaling/low_freq_factor", "high=4@/rope_scaling/high_freq_factor"]
    ],
    "longrope": [
      [
        "kind=longrope@/rope_scaling/type", "base=10000@/rope_theta",
        "original=4096@/original_max_position_embeddings", "context=131072@/max_position_embeddings",
        "head=16@/hidden_size", "rotary=16@/hidden_size", "short=8@/rope_scaling/short_factor",
        "long=8@/rope_scaling/long_factor",
      ]
    ],
    "mla-yarn": [
      [
        "kind=yarn@/rope_scaling/type", "base=10000@/rope_theta", "factor=40@/rope_scaling/factor",
        "original=4096@/rope_scaling/original_max_position_embeddings", "context=163840@/max_position_embeddings",
        "head=192@/qk_nope_head_dim", "rotary=64@/qk_rope_head_dim", "betaFast=32@/rope_scaling/beta_fast",
        "betaSlow=1@/rope_scaling/beta_slow", "mscale=1@/rope_scaling/mscale",
        "mscaleAllDim=1@/rope_scaling/mscale_all_dim", "latent",
      ]
    ],
    "partial-rotary": [
      [
        "base=10000@/rope_theta", "context=4096@/max_position_embeddings", "head=128@/head_dim",
        "rotary=64@/partial_rotary_factor",
      ]
    ],
    "rotary-dim": [["context=2048@/n_positions", "head=128@/n_embd", "rotary=64@/rotary_dim"]],
    "gpt-neox": [
      [
        "base=10000@/rotary_emb_base", "context=2048@/max_position_embeddings", "head=128@/hidden_size",
        "rotary=32@/rotary_pct",
      ]
    ],
    "mrope": [
      ["kind=mrope@/rope_scaling/type", "base=1000000@/rope_theta", "context=32768@/max_position_embeddings"] + width
        + ["mrope=[16, 24, 24]@/rope_scaling/mrope_section"]
    ],
    "gpt-oss": [
      [
        "kind=yarn@/rope_scaling/rope_type", "base=150000@/rope_theta", "factor=32@/rope_scaling/factor",
        "original=4096@/rope_scaling/original_max_position_embeddings", "context=131072@/max_position_embeddings",
        "head=64@/head_dim", "rotary=64@/head_dim", "betaFast=32@/rope_scaling/beta_fast",
        "betaSlow=1@/rope_scaling/beta_slow", "truncate=false@/rope_scaling/truncate",
      ]
    ],
    "gemma3": [
      [
        "layer=full_attention", "base=1000000@/rope_theta", "context=32768@/max_position_embeddings",
        "head=256@/head_dim", "rotary=256@/head_dim",
      ],
      [
        "layer=sliding_attention", "base=10000@/rope_local_base_freq", "context=32768@/max_position_embeddings",
        "head=256@/head_dim", "rotary=256@/head_dim",
      ],
    ],
    "nested-text-config": [
      [
        "kind=yarn@/text_config/rope_scaling/rope_type", "base=1000000@/text_config/rope_theta",
        "factor=4@/text_config/rope_scaling/factor",
        "original=32768@/text_config/rope_scaling/original_max_position_embeddings",
        "context=131072@/text_config/max_position_embeddings", "head=128@/text_config/head_dim",
        "rotary=128@/text_config/head_dim",
      ]
    ],
    "nested-llm-config": [
      [
        "kind=dynamic@/llm_config/rope_scaling/type", "base=1000000@/llm_config/rope_theta",
        "factor=2@/llm_config/rope_scaling/factor", "context=4096@/llm_config/max_position_embeddings",
        "head=128@/llm_config/hidden_size", "rotary=128@/llm_config/hidden_size",
      ]
    ],
    "nested-language-config": [
      [
        "base=10000@/language_config/rope_theta", "context=4096@/language_config/max_position_embeddings",
        "head=128@/language_config/hidden_size", "rotary=128@/language_config/hidden_size",
      ]
    ],
    "nested-thinker": [
      [
        "kind=mrope@/thinker_config/text_config/rope_scaling/type",
        "base=1000000@/thinker_config/text_config/rope_theta",
        "context=4096@/thinker_config/text_config/max_position_embeddings",
        "head=128@/thinker_config/text_config/hidden_size", "rotary=128@/thinker_config/text_config/hidden_size",
        "mrope=[16, 24, 24]@/thinker_config/text_config/rope_scaling/mrope_section",
      ]
    ],
    "v5-flat": [
      [
        "kind=default@/rope_parameters/rope_type", "base=1000000@/rope_parameters/rope_theta",
        "context=40960@/max_position_embeddings",
      ] + stated
    ],
    "v5-yarn": [
      [
        "kind=yarn@/rope_parameters/rope_type", "base=1000000@/rope_parameters/rope_theta",
        "factor=4@/rope_parameters/factor", "original=32768@/rope_parameters/original_max_position_embeddings",
        "context=131072@/max_position_embeddings",
      ] + stated
    ],
    "v5-per-layer": [
      [
        "layer=full_attention", "kind=yarn@/rope_parameters/full_attention/rope_type",
        "base=1000000@/rope_parameters/full_attention/rope_theta", "factor=4@/rope_parameters/full_attention/factor",
        "original=32768@/rope_parameters/full_attention/original_max_position_embeddings",
        "context=131072@/max_position_embeddings",
      ] + stated,
      [
        "layer=sliding_attention", "kind=default@/rope_parameters/sliding_attention/rope_type",
        "base=10000@/rope_parameters/sliding_attention/rope_theta", "context=131072@/max_position_embeddings",
      ] + stated,
    ],
  ]

  @Test(arguments: expected.keys.sorted()) func `declares exactly what the file states, each at its place`(
    _ name: String
  ) throws {
    let config = try fixtureConfig(name)
    let read = config.ropeDeclarations()
    #expect(read.complaints == [])
    #expect(read.claims == Self.expected[name])
    for declaration in read.declarations {
      let claims = declaration.claims.joined(separator: " ")
      for (member, place) in declaration.places {
        let pointer = try #require(place.key)
        let node = try #require(config.document[pointer], "\(member)")
        #expect(place.path == name && place.byteOffset == UInt64(node.range.lowerBound), "\(member)")
        #expect(claims.contains("@\(pointer)"), "\(member)")
      }
    }
  }

  @Test func `a file with its base in two layouts names both places, the outer one first`() throws {
    let declaration = try #require(try fixtureConfig("both-layouts").ropeDeclarations().declarations.first)
    #expect(declaration.bases.map(\.place.key) == ["/rope_theta", "/rope_parameters/rope_theta"])
    #expect(declaration.bases.map(\.value) == [1e6, 1e6])
  }

  /// Code, pointer and byte of every bad fixture; text stands for the byte where it is first found.
  static let bad: [(name: String, code: FileError.Code, pointer: String?, byteOf: String?)] = [
    ("bad-empty", .jsonEmpty, nil, nil),
    ("bad-html", .html, nil, "<!DOCTYPE"),
    ("bad-lfs-pointer", .gitLFSPointer, nil, "version"),
    ("bad-bom", .byteOrderMark, nil, nil),
    ("bad-array", .notAnObject, nil, "["),
    ("bad-duplicate-members", .duplicateMember, "/rope_scaling", "\"rope_scaling\": {"),
    ("bad-nan-base", .badBase, "/rope_theta", "NaN"),
    ("bad-base-null", .badBase, "/rope_theta", "null,\n  \"tie"),
    ("bad-base-text", .badBase, "/rope_theta", "\"10000.0\""),
    ("bad-base-zero", .badBase, "/rope_theta", "0.0,"),
    ("bad-base-negative", .badBase, "/rope_theta", "-10000.0"),
    ("bad-factor-zero", .badNumber, "/rope_scaling/factor", "0.0,"),
    ("bad-factor-huge", .badNumber, "/rope_scaling/factor", "1e309"),
    ("bad-odd-rotary", .badRotaryDimension, "/head_dim", "63,"),
  ]

  @Test(arguments: bad) func `refuses a bad file with code, pointer and byte`(
    _ name: String, _ code: FileError.Code, _ pointer: String?, _ byteOf: String?
  ) throws {
    let bytes = try fixture("config/\(name)/config.json")
    var error: FileError?
    do throws(FileError) {
      let read = try HuggingFaceConfig(try JSONDocument(bytes, path: name)).ropeDeclarations()
      #expect(read.problems.count == 1)
      error = read.problems.first
    } catch let refusal {
      error = refusal
    }
    let found = try #require(error)
    #expect(found.code == code)
    #expect(found.location.path == name && found.location.key == pointer)
    let wanted = Array((byteOf ?? "").utf8)
    let offset = (0...bytes.count - wanted.count).first { bytes[$0...].starts(with: wanted) }
    #expect(found.location.byteOffset == offset.map(UInt64.init))
    #expect(!found.found.isEmpty && !found.expected.isEmpty && !found.remedy.isEmpty)
  }

  @Test(arguments: [
    ("bert", "/model_type", "bert uses learned position embeddings"),
    ("alibi-bloom", "/model_type", "bloom uses ALiBi"),
    ("alibi-mpt", "/attn_config/alibi", "mpt uses ALiBi"),
    ("learned-gpt2", "/model_type", "gpt2 uses learned position embeddings"),
    ("t5", "/model_type", "t5 uses relative position biases"),
  ]) func `a model without rotation is refused by name`(_ name: String, _ pointer: String, _ found: String) throws {
    let config = try fixtureConfig(name)
    let read = config.ropeDeclarations()
    #expect(read.declarations.isEmpty)
    #expect(read.complaints == ["not-rope@\(pointer)"])
    let problem = try #require(read.problems.first)
    #expect(problem.found.hasPrefix(found))
    #expect(problem.location.byteOffset == config.document[pointer].map { UInt64($0.range.lowerBound) })
  }

  @Test func `every fixture has its expectation`() throws {
    let names = try fixtureNames("config")
    let refused = ["bert", "alibi-bloom", "alibi-mpt", "learned-gpt2", "t5"]
    #expect(names == (Self.expected.keys + Self.bad.map(\.name) + refused).sorted())
  }
}
