import Testing

@testable import Runtimes

@Suite struct `Names of runtimes` {
  @Test func `every runtime is listed once, in the order of the contract`() {
    #expect(
      Runtime.all.map(\.name) == [
        "transformers4", "transformers5", "vllm", "sglang", "mlx-lm", "llama.cpp", "yarn-repo", "formula",
      ])
    #expect(Runtime.all.filter { $0.formats.contains(.gguf) }.map(\.name) == ["llama.cpp", "formula"])
    #expect(Runtime.all.allSatisfy { $0.formats.contains(.config) })
  }

  @Test(arguments: Runtime.all) func `a name finds its runtime, with its version or without`(runtime: Runtime) throws {
    #expect(try Runtime.named(runtime.name).version == runtime.version)
    guard let version = runtime.version else { return }
    #expect(try Runtime.named("\(runtime.name)@\(version)").name == runtime.name)
  }

  @Test(arguments: ["vllm@0.33.0", "vllm@0.33", "vllm@0"]) func `a version may be shortened`(_ text: String) throws {
    #expect(try Runtime.named(text).name == "vllm" && Runtime.named(text).version == "0.33.0")
  }

  @Test(arguments: ["vllm@0.3", "vllm@0.33.0.1", "vllm@", "vllm@1", "vllm@0.33.", "vllm@0.33@0"])
  func `an unknown version is an error with the known ones`(_ text: String) {
    let error = #expect(throws: UnknownRuntime.self) { _ = try Runtime.named(text) }
    #expect(error?.description == "unknown version \(text.dropFirst(5)) of vllm; known: 0.33.0")
  }

  @Test func `the equations have no versions`() {
    let error = #expect(throws: UnknownRuntime.self) { _ = try Runtime.named("formula@1") }
    #expect(error?.description == "unknown version 1 of formula; known: none, it has no versions")
  }

  @Test(arguments: ["", "VLLM", "vllm ", "tgi", "@0.33"])
  func `an unknown name is an error with the known ones`(_ text: String) {
    let error = #expect(throws: UnknownRuntime.self) { _ = try Runtime.named(text) }
    #expect(error?.description.hasPrefix("unknown runtime ") == true)
    #expect(error?.description.hasSuffix("known: \(Runtime.all.map(\.name).joined(separator: ", "))") == true)
  }
}
