import Foundation
import TestSupport
import Testing

/// `scripts/predeploy.sh`, a gate that opens only when a runtime serves a length as the files ask.
@Suite struct PredeployTests {
  private func run(_ arguments: [String]) throws -> Command.Outcome {
    let script = Fixture.root + "/../scripts/predeploy.sh"
    return try Command.run(
      "/bin/sh", [script] + arguments, environment: ["YARN_PATCH": Command.path], cwd: Fixture.root)
  }

  private func run(_ model: String, _ runtime: String, _ length: Int) throws -> Command.Outcome {
    try run([model, "--runtime", runtime, "--serve-length", "\(length)"])
  }

  @Test(arguments: [
    ("config/yarn-both-types", "vllm", 131_072), ("config/yarn-both-types", "mlx-lm", 131_072),
    ("config/v5-yarn", "transformers5", 131_072), ("config/llama3", "transformers4", 131_072),
    ("gguf/qwen2-yarn.gguf", "llama.cpp", 131_072), ("models/tiny-llama-ctx256", "sglang", 256),
  ]) func `it opens when the runtime serves the length`(model: String, runtime: String, length: Int) throws {
    let outcome = try run(model, runtime, length)
    #expect(outcome.exitCode == 0, "\(outcome.output)")
    #expect(outcome.errors == "")
    #expect(outcome.output.hasSuffix("\n\(runtime) serves \(length) tokens from \(model)\n"))
    let longer = try run(model, runtime, length + 1)
    #expect(longer.exitCode == 1)
    #expect(longer.output.contains("FAILED") && longer.output.contains("does NOT serve \(length + 1) tokens"))
  }

  @Test(arguments: [
    // The newer spelling is nothing to the older release: it computes another table.
    ("config/v5-yarn", "transformers4"),
    ("config/dynamic", "sglang"),
    // Neither reads the other's files.
    ("gguf/qwen2-yarn.gguf", "vllm"), ("config/yarn-both-types", "llama.cpp"),
    // llama.cpp ends when it loads this one.
    ("lint/YP602/fires/llama3/model.gguf", "llama.cpp"),
  ]) func `it stays shut when the runtime reads another table, or nothing`(model: String, runtime: String) throws {
    let outcome = try run(model, runtime, 100)
    #expect(outcome.exitCode == 1, "\(outcome.output)")
    #expect(outcome.output.contains("FAILED"))
  }

  @Test(arguments: ["config/bad-html", "config/bad-empty", "config/is-not-there"])
  func `what cannot be read is neither yes nor no`(model: String) throws {
    let outcome = try run(model, "vllm", 100)
    #expect(outcome.exitCode == 2)
    #expect(outcome.errors.contains("what to do: "))
  }

  @Test func `a command that is not there is neither yes nor no`() throws {
    let script = Fixture.root + "/../scripts/predeploy.sh"
    let outcome = try Command.run(
      "/bin/sh", [script, "config/v5-yarn", "--runtime", "vllm", "--serve-length", "100"],
      environment: ["YARN_PATCH": "/is/not/there"], cwd: Fixture.root)
    #expect(outcome.exitCode == 2)
  }

  @Test(arguments: [
    [], ["config/v5-yarn"], ["config/v5-yarn", "--runtime", "vllm"], ["--runtime", "vllm", "--serve-length", "100"],
    ["config/v5-yarn", "--runtime", "vllm", "--serve-length"], ["config/v5-yarn", "--other"],
    ["config/v5-yarn", "config/llama3", "--runtime", "vllm", "--serve-length", "100"],
    ["config/v5-yarn", "--runtime", "nobody", "--serve-length", "100"],
    ["config/v5-yarn", "--runtime", "formula", "--serve-length", "100"],
    ["config/v5-yarn", "--runtime", "advisory", "--serve-length", "100"],
    ["config/v5-yarn", "--runtime", "vllm", "--serve-length", "many"],
    ["config/v5-yarn", "--runtime", "vllm", "--serve-length", "0"],
  ]) func `wrong usage is said`(arguments: [String]) throws {
    let outcome = try run(arguments)
    #expect(outcome.exitCode == 64)
    #expect(outcome.errors != "")
  }
}
