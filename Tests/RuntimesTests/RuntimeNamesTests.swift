import Foundation
import LosslessJSON
import TestSupport
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
    #expect(try Runtime.named(runtime.name).version == Runtime.all.last { $0.name == runtime.name }?.version)
    guard let version = runtime.version else { return }
    let named = try Runtime.named("\(runtime.name)@\(version)")
    #expect(named.name == runtime.name && named.version == version)
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

@Suite struct `The page about another version` {
  private static func text(_ path: String) throws -> String {
    try String(contentsOfFile: "\(Fixture.root)/../\(path)", encoding: .utf8)
  }

  @Test func `names files that are there and shows the value as it is`() throws {
    let page = try Self.text("docs/adding-a-runtime-version.md")
    let paths = page.split(separator: "`").map(String.init).filter { $0.contains("/") && !$0.contains("<") }
      .filter { ["Sources", "Tests", "fixtures"].contains($0.prefix { $0 != "/" }) }
    #expect(paths.count >= 4)
    for path in paths { #expect(FileManager.default.fileExists(atPath: "\(Fixture.root)/../\(path)"), "\(path)") }
    let value = try #require(page.components(separatedBy: "```swift\n").last?.components(separatedBy: "```").first)
    let lines = value.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    let source = try Self.text("Sources/Runtimes/VLLM.swift")
    for line in lines { #expect(source.contains(line), "\(line)") }
  }

  @Test(arguments: ["vllm", "sglang", "mlx_lm", "transformers4", "transformers5", "paper_repo", "llamacpp_gguf"])
  func `tells the form of every recording`(name: String) throws {
    let document = try RecordedFile(name).document
    #expect(document.root.value.members?.map(\.key) == ["runtime", "version", "how", "count", "cases"])
    for recorded in document["/cases"]?.value.elements ?? [] {
      let keys = recorded.value.members?.map(\.key) ?? []
      #expect(keys.contains("id") && keys.contains("input"))
    }
  }
}
