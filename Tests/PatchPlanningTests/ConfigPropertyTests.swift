import LosslessJSON
import ModelConfig
import PatchPlanning
import TestSupport
import Testing

/// What holds for every config.json, every method and every factor.
@Suite struct ConfigPropertyTests {
  /// Fixtures that a patch takes, with what each needs to be told.
  static let fixtures: [String] = {
    let refused: Set = ["alibi-bloom", "alibi-mpt", "bert", "learned-gpt2", "t5"]
    return ((try? Fixture.names(in: "config")) ?? []).filter { !$0.hasPrefix("bad-") && !refused.contains($0) }
  }()

  static let factors = [1, 2, 4, 7.5, 7.3]

  private func request(_ fixture: String, _ method: PatchMethod, _ factor: Double) -> PatchRequest {
    PatchPlanningTests.request(method, factor) {
      if ["llama-no-theta", "rotary-dim"].contains(fixture) { $0.base = 10_000 }
      $0.allowed = ["YP504"]
    }
  }

  /// The declared base of a file, or the one that its request names.
  private func base(of text: String, _ request: PatchRequest) throws -> Double {
    try request.base ?? #require(try ConfigSubject(text).declaration.base?.value)
  }

  @Test func `every good fixture is in the lists`() { #expect(Self.fixtures.count > 30) }

  @Test(arguments: fixtures)
  func `a second identical patch changes nothing`(_ fixture: String) throws {
    let old = try Fixture.config(fixture)
    for method in PatchMethod.allCases {
      for factor in method == .none ? [1] : Self.factors {
        // The base is stated after the first patch; naming it again would start a second NTK from the raised one.
        let asked = request(fixture, method, factor)
        let once = try patched(old, asked)
        var again = asked
        again.base = nil
        let plan = try ConfigSubject(once).plan(again)
        #expect(plan.edits.isEmpty && plan.changes.isEmpty, "\(method) × \(factor): \(plan.changes)")
      }
    }
  }

  @Test(arguments: fixtures)
  func `the inverse edits give the exact former bytes`(_ fixture: String) throws {
    let old = try Fixture.bytes("config/\(fixture)/config.json")
    for method in PatchMethod.allCases {
      let plan = try ConfigSubject(String(decoding: old, as: UTF8.self)).plan(request(fixture, method, 4))
      let new = try #require(plan.edits.apply(to: old))
      #expect(plan.edits.inverse.apply(to: new) == old, "\(method)")
    }
  }

  @Test(arguments: fixtures)
  func `a model can be taken through every method and ends unscaled with its own window and base`(
    _ fixture: String
  ) throws {
    let old = try Fixture.config(fixture)
    let asked = request(fixture, .none, 1)
    let unscaled = try patched(old, asked)
    let first = try ConfigSubject(unscaled)
    let trained = try first.settings(request(fixture, .yarn, 1)).originalContext
    var text = unscaled
    for method in PatchMethod.allCases.filter({ $0 != .none }) {
      for factor in [4, 7.3] {
        text = try patched(text, PatchPlanningTests.request(method, factor))
        let now = try ConfigSubject(text)
        let back = try now.settings(PatchPlanningTests.request(.none))
        #expect(back.originalContext == trained, "\(method) × \(factor)")
        #expect(abs(back.base - (try base(of: old, asked))) < 1e-6, "\(method) × \(factor)")
        // ntk-by-parts leaves a magnitude of 1, which a change of the factor must be told about.
        if method == .ntkByParts { text = try patched(text, PatchPlanningTests.request(.none)) }
      }
    }
    let last = try ConfigSubject(try patched(text, PatchPlanningTests.request(.none))).declaration
    #expect(last.scalingKind == nil && last.factor == nil && last.staticNTKFactor == nil)
    #expect(last.contextLength?.value == trained)
  }

  @Test(arguments: ["llama-plain", "crlf", "tabs", "four-spaces", "no-trailing-newline", "unsorted", "compact"])
  func `to yarn and back to none gives the former text where the member was null`(_ fixture: String) throws {
    let old = try Fixture.config(fixture)
    for method in [PatchMethod.yarn, .linear, .dynamic, .ntkByParts] {
      let there = try patched(old, PatchPlanningTests.request(method, 4))
      #expect(there != old)
      #expect(try patched(there, PatchPlanningTests.request(.none)) == old, "\(method)")
    }
  }

  @Test(arguments: fixtures)
  func `members that say nothing about RoPE keep their order and their bytes`(_ fixture: String) throws {
    let old = try Fixture.config(fixture)
    for method in PatchMethod.allCases {
      let new = try patched(old, request(fixture, method, 7.5))
      #expect(try others(old) == others(new), "\(method)")
    }
  }

  /// Pointer and spelling of every value that has nothing to do with scaling, window or base.
  private func others(_ text: String) throws -> [String] {
    let document = try JSONDocument(Array(text.utf8), path: "config.json")
    let mine: Set = [
      "rope_scaling", "rope_parameters", "rope_theta", "rotary_emb_base", "max_position_embeddings", "n_positions",
      "original_max_position_embeddings",
    ]
    func list(_ node: JSONNode, at pointer: String) -> [String] {
      switch node.value {
      case .object(let members):
        members.flatMap { mine.contains($0.key) ? [] : list($0.node, at: "\(pointer)/\($0.key)") }
      case .array(let elements): elements.enumerated().flatMap { list($0.element, at: "\(pointer)/\($0.offset)") }
      default: ["\(pointer): \(String(decoding: document.bytes[node.range], as: UTF8.self))"]
      }
    }
    return list(document.root, at: "")
  }

  @Test(arguments: fixtures)
  func `what was written is what was asked for`(_ fixture: String) throws {
    let old = try Fixture.config(fixture)
    for method in PatchMethod.allCases {
      for factor in method == .none ? [1] : [2, 7.5] {
        let asked = request(fixture, method, factor)
        let settings = try ConfigSubject(old).settings(asked)
        let stated = try ConfigSubject(try patched(old, asked)).declaration
        let isScaledWindow = ![.linear, .dynamic].contains(method)
        #expect(stated.contextLength?.value == (isScaledWindow ? settings.window : settings.originalContext))
        #expect(stated.bases.allSatisfy { abs($0.value - settings.base) < 1e-9 * settings.base })
        switch method {
        case .none, .ntk: #expect(stated.scalingKind == nil)
        case .linear, .dynamic: #expect(stated.scalingKind == method.rawValue && stated.factor?.value == factor)
        case .yarn, .ntkByParts:
          #expect(stated.scalingKind == "yarn" && stated.factor?.value == factor)
          #expect(stated.originalContext?.value == settings.originalContext)
        }
      }
    }
  }
}
