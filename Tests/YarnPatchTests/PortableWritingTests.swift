import Diagnostics
import ModelConfig
import PatchPlanning
import Runtimes
import TestSupport
import Testing
import YarnPatch

@Suite struct PortableWritingTests {
  private let everyServer = ["transformers4", "transformers5", "vllm", "sglang", "mlx-lm", "llama.cpp"]

  @Test func `a folder with both kinds of file is checked by everyone, each with the file it runs from`() throws {
    let plan = try planPatch(Fixture.path("models/tiny-llama-ctx256"), request(.yarn, 4)).plan
    #expect(plan.runtimes.map(\.name) == everyServer)
  }

  @Test func `who reads no file of the model cannot be asked for`() throws {
    let asked = request(.yarn, 4) { $0.runtimes = [.vllm] }
    let error = refusal { try planPatch(Fixture.path("gguf/llama-plain.gguf"), asked) }
    #expect(error?.code == .badRequest && error?.found.contains("vllm") == true)
  }

  @Test func `a GGUF that cannot say it is not written, whoever is asked for`() throws {
    let asked = request(.yarn, 4) {
      $0.truncate = false
      $0.runtimes = [.transformers5]
    }
    let model = Fixture.path("models/tiny-llama-ctx256")
    let error = refusal { try planPatch(model, asked) }
    #expect(error?.code == .notExpressible && error?.location.path.hasSuffix(".gguf") == true)
    #expect(error?.remedy.contains("patch config.json alone") == true)
    #expect(try planPatch("\(model)/config.json", asked).plan.runtimes.map(\.name) == ["transformers5"])
  }

  @Test func `a magnitude reaches config.json's readers and llama.cpp alike`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("models/tiny-llama-ctx256", as: "model")
    let outcome = try patch(path, request(.yarn, 4) { $0.attentionFactor = 1.25 })
    #expect(outcome.plan.runtimes.map(\.name) == everyServer)
    for reading in try tables(path, runtimes: .named(outcome.plan.runtimes)) {
      let magnitude = try #require(reading.table?.attentionFactor)
      #expect(abs(magnitude - 1.25) < 1e-5, "\(reading.runtime)")
    }
  }

  // MARK: a head size that classes do not fill in

  @Test func `a null head size stops a patch, with what to write`() throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("lint/YP304/silent/unscaled", as: "model")
    let error = refusal { try patch(path, request(.yarn, 4)) }
    #expect(error?.code == .runtimesDisagree && error?.found.contains("head_dim is null") == true)
    #expect(error?.remedy.contains("write the head size") == true)
    #expect(try patch(path, request(.linear, 4)).verification?.passed == true)
  }

  /// transformers reads no scaling beside Fuyu's text section.
  @Test func `Fuyu's scaling is written into its text section`() throws {
    let folder = try ScratchFolder()
    let text = """
      {"architectures": ["FuyuForCausalLM"], "model_type": "fuyu", "hidden_size": 4096, "num_attention_heads": 64,
       "max_position_embeddings": 16384, "rope_theta": 25000.0, "partial_rotary_factor": 0.5, "rope_scaling": null,
       "text_config": {"model_type": "persimmon"}}
      """
    let path = try folder.write(Array(text.utf8), to: "config.json")
    let outcome = try patch(path, request(.yarn, 2))
    #expect(outcome.plan.files.flatMap(\.changes).allSatisfy { $0.at.hasPrefix("/text_config/") })
    #expect(outcome.plan.runtimes.contains { $0.name == "transformers4" })
  }

  // MARK: a base that nobody can use

  @Test(arguments: ["bad-base-null", "bad-base-text", "bad-base-zero", "bad-base-negative"])
  func `a base that is named heals one that cannot be used`(_ fixture: String) throws {
    let folder = try ScratchFolder()
    let path = try folder.copy("config/\(fixture)", as: "model")
    #expect(refusal { try patch(path, request(.yarn, 4)) }?.code == .badBase)
    let outcome = try patch(path, request(.yarn, 4) { $0.base = 10_000 })
    #expect(outcome.verification?.passed == true)
    #expect(outcome.plan.runtimes.contains { $0.name == "transformers5" })
    #expect(try inspect(path).model.primary?.declaration?.bases.map(\.value) == [10_000])
  }
}
