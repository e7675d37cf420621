import Diagnostics
import ModelConfig
import Runtimes

extension Rule {
  static let launchOverride = Rule(
    "YP804", "launch override unsafe", severity: "error",
    checks: """
      A command line under `launch` in the policy replaces settings at another level than the language model's, replaces \
      the scaling dictionary and omits the base, the original length or the sections of a multimodal model, leaves the \
      window as it is, names a GGUF key that llama.cpp passes over, or uses an option that its runtime does not have.
      """,
    why: """
      vLLM and SGLang put an override's dictionary in the place of the file's, after transformers has moved the base into \
      that: what the override does not repeat is gone, and a base that is gone is a TypeError or 10000. An override \
      beside `text_config` has no effect. vLLM removed `--rope-scaling` and `--rope-theta`, mlx-lm has no such options, \
      and an unknown one ends the start.
      """,
    example: #"""
      vllm serve . --hf-overrides '{"rope_scaling": {"rope_type": "yarn", "factor": 4.0}}'
      """#,
    remedy: """
      Write the values into the files with `yarn-patch patch`, which needs no option; or take the complete one that the \
      finding prints.
      """,
    exceptions: """
      Command lines of other programs, and those whose quotation is not closed. A command that names the path of \
      another model, as seen from the policy's folder, is judged for that model; one that names nothing to be found \
      there is taken for one of each of the policy's models.
      """,
    sources: [
      "vllm-project/recipes PR 856", "sgl-project/sglang PR 27983", "vllm-project/vllm issue 37886, PR 54289",
      "vLLM config/model.py", "llama.cpp common/arg.cpp",
    ]
  ) { model in
    model.deployment.launches.compactMap(LaunchCommand.init).flatMap { command -> [Finding] in
      let files = files(for: command.program, in: model)
      guard !files.isEmpty else { return [finding(command, nil, model)].compactMap(\.self) }
      return files.compactMap { finding(command, $0, model) }
    }
  }

  /// The files that a program runs from.
  private static func files(for program: LaunchCommand.Program, in model: LintedModel) -> [any LintedFile] {
    program == .llamaCpp ? model.ggufs : model.configs
  }

  private static func finding(
    _ command: LaunchCommand, _ file: (any LintedFile)?, _ model: LintedModel
  ) -> Finding? {
    let runtime = try? Runtime.named(command.program.rawValue)
    let name = "\(command.program.rawValue)\(runtime?.version.map { " \($0)" } ?? "")"
    let foreign = command.foreignOptions.map { "`\($0)`" }
    var problems = foreign.isEmpty ? [] : ["\(name) has no option \(foreign.listed)"]
    var complete: String?
    if let config = file as? LintedConfig {
      let override = ConfigOverride(command)
      // What an option that ends the start would do does not matter.
      if foreign.isEmpty { problems = override.problems(with: config) }
      if !problems.isEmpty { complete = runtime.flatMap { override.complete(for: config, in: model, $0) } }
    } else if let gguf = file as? LintedGGUF {
      let override = KeyOverride(command: command, gguf: gguf)
      if foreign.isEmpty { problems = override.problems }
      if !problems.isEmpty { complete = override.complete(in: model) }
    }
    guard !problems.isEmpty else { return nil }
    let advice =
      complete.map { "Complete is `\($0)`" }
      ?? "Write the values into the file with `yarn-patch patch \((file?.path ?? model.path).shellWord) --factor F` and start without these options"
    return Finding(
      .error, at: file?.scalingPlace ?? SourceLocation(path: model.path),
      "A launch of \(command.program.rawValue) overrides settings unsafely: \(problems.joined(separator: "; ")). \(advice).",
      expected: complete ?? "settings in the file", actual: command.rotaryOptions.listed,
      runtimes: [command.program.rawValue])
  }
}

extension LaunchCommand {
  /// The options about positions of each program.
  private static let rotaryOptions: [(program: Program, names: Set<String>)] = [
    (.vllm, ["--hf-overrides"]), (.sglang, ["--json-model-override-args"]),
    (
      .llamaCpp,
      [
        "--rope-scaling", "--rope-scale", "--rope-freq-scale", "--rope-freq-base", "--yarn-orig-ctx",
        "--yarn-ext-factor", "--yarn-attn-factor", "--yarn-beta-fast", "--yarn-beta-slow", "--override-kv",
      ]
    ),
  ]

  private func isRotary(_ name: String, of program: Program?) -> Bool {
    let stem = name.split(separator: ".").first.map(String.init) ?? name
    let lists = Self.rotaryOptions.filter { program == nil || $0.program == program }
    return lists.contains { $0.names.contains(stem) } || program == nil && stem == "--rope-theta"
  }

  /// Options about positions, of whichever program.
  fileprivate var rotaryOptions: [String] { options.map(\.name).filter { isRotary($0, of: nil) } }

  /// Those that this program does not have.
  fileprivate var foreignOptions: [String] { rotaryOptions.filter { !isRotary($0, of: program) } }
}
