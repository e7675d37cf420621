import FileStore
import ModelConfig
import Runtimes
import TestSupport
import Testing

@testable import Linting
@testable import YarnPatch

@Suite struct LaunchCommandTests {
  @Test(
    arguments: [
      ("a b  c", ["a", "b", "c"]),
      (#"a 'b c' "d e" f\ g"#, ["a", "b c", "d e", "f g"]),
      (#"'{"a": 1}' "{\"a\": 1}" '' x''y"#, [#"{"a": 1}"#, #"{"a": 1}"#, "", "xy"]),
      (#"'it'\''s' "\n \$x""#, ["it's", #"\n $x"#]),
      ("a \\\n  b", ["a", "b"]),
      ("'open", nil), ("\"open", nil), ("a\\", nil), ("", []),
    ] as [(String, [String]?)])
  func `words are split as a shell splits them`(_ line: String, _ words: [String]?) {
    #expect(LaunchCommand.words(of: line) == words)
  }

  @Test(
    arguments: [
      ("vllm serve .", .vllm), ("/opt/bin/vllm serve . --port 1", .vllm),
      ("CUDA_VISIBLE_DEVICES=0 vllm serve .", .vllm),
      ("python3 -m vllm.entrypoints.openai.api_server --model .", .vllm), ("vllm bench", nil), ("nginx", nil),
      ("python -m sglang.launch_server --model-path .", .sglang), ("sglang serve .", .sglang),
      ("./build/bin/llama-server -m x", .llamaCpp), ("llama-cli -m x", .llamaCpp), ("mlx_lm.server --model .", .mlxLM),
      ("python -m mlx_lm server", .mlxLM), ("vllm serve 'open", nil),
    ] as [(String, LaunchCommand.Program?)])
  func `the server is found behind paths, variables and interpreters`(_ line: String, _ program: LaunchCommand.Program?)
  {
    #expect(LaunchCommand(line)?.program == program)
  }

  @Test(
    arguments: [
      ("vllm serve a/b --port 1", "a/b"), ("vllm serve --port 1", nil), ("vllm serve", nil),
      ("python -m vllm.entrypoints.openai.api_server --model a", "a"), ("sglang serve --model-path=a", "a"),
      ("python -m sglang.launch_server --model_path a", "a"), ("llama-server -m x.gguf -c 8192", "x.gguf"),
      ("mlx_lm.server --model a --port 1", "a"), ("nginx -m a", nil),
    ] as [(String, String?)])
  func `the model that a command names is found`(_ line: String, _ model: String?) {
    #expect(LaunchCommand.model(in: line) == model)
  }

  @Test
  func `options take the next word or what stands behind the equals sign`() throws {
    let command = try #require(
      LaunchCommand("vllm serve . --hf_overrides='{\"a\": 1}' --hf-overrides.rope_scaling.factor 4 --x -1 --flag --y"))
    #expect(
      command.options.map { [$0.name, $0.value ?? "-"] } == [
        ["--hf-overrides", "{\"a\": 1}"], ["--hf-overrides.rope_scaling.factor", "4"], ["--x", "-1"], ["--flag", "-"],
        ["--y", "-"],
      ])
    #expect(command.values("--x", "--hf-overrides") == ["{\"a\": 1}", "-1"])
  }

  /// What a start option says is complete, so the rule has nothing to say about it.
  @Test(arguments: try Fixture.names(in: "config").filter { !$0.hasPrefix("bad-") })
  func `the options that runtimes are to be started with are safe overrides`(_ name: String) throws {
    let model = try lintedModel(at: Fixture.path("config/\(name)"))
    for config in model.configs {
      for runtime in [Runtime.vllm, .sglang] {
        for option in config.readings(of: runtime).flatMap(\.startOptions) where !option.arguments.isEmpty {
          let start = runtime.name == "vllm" ? "vllm serve ." : "python -m sglang.launch_server"
          let command = try #require(LaunchCommand("\(start) \(option.commandLine)"))
          #expect(ConfigOverride(command).problems(with: config) == [])
        }
      }
    }
  }

  /// The snippet of a finding, taken as the command, leaves nothing to find.
  @Test(arguments: LintCase.all.filter { $0.rule == "YP804" && $0.fires })
  func `the complete option of a finding is safe`(_ lintCase: LintCase) throws {
    for finding in try lintCase.own() {
      guard let complete = finding.expected, complete.hasPrefix("--") else { continue }
      var deployment = Deployment()
      let starts = ["vllm": "vllm serve .", "sglang": "python -m sglang.launch_server", "llama.cpp": "llama-server"]
      deployment.launches = ["\(starts[finding.runtimes[0]] ?? "") \(complete)"]
      let names = try Fixture.names(in: "lint/YP804/fires/\(lintCase.name)").filter { !$0.hasPrefix(".") }
      let model = LintLoader(POSIXFileSystem(), deployment).load(
        FoundModel(path: lintCase.folder, files: names.map { "\(lintCase.folder)/\($0)" }))
      let left = Linter(rules: Rule.all.filter { $0.id == "YP804" }).findings(in: model)
      #expect(left.isEmpty, "\(left.map(\.message))")
    }
  }
}
