import Diagnostics
import LosslessJSON
import ModelConfig
import PatchPlanning
import Runtimes
import TestSupport
import Testing

/// Which spelling a config.json gets for whom.
@Suite struct PortablePlanTests {
  static let llama = #"""
    {
      "architectures": ["LlamaForCausalLM"],
      "hidden_size": 4096,
      "max_position_embeddings": 4096,
      "model_type": "llama",
      "num_attention_heads": 32,
      "rope_scaling": null,
      "rope_theta": 10000.0
    }
    """#

  private func plan(
    _ text: String, _ request: PatchRequest, _ surroundings: RuntimeInput.Surroundings = .init()
  ) throws -> PortablePlan {
    let subject = try ConfigSubject(text)
    return try PortablePlan(
      subject.config, surroundings, subject.declaration, try subject.settings(request),
      for: request.runtimes ?? Runtime.engines, areNamed: request.runtimes != nil)
  }

  /// What a dictionary says afterwards, on one line.
  private func dictionary(_ text: String, _ request: PatchRequest, _ pointer: String = "/rope_scaling") throws
    -> String?
  {
    let plan = try plan(text, request)
    return plan.file.changes.first { $0.at == pointer }?.after
  }

  @Test func `a plain model gets the least, and every serving runtime reads it`() throws {
    let plan = try plan(Self.llama, request(.yarn, 4))
    #expect(plan.runtimes.map(\.name) == ["transformers4", "transformers5", "vllm", "sglang", "mlx-lm", "llama.cpp"])
    #expect(
      plan.file.changes.map(\.after) == [
        #"{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":4096}"#, "16384",
      ])
    #expect(plan.notes.isEmpty)
  }

  @Test func `type is written where a runtime looks for that name only`() throws {
    let text = Fixture.replacing(Self.llama, [("\"llama\"", "\"internlm2\"")])
    let mlx = request(.linear, 2) { $0.runtimes = [.transformers5, .mlxLM] }
    #expect(try dictionary(text, mlx) == #"{"rope_type":"linear","type":"linear","factor":2.0}"#)
    let others = request(.linear, 2) { $0.runtimes = [.transformers5, .vllm] }
    #expect(try dictionary(text, others) == #"{"rope_type":"linear","factor":2.0}"#)
  }

  @Test func `a file of the newer layout gets the older one where somebody reads only that`() throws {
    let text = Fixture.replacing(
      Self.llama,
      [
        (
          "\"rope_scaling\": null,\n  \"rope_theta\": 10000.0",
          "\"rope_parameters\": {\"rope_theta\": 5e5, \"rope_type\": \"default\"}"
        )
      ])
    let alone = try plan(text, request(.yarn, 4) { $0.runtimes = [.transformers5, .vllm, .sglang] })
    #expect(
      alone.file.changes.allSatisfy { $0.at.hasPrefix("/rope_parameters/") || $0.at == "/max_position_embeddings" })
    let all = try plan(text, request(.yarn, 4))
    #expect(all.runtimes.count == 6)
    #expect(all.file.changes.first { $0.at == "/rope_theta" }?.after == "500000.0")
    #expect(all.file.changes.contains { $0.at == "/rope_scaling" })
  }

  @Test func `a lone attention factor is enough for some, the rest need all three members`() throws {
    let some = request(.yarn, 4) {
      $0.attentionFactor = 1.5
      $0.runtimes = [.transformers4, .transformers5, .vllm]
    }
    #expect(try dictionary(Self.llama, some)?.hasSuffix(#""attention_factor":1.5}"#) == true)
    let more = request(.yarn, 4) {
      $0.attentionFactor = 1.5
      $0.runtimes = [.transformers5, .sglang, .mlxLM]
    }
    let text = try #require(try dictionary(Self.llama, more))
    for member in [#""attention_factor":1.5"#, #""attn_factor":1.317"#, #""mscale":3.606"#] {
      #expect(text.contains(member))
    }
    #expect(!text.contains("mscale_all_dim"))
  }

  @Test func `members of an earlier magnitude go when the automatic one is asked for`() throws {
    let custom = request(.yarn, 4) {
      $0.attentionFactor = 1
      $0.runtimes = [.transformers5, .sglang, .mlxLM]
    }
    let first = try plan(Self.llama, custom).file
    let text = try #require(first.texts?.new)
    #expect(text.contains("attn_factor"))
    let automatic = request(.yarn, 4) {
      $0.attentionFactor = 1.1386294361119891
      $0.runtimes = custom.runtimes
    }
    let second = try #require(try plan(text, automatic).file.texts?.new)
    #expect(!second.contains("attn_factor") && !second.contains("mscale"))
  }

  @Test func `latent attention gets an mscale pair that leaves its softmax correction alone`() throws {
    let text = try Fixture.config("mla-yarn")
    let asked = request(.yarn, 8) {
      $0.attentionFactor = 1.25
      $0.runtimes = [.transformers5, .vllm, .sglang, .mlxLM]
    }
    let changes = try plan(text, asked).file.changes
    #expect(changes.contains { $0.at == "/rope_scaling/mscale" })
    #expect(!changes.contains { $0.at == "/rope_scaling/mscale_all_dim" || $0.at.hasSuffix("attn_factor") })
  }

  @Test func `a copy for readers of the other layout has the new magnitude, not the old one`() throws {
    let text = Fixture.replacing(
      Self.llama,
      [
        ("\"max_position_embeddings\": 4096", "\"max_position_embeddings\": 16384"),
        (
          "\"rope_scaling\": null,\n  \"rope_theta\": 10000.0",
          """
          "rope_parameters": {"rope_theta": 10000.0, "rope_type": "yarn", "factor": 4.0, "attention_factor": \
          1.1386294361119891, "original_max_position_embeddings": 4096}
          """
        ),
      ])
    let asked = request(.yarn, 8) { $0.runtimes = [.transformers4, .transformers5] }
    #expect(try dictionary(text, asked)?.contains(#""attention_factor":1.2079"#) == true)
  }

  @Test func `transformers 5 gets truncate where it looks for it in a layout per layer`() throws {
    let asked = request(.yarn, 4) {
      $0.truncate = false
      $0.runtimes = [.transformers5, .vllm]
    }
    let text = Fixture.replacing(
      Self.llama,
      [
        (
          "\"rope_scaling\": null,\n  \"rope_theta\": 10000.0",
          """
          "layer_types": ["full_attention", "sliding_attention"],
          "rope_parameters": {
            "full_attention": {"rope_theta": 10000.0, "rope_type": "default"},
            "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"}
          }
          """
        ), ("\"llama\"", "\"qwen3\""),
      ])
    let changes = try plan(text, asked).file.changes
    #expect(changes.first { $0.at == "/rope_parameters/truncate" }?.after == "false")
    #expect(!changes.contains { $0.at.contains("sliding_attention") })
  }

  @Test func `long lists beside the settings change nothing`() throws {
    let labels = (0..<20_000).map { "\"\($0)\": \"LABEL_\($0)\"" }.joined(separator: ", ")
    let long = Fixture.replacing(Self.llama, [("\"rope_scaling\"", "\"id2label\": {\(labels)},\n  \"rope_scaling\"")])
    let (plan, short) = (try plan(long, request(.yarn, 4)), try plan(Self.llama, request(.yarn, 4)))
    #expect(plan.file.changes == short.file.changes && plan.runtimes.count == 6)
    #expect(plan.file.texts?.new.contains("LABEL_19999") == true)
  }

  // MARK: refusals

  @Test func `what llama.cpp is not told by a file is refused with the option that tells it`() throws {
    let error = refusal { try plan(Self.llama, request(.yarn, 4) { $0.betaFast = 16 }) }
    #expect(error?.code == .runtimesDisagree)
    #expect(error?.found.hasPrefix("llama.cpp: pair ") == true && error?.found.contains(";") == false)
    #expect(error?.remedy.contains("start llama.cpp with --yarn-beta-fast 16.0") == true)
    let list = "--runtime transformers4 --runtime transformers5 --runtime vllm --runtime sglang --runtime mlx-lm"
    #expect(error?.remedy.contains(list) == true)
  }

  @Test func `a ramp that is not rounded names those who always round, and no option`() throws {
    let error = refusal { try plan(Self.llama, request(.yarn, 4) { $0.truncate = false }) }
    #expect(error?.code == .runtimesDisagree)
    let departing = error?.found.split(separator: "; ").map { $0.prefix { $0 != ":" } }
    #expect(departing == ["mlx-lm", "llama.cpp"])
    #expect(error?.remedy.contains("start ") == false)
  }

  @Test func `a runtime that cannot read the file is left out by default and refused when it is named`() throws {
    let text = Fixture.replacing(Self.llama, [("[\"LlamaForCausalLM\"]", "[\"UnheardOfModel\"]")])
    #expect(try !plan(text, request(.yarn, 4)).runtimes.contains { $0.name == "llama.cpp" })
    let error = refusal { try plan(text, request(.yarn, 4) { $0.runtimes = [.vllm, .llamaCpp] }) }
    #expect(error?.found.hasPrefix("llama.cpp: refused") == true)
    #expect(error?.remedy.contains("--runtime vllm") == true)
  }

  @Test func `the equations alone are checked by name`() throws {
    let plan = try plan(Self.llama, request(.dynamic, 4) { $0.runtimes = [.formula] })
    #expect(plan.runtimes.map(\.name) == ["formula"])
    let error = refusal { try self.plan(Self.llama, request(.dynamic, 4)) }
    #expect(error?.remedy.contains("--runtime transformers4 --runtime transformers5 --runtime mlx-lm;") == true)
  }

  // MARK: windows

  @Test func `a tokenizer that holds a window down is noted`() throws {
    var surroundings = RuntimeInput.Surroundings()
    surroundings.tokenizerLimit = 4096
    let plan = try plan(Self.llama, request(.yarn, 4), surroundings)
    #expect(plan.notes == ["model_max_length in tokenizer_config.json holds the window down, not 16384: vllm 4096"])
  }

  @Test func `the windows of linear scaling are noted`() throws {
    let notes = try plan(Self.llama, request(.linear, 4)).notes
    #expect(notes == ["each runtime derives the window of linear scaling by its own rule, not 16384: llama.cpp 4096"])
  }
}
