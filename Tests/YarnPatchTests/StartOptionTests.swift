import FileStore
import PatchPlanning
import Runtimes
import TestSupport
import Testing

@testable import YarnPatch

/// llama.cpp's options on a file before its patch against the file after it.
@Suite struct StartOptionTests {
  /// What llama.cpp's command line makes of the arguments.
  private func context(_ arguments: [String]) throws -> LlamaCppContext {
    var context = LlamaCppContext()
    for index in stride(from: 0, to: arguments.count, by: 2) {
      let value = arguments[index + 1]
      func number() throws -> Double { Double(try #require(Float(value))) }
      switch arguments[index] {
      case "--rope-scaling": context.scaling = LlamaCppContext.Scaling(rawValue: value)
      case "--rope-scale": context.frequencyScale = Double(1 / Float(try number()))
      case "--yarn-orig-ctx": context.originalContext = Int(value)
      case "--rope-freq-base": context.base = try number()
      case "-c": #expect(Int(value) == 1024 || Int(value) == 16384)
      case let other: Issue.record("\(other)")
      }
    }
    return context
  }

  private func readings(_ path: String, _ context: LlamaCppContext = .init()) throws -> [RuntimeReading] {
    var loader = ModelLoader(POSIXFileSystem())
    var options = RuntimeOptions()
    options.llamaCpp = context
    return Forecast(try loader.load(path), in: POSIXFileSystem()).readings(of: [.llamaCpp], options)
  }

  @Test(
    arguments: ["gguf/llama-plain.gguf", "models/tiny-llama-ctx256/tiny-llama-ctx256-f16.gguf"],
    [
      PatchMethod.yarn, .linear, .ntk,
    ])
  func `the options on the unscaled GGUF give the patched one's table`(fixture: String, method: PatchMethod) throws {
    let folder = try ScratchFolder()
    let (plain, patched) = (try folder.copy(fixture, as: "plain.gguf"), try folder.copy(fixture, as: "patched.gguf"))
    _ = try patch(patched, request(method, 4))
    let wanted = try readings(patched)
    let option = try #require(wanted.first?.startOptions.first)
    #expect(!option.arguments.isEmpty)
    let started = try readings(plain, try context(option.arguments))
    #expect(started.map(\.table) == wanted.map(\.table) && started.first?.table != nil)
    #expect(started.map(\.kind) == wanted.map(\.kind))
    #expect(try readings(plain).map(\.table) != wanted.map(\.table))
    #expect((started.first?.contextLength == wanted.first?.contextLength) == (option.remark == nil))
  }
}
