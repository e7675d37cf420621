import ModelConfig
import Runtimes

extension Rule {
  static let descriptionsDisagree = Rule(
    "YP801", "descriptions of the same model disagree", severity: "error",
    checks: """
      In one folder, a GGUF and config.json (as llama.cpp's converter reads it), or Mistral's native params.json and \
      config.json, differ in scaling kind, factor, original length, base, magnitude or rotary width.
      """,
    why: """
      Converters drop or rename values without a word: the same weights then run with one table in llama.cpp and another \
      in vLLM, or with another in vLLM that was told to read params.json.
      """,
    example: "config.json with YaRN ×4 beside a GGUF without rope.scaling keys",
    remedy: """
      Make them agree: `yarn-patch patch FOLDER --factor F --original-context N` writes config.json and each GGUF in one \
      transaction; params.json is changed by the fix or by hand.
      """,
    exceptions: """
      Files whose width or number of layers differ are of different models, and a GGUF without a window is none. Dynamic scaling, which the converter cannot \
      store. Values of llama3 and LongRoPE tensors (YP609). A base or a width that differs has no fix: the weights decide.
      """,
    sources: [
      "ggml-org/llama.cpp issues 13322 and 24820, PR 22612", "llama.cpp conversion/base.py, conversion/mistral.py",
      "vLLM transformers_utils/configs/mistral.py",
    ]
  ) { model in
    model.configs.flatMap { config in
      model.ggufs.filter { $0.family != nil && config.describes(sameModelAs: $0) }.flatMap { gguf in
        differences(of: gguf, from: config, for: model.deployment.targets).map { difference in
          Finding(
            .error, at: difference.place,
            """
            config.json says \(difference.theirs), the GGUF \(difference.mine): llama.cpp computes another table than \
            the runtimes that read config.json. \(difference.advice)
            """,
            expected: difference.theirs, actual: difference.mine,
            fix: difference.isScaling ? .copyScaling(of: config, to: gguf) : nil)
        }
      } + NativeParameters(model).findings(against: config)
    }
  }

  /// Without the tensor of the llama3 scheme, which YP609 asks for.
  private static func differences(
    of gguf: LintedGGUF, from config: LintedConfig, for targets: [Runtime]
  ) -> [SettingDifference] {
    let isLlama3 = config.declaration?.scalingKind == "llama3" && gguf.declaration?.scalingKind == nil
    return SettingDifference.all(of: gguf, from: config, for: targets).filter { !isLlama3 || $0.setting != .scaling }
  }
}
