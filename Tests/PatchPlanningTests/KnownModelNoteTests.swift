import Diagnostics
import LosslessJSON
import ModelConfig
import PatchPlanning
import TestSupport
import Testing

@Suite struct KnownModelNoteTests {
  static func subject(
    _ family: String, window: Int, base: Int, shape: (width: Int, layers: Int), scaling: String = "null"
  ) throws -> ConfigSubject {
    try ConfigSubject(
      """
      {"head_dim": 64, "hidden_size": \(shape.width), "max_position_embeddings": \(window),
       "model_type": "\(family)", "num_hidden_layers": \(shape.layers), "rope_scaling": \(scaling), "rope_theta": \(base)}
      """)
  }

  static func notes(_ subject: ConfigSubject, _ request: PatchRequest) throws -> [String] {
    subject.subject.notes(request, try subject.settings(request))
  }

  static let gptOSS = #"{"rope_type": "yarn", "factor": 32.0, "original_max_position_embeddings": 4096}"#

  @Test(arguments: [(32.0, 0), (4, 1), (64, 1)])
  func `another factor than the trained one is told`(_ factor: Double, count: Int) throws {
    let subject = try Self.subject("gpt_oss", window: 131_072, base: 150_000, shape: (2880, 24), scaling: Self.gptOSS)
    let notes = try Self.notes(subject, request(.yarn, factor))
    #expect(notes.count == count && notes.allSatisfy { $0.contains("trained with yarn scaling ×32") }, "\(notes)")
  }

  @Test(arguments: [PatchMethod.none, .linear, .ntk, .ntkByParts])
  func `another method than the trained one is told`(_ method: PatchMethod) throws {
    let subject = try Self.subject("gpt_oss", window: 131_072, base: 150_000, shape: (2880, 24), scaling: Self.gptOSS)
    let notes = try Self.notes(subject, request(method, 32))
    #expect(notes.count == 1 && notes[0].contains("which this replaces"))
  }

  @Test(arguments: [(PatchMethod.yarn, 4.0, false), (.yarn, 4.5, true), (.ntkByParts, 8, true), (.linear, 8, false)])
  func `a factor beyond the publisher's largest is told`(_ method: PatchMethod, factor: Double, isTold: Bool) throws {
    let subject = try Self.subject("qwen2", window: 32768, base: 1_000_000, shape: (3584, 28))
    let notes = try Self.notes(subject, request(method, factor))
    #expect(notes == (isTold ? notes.filter { $0.contains("×4") && $0.contains("2412.15115") } : []))
    #expect(notes.isEmpty != isTold)
  }

  @Test(arguments: [
    ("qwen2", 131_072, 1_000_000, 3584, 28, 32768), ("qwen2", 1_010_000, 10_000_000, 3584, 28, 262_144),
    ("mistral", 32768, 10000, 4096, 32, 8192), ("qwen3", 40960, 1_000_000, 2560, 36, 32768),
  ])
  func `a window longer than what was trained is told with its reason`(
    _ family: String, window: Int, base: Int, width: Int, layers: Int, trained: Int
  ) throws {
    let subject = try Self.subject(family, window: window, base: base, shape: (width, layers))
    #expect(try subject.settings(request(.yarn, 2)).originalContext == trained)
    let notes = try Self.notes(subject, request(.yarn, 2))
    #expect(notes.count == 1 && notes[0].hasPrefix("original length \(trained), not the stated \(window): "))
    #expect(try Self.notes(subject, request(.yarn, 2) { $0.originalContext = window }).isEmpty)
  }

  @Test(arguments: [
    ("gemma3_text", 131_072, 1_000_000, 2560, 34, #"{"rope_type": "linear", "factor": 8.0}"#, "linear scaling ×8"),
    ("llama", 131_072, 500_000, 4096, 32, "null", "llama3 scaling ×8"),
    ("phi3", 131_072, 10000, 3072, 32, "null", "longrope scaling"),
  ])
  func `weights trained with another scaling are not scaled a second time`(
    _ family: String, window: Int, base: Int, width: Int, layers: Int, scaling: String, named: String
  ) throws {
    let subject = try Self.subject(family, window: window, base: base, shape: (width, layers), scaling: scaling)
    let error = refusal { try subject.settings(request(.yarn, 2)) }
    #expect(error?.code == .trainedScaling && error?.found.contains(named) == true)
    #expect(try subject.settings(request(.yarn, 2) { $0.allowed = ["YP504"] }).originalContext > 0)
  }

  @Test func `the user's table goes before the published one`() throws {
    let subject = try Self.subject("qwen3", window: 40960, base: 1_000_000, shape: (2560, 36))
    let text = """
      {"models": [{"name": "Tuned", "families": ["qwen3"], "window": 40960, "trainedLength": 40960,
        "testedFactor": 2, "source": "measured"}]}
      """
    let models = try KnownModels(try JSONDocument(Array(text.utf8), path: "models.json"))
    let request = request(.yarn, 4) { $0.knownModels = models }
    #expect(try subject.settings(request).originalContext == 40960)
    #expect(
      try Self.notes(subject, request) == [
        "beyond ×2, the largest factor that the publisher of Tuned states (measured)"
      ])
  }
}
