import Diagnostics
import LosslessJSON
import Testing

@testable import ModelConfig

/// Which of several places that could speak is listened to.
@Suite struct LayoutTests {
  private func first(_ text: String) throws -> RoPEDeclaration {
    let read = try declared(text)
    #expect(read.complaints == [])
    return try #require(read.declarations.first)
  }

  @Test(arguments: [
    ("{\"a\":1,\"a\":1}", "/a"), ("{\"x\":{\"b\":1,\"b\":2}}", "/x/b"),
    ("{\"rope_theta\":1e4,\"vision_config\":{\"rope_theta\":1,\"rope_theta\":2}}", "/vision_config/rope_theta"),
  ]) func `a member stated twice refuses the file, wherever it stands`(_ text: String, _ pointer: String) throws {
    let error = #expect(throws: FileError.self) { try config(text) }
    #expect(error?.code == .duplicateMember && error?.location.key == pointer)
    #expect(error?.location.byteOffset != nil)
  }

  @Test(arguments: ["[]", "null", "1", "\"text\""]) func `only an object is a config`(_ text: String) {
    let error = #expect(throws: FileError.self) { try config(text) }
    #expect(error?.code == .notAnObject)
  }

  static let composite = """
    {"model_type":"outer","rope_theta":1.5,"vision_config":{"rope_theta":2.5,"max_position_embeddings":7},
     "text_config":{"model_type":"inner","rope_theta":3.5,"max_position_embeddings":9,"head_dim":8},
     "empty":{},"list":[1]}
    """

  @Test func `a section can be named`() throws {
    #expect(try config(Self.composite).section == "/text_config")
    #expect(try config(Self.composite).modelType == "inner")
    #expect(try declared(Self.composite).declarations.first?.base?.value == 3.5)
    let vision = try declared(Self.composite, section: "/vision_config")
    #expect(
      vision.claims == [["base=2.5@/vision_config/rope_theta", "context=7@/vision_config/max_position_embeddings"]])
    #expect(try declared(Self.composite, section: "").claims == [["base=1.5@/rope_theta"]])
    // What a section does not say, the outer object may.
    #expect(try declared(Self.composite, section: "/empty").claims == [["base=1.5@/rope_theta"]])
  }

  @Test(arguments: ["/none", "/list", "/rope_theta", "text_config", "/text_config/", "/~2"])
  func `a section that is no object is refused`(_ pointer: String) {
    let error = #expect(throws: FileError.self) { try config(Self.composite, section: pointer) }
    #expect(error?.code == .noSuchSection && error?.location.key == pointer)
  }

  @Test(arguments: [
    ("text_config", "/text_config"), ("llm_config", "/llm_config"), ("language_config", "/language_config"),
    ("language_model_config", "/language_model_config"), ("vision_config", ""), ("audio_config", ""),
    ("talker_config", ""), ("decoder", ""),
  ]) func `the language section is found by its name, and other sections are not`(_ name: String, _ section: String)
    throws
  {
    let text = "{\"vision\":{\"rope_theta\":2},\"\(name)\":{\"rope_theta\":10000.0}}"
    #expect(try config(text).section == section)
    #expect(try declared(text).declarations.first?.base?.value == (section.isEmpty ? nil : 10000))
  }

  @Test func `a text section that says nothing of positions is not the language section`() throws {
    let text = "{\"rope_theta\":10000.0,\"text_config\":{\"model_type\":\"phi3\",\"vocab_size\":9}}"
    #expect(try config(text).section == "")
    #expect(try declared(text).claims == [["base=10000@/rope_theta"]])
  }

  @Test(arguments: [("{\"model_type\":\"persimmon\"}", "/text_config"), ("null", ""), ("[]", "")])
  func `Fuyu looks into its text section alone, where it has one`(_ text: String, _ section: String) throws {
    let read = try declared(
      "{\"model_type\":\"fuyu\",\"rope_theta\":25000.0,\"max_position_embeddings\":16384,\"text_config\":\(text)}")
    #expect(read.claims == [["base=25000@/rope_theta", "context=16384@/max_position_embeddings"]])
    #expect(
      try config("{\"model_type\":\"fuyu\",\"rope_theta\":25000.0,\"text_config\":\(text)}").section == section)
  }

  @Test func `two bases are both kept, the outer one first`() throws {
    let declaration = try first(
      "{\"rope_theta\":1e4,\"rope_scaling\":{\"type\":\"linear\",\"factor\":2,\"rope_theta\":5e5}}")
    #expect(declaration.bases.map(\.value) == [1e4, 5e5])
    #expect(declaration.bases.map(\.place.key) == ["/rope_theta", "/rope_scaling/rope_theta"])
    #expect(declaration.base?.value == 1e4)
    let aliases = try first("{\"rope_theta\":1e6,\"rotary_emb_base\":1e6}")
    #expect(aliases.bases.map(\.place.key) == ["/rope_theta", "/rotary_emb_base"])
  }

  @Test func `the inner original length goes before the outer one`() throws {
    let both = try first(
      """
      {"original_max_position_embeddings":8192,"rope_scaling":{"rope_type":"yarn","factor":4,
       "original_max_position_embeddings":32768}}
      """)
    #expect(both.originalContext?.value == 32768)
    let outer = try first(
      "{\"original_max_position_embeddings\":8192,\"rope_scaling\":{\"rope_type\":\"yarn\",\"factor\":4}}")
    #expect(outer.originalContext?.place.key == "/original_max_position_embeddings")
    // The trace of a static NTK change beside a dictionary that has to say something.
    let unscaled = try first("{\"original_max_position_embeddings\":8192,\"rope_scaling\":{\"rope_type\":\"default\"}}")
    #expect(unscaled.originalContext?.value == 8192)
    let layers = try declared(
      """
      {"original_max_position_embeddings":8192,"rope_parameters":{"full_attention":{"rope_type":"default"},
       "sliding_attention":{"rope_type":"default"},"chunked_attention":{"rope_type":"yarn"}}}
      """)
    let originals = layers.declarations.map { ($0.layerType ?? "", $0.originalContext?.value) }
    #expect(
      Dictionary(uniqueKeysWithValues: originals)
        == ["full_attention": 8192, "sliding_attention": nil, "chunked_attention": 8192])
  }

  @Test func `the newer name of the kind goes before the older one`() throws {
    let declaration = try first("{\"rope_scaling\":{\"type\":\"linear\",\"rope_type\":\"yarn\",\"factor\":2.0}}")
    #expect(declaration.kind?.value == "yarn" && declaration.kind?.place.key == "/rope_scaling/rope_type")
    let older = try first("{\"rope_scaling\":{\"type\":\"linear\",\"rope_type\":null,\"factor\":2.0}}")
    #expect(older.kind?.value == "linear" && older.kind?.place.key == "/rope_scaling/type")
  }

  @Test(arguments: ["null", "{}"]) func `an empty rope_scaling leaves rope_parameters in force`(_ empty: String) throws
  {
    let declaration = try first(
      "{\"rope_scaling\":\(empty),\"rope_parameters\":{\"rope_type\":\"yarn\",\"factor\":2,\"rope_theta\":1e4}}")
    #expect(
      declaration.claims == [
        "kind=yarn@/rope_parameters/rope_type", "base=10000@/rope_parameters/rope_theta",
        "factor=2@/rope_parameters/factor",
      ])
  }

  @Test func `empty dictionaries declare nothing`() throws {
    #expect(try first("{\"rope_scaling\":{},\"rope_parameters\":{}}").claims == [])
    #expect(try first("{}").claims == [])
    #expect(try first("{\"rope_parameters\":{\"full_attention\":null,\"sliding_attention\":null}}").claims == [])
  }

  @Test func `a share of the head inside the dictionary goes before one beside it`() throws {
    let text = "{\"head_dim\":128,\"partial_rotary_factor\":0.5,\"rope_parameters\":{\"partial_rotary_factor\":0.25}}"
    #expect(try first(text).claims == ["head=128@/head_dim", "rotary=32@/rope_parameters/partial_rotary_factor"])
    let perLayer = try declared(
      """
      {"head_dim":128,"partial_rotary_factor":0.5,"layer_types":["a","b"],
       "rope_parameters":{"a":{"partial_rotary_factor":1.0},"b":{"rope_type":"default"}}}
      """)
    #expect(perLayer.declarations.map(\.rotaryDimension?.value) == [128, 64])
  }

  @Test func `the head size is stated, or hidden size over heads, or the two parts of a latent head`() throws {
    #expect(try first("{\"head_dim\":64,\"hidden_size\":2048,\"num_attention_heads\":16}").headDimension?.value == 64)
    #expect(
      try first("{\"head_dim\":null,\"hidden_size\":2048,\"num_attention_heads\":16}").headDimension?.value == 128)
    #expect(try first("{\"dim\":512,\"n_heads\":8}").headDimension?.value == 64)
    #expect(try first("{\"hidden_size\":8,\"num_attention_heads\":16}").headDimension == nil)
    #expect(try first("{\"hidden_size\":2048}").headDimension == nil)
    let latent = try first("{\"qk_rope_head_dim\":64,\"qk_nope_head_dim\":128,\"head_dim\":1000}")
    #expect(latent.claims == ["head=192@/qk_nope_head_dim", "rotary=64@/qk_rope_head_dim", "latent"])
    #expect(
      try first("{\"qk_rope_head_dim\":64}").claims == [
        "head=64@/qk_rope_head_dim", "rotary=64@/qk_rope_head_dim", "latent",
      ])
  }

  @Test func `latent parts of size 0 belong to a model with ordinary heads`() throws {
    let heads = "\"hidden_size\":1280,\"num_attention_heads\":10"
    let ordinary = try first("{\(heads),\"qk_rope_head_dim\":0,\"qk_nope_head_dim\":0}")
    #expect(ordinary.claims == ["head=128@/hidden_size", "rotary=128@/hidden_size"])
    let rotating = try first("{\(heads),\"qk_rope_head_dim\":64,\"qk_nope_head_dim\":0.0}")
    #expect(rotating.claims == ["head=64@/qk_rope_head_dim", "rotary=64@/qk_rope_head_dim", "latent"])
    #expect(try declared("{\(heads),\"qk_rope_head_dim\":-1}").complaints == ["bad-length@/qk_rope_head_dim"])
  }

  @Test(arguments: ConfigKey.partlyRotatingFamilies.sorted())
  func `a family that rotates a part by default has no rotary dimension unless the file says which`(_ family: String)
    throws
  {
    let text = "{\"model_type\":\"\(family)\",\"head_dim\":128"
    #expect(try first(text + "}").claims == ["head=128@/head_dim"])
    #expect(try first(text + ",\"partial_rotary_factor\":0.25}").rotaryDimension?.value == 32)
    #expect(try first(text + ",\"partial_rotary_factor\":1.0}").rotaryDimension?.value == 128)
  }

  @Test(arguments: ConfigKey.windows) func `every name of the window is read, the usual one first`(_ key: String) throws
  {
    #expect(try first("{\"\(key)\":77}").claims == ["context=77@/\(key)"])
    guard key != ConfigKey.maximum else { return }
    let both = try first("{\"\(key)\":77,\"max_position_embeddings\":99}")
    #expect(both.contextLength?.value == 99)
    #expect(try first("{\"\(key)\":77,\"max_position_embeddings\":null}").contextLength?.value == 77)
  }

  @Test(arguments: ["rope_scaling", "rope_parameters"], ["", "text_config"])
  func `as many kinds of layers as no model has are refused`(key: String, section: String) throws {
    func refused(_ count: Int) -> FileError? {
      let kinds = (0..<count).map { "\"\($0)\": {}" }.joined(separator: ", ")
      let text = "{\"\(key)\": {\"rope_type\": \"yarn\", \(kinds)}}"
      do throws(FileError) {
        _ = try config(section.isEmpty ? text : "{\"\(section)\": \(text)}")
        return nil
      } catch { return error }
    }
    #expect(refused(HuggingFaceConfig.maximumLayerTypes) == nil)
    let error = refused(HuggingFaceConfig.maximumLayerTypes + 1)
    #expect(error?.code == .tooManyLayerTypes && error?.location.byteOffset != nil)
    #expect(error?.location.key == (section.isEmpty ? "" : "/\(section)") + "/\(key)")
  }

  @Test(arguments: [
    "\"head_dim\": 65538, \"partial_rotary_factor\": 0.001", "\"hidden_size\": 131076, \"num_attention_heads\": 2",
    "\"qk_rope_head_dim\": 64, \"qk_nope_head_dim\": 65500",
  ]) func `a head longer than any is a problem and no head`(members: String) throws {
    let read = try declared("{\(members)}")
    #expect(read.problems.map(\.code) == [.badRotaryDimension])
    #expect(read.declarations.map(\.headDimension?.value) == [nil])
  }

  @Test(arguments: ConfigKey.baseAliases) func `every name of the base is read`(_ key: String) throws {
    #expect(try first("{\"\(key)\":5000}").claims == ["base=5000@/\(key)"])
    #expect(try first("{\"text_config\":{\"\(key)\":5000}}").claims == ["base=5000@/text_config/\(key)"])
  }

  @Test func `dbrx keeps its base in a section of its own`() throws {
    let declaration = try first(
      "{\"model_type\":\"dbrx\",\"attn_config\":{\"rope_theta\":500000},\"max_seq_len\":32768}")
    #expect(declaration.claims == ["base=500000@/attn_config/rope_theta", "context=32768@/max_seq_len"])
  }

  @Test func `a base for the sliding layers makes two declarations, scaling in the first`() throws {
    let read = try declared(
      """
      {"rope_theta":1e6,"rope_local_base_freq":1e4,"head_dim":8,"max_position_embeddings":64,
       "rope_scaling":{"rope_type":"linear","factor":8.0}}
      """)
    #expect(
      read.claims == [
        [
          "layer=full_attention", "kind=linear@/rope_scaling/rope_type", "base=1000000@/rope_theta",
          "factor=8@/rope_scaling/factor", "context=64@/max_position_embeddings", "head=8@/head_dim",
          "rotary=8@/head_dim",
        ],
        [
          "layer=sliding_attention", "base=10000@/rope_local_base_freq", "context=64@/max_position_embeddings",
          "head=8@/head_dim", "rotary=8@/head_dim",
        ],
      ])
  }

  @Test func `layers take what their dictionary lacks from outside, and keep their own`() throws {
    let read = try declared(
      """
      {"rope_theta":1e4,"layer_types":["x","full_attention","gone"],"max_position_embeddings":99,
       "rope_parameters":{"x":{"rope_theta":5e5},"full_attention":{"rope_type":"yarn","factor":2},"gone":null,
                          "unknown":{"rope_theta":7},"original_max_position_embeddings":50}}
      """)
    #expect(
      read.claims == [
        [
          "layer=full_attention", "kind=yarn@/rope_parameters/full_attention/rope_type", "base=10000@/rope_theta",
          "factor=2@/rope_parameters/full_attention/factor",
          "original=50@/rope_parameters/original_max_position_embeddings", "context=99@/max_position_embeddings",
        ],
        [
          "layer=x", "base=500000@/rope_parameters/x/rope_theta",
          "original=50@/rope_parameters/original_max_position_embeddings", "context=99@/max_position_embeddings",
        ],
      ])
    #expect(read.declarations.map(\.bases.count) == [1, 1])
  }

  @Test(arguments: ["a/b", "~", "~1", "a~b", "/", "a/\u{301}", "~\u{301}"])
  func `a label that a pointer cannot carry plainly is no layer type`(
    _ label: String
  ) throws {
    let read = try declared(
      "{\"layer_types\":[\"\(label)\"],\"rope_parameters\":{\"\(label)\":{\"rope_theta\":7},\"rope_theta\":5e5}}")
    #expect(read.claims == [["base=500000@/rope_parameters/rope_theta"]])
  }

  @Test(arguments: ["", " ", "é", "e\u{301}", "0", String(repeating: "x", count: 10_000)])
  func `odd labels are layer types like others`(_ label: String) throws {
    let read = try declared(
      "{\"layer_types\":[\"\(label)\"],\"rope_parameters\":{\"\(label)\":{\"rope_theta\":7}}}")
    #expect(read.claims == [["layer=\(label)", "base=7@/rope_parameters/\(label)/rope_theta"]])
  }

  @Test(arguments: [
    ("su", "longrope"), ("longrope", "longrope"), ("default", nil), ("none", nil), ("mrope", nil), ("yarn", "yarn"),
    ("YARN", "yarn"), ("deepseek_yarn", "yarn"), ("dynamic", "dynamic"), ("ntk", "ntk"), ("", ""),
  ]) func `kinds have one spelling`(_ spelled: String, _ kind: String?) throws {
    #expect(try first("{\"rope_scaling\":{\"type\":\"\(spelled)\",\"factor\":2}}").scalingKind == kind)
  }

  @Test func `a factor without a kind is no scaling in a config`() throws {
    #expect(try first("{\"rope_scaling\":{\"factor\":2}}").scalingKind == nil)
  }

  @Test(arguments: [
    ("{\"max_position_embeddings\":32768,\"original_max_position_embeddings\":4096}", 8.0),
    ("{\"max_position_embeddings\":4096,\"original_max_position_embeddings\":4096}", nil),
    ("{\"max_position_embeddings\":2048,\"original_max_position_embeddings\":4096}", nil),
    ("{\"max_position_embeddings\":32768}", nil),
    (
      "{\"max_position_embeddings\":8,\"original_max_position_embeddings\":4,\"rope_scaling\":{\"type\":\"yarn\"}}", nil
    ),
  ]) func `a raised base shows in an original length without a kind`(_ text: String, _ factor: Double?) throws {
    #expect(try first(text).staticNTKFactor == factor)
  }
}

/// Models that rotate nothing, and models that only look like them.
@Suite struct WithoutRotationTests {
  @Test(arguments: [
    ("{\"model_type\":\"falcon\",\"alibi\":true}", "not-rope@/alibi"),
    ("{\"model_type\":\"x\",\"use_alibi\":true,\"rope_theta\":1e4}", "not-rope@/use_alibi"),
    ("{\"model_type\":\"mpt\",\"attn_config\":{\"alibi\":true,\"rope_theta\":1e4}}", "not-rope@/attn_config/alibi"),
    ("{\"model_type\":\"bert\",\"alibi_starting_size\":512}", "not-rope@/alibi_starting_size"),
    ("{\"model_type\":\"bert\",\"position_embedding_type\":\"alibi\"}", "not-rope@/position_embedding_type"),
    ("{\"model_type\":\"bert\",\"position_embedding_type\":\"absolute\"}", "not-rope@/model_type"),
    ("{\"model_type\":\"baichuan\",\"hidden_size\":5120}", "not-rope@/hidden_size"),
    ("{\"model_type\":\"baichuan\",\"hidden_size\":2048,\"model_max_length\":4096}", "not-rope@/hidden_size"),
    ("{\"text_config\":{\"model_type\":\"opt\",\"max_position_embeddings\":9}}", "not-rope@/text_config/model_type"),
    ("{\"model_type\":\"opt\",\"text_config\":{\"max_position_embeddings\":9}}", "not-rope@/model_type"),
  ]) func `the place that tells it is named`(_ text: String, _ complaint: String) throws {
    let read = try declared(text)
    #expect(read.declarations.isEmpty && read.complaints == [complaint])
    #expect(read.problems.first?.location.byteOffset != nil)
  }

  @Test(arguments: [
    "{\"model_type\":\"falcon\",\"alibi\":false}", "{\"model_type\":\"falcon\",\"alibi\":null}",
    "{\"model_type\":\"bert\",\"rope_theta\":1e4}", "{\"model_type\":\"bert\",\"rotary_emb_base\":1e4}",
    "{\"model_type\":\"bert\",\"rotary_pct\":0.5}", "{\"model_type\":\"gpt_neo\",\"rotary_dim\":64}",
    "{\"model_type\":\"mpt\",\"attn_config\":{\"alibi\":false,\"rope_theta\":1e4}}",
    "{\"model_type\":\"nemotron_h\",\"rope_parameters\":{\"rope_theta\":1e4}}",
    "{\"model_type\":\"baichuan\",\"hidden_size\":4096}",
    "{\"architectures\":[\"BaiChuanForCausalLM\"],\"model_type\":\"baichuan\",\"hidden_size\":2048}",
    "{\"model_type\":\"baichuan\",\"hidden_size\":5120,\"rope_theta\":1e4}",
    "{\"model_type\":\"xglm-rope\"}", "{\"model_type\":7}", "{}", "{\"alibi_starting_size\":null}",
  ]) func `a file that states a rotation is taken at its word`(_ text: String) throws {
    let read = try declared(text)
    #expect(read.complaints == [] && read.declarations.count == 1)
  }
}
