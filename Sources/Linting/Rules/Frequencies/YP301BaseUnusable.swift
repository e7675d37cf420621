import Diagnostics
import LosslessJSON
import ModelConfig
import Runtimes

extension Rule {
  static let baseUnusable = Rule(
    "YP301", "base missing, unusable or unexpected",
    severity: "error when it is no number above 1, or missing where that matters; note when no published model of "
      + "the family has it, and when missing where every target takes the same",
    checks: """
      Whether a usable RoPE base is stated: `rope_theta` in a scaling dictionary or beside it, or under a known other \
      name; `rope.freq_base` in a GGUF.
      """,
    why: """
      Without one, each runtime takes its own default: transformers that of the model's class, mlx-lm that of its model \
      file, llama.cpp 10000. A wrong base reads well for a thousand tokens and then falls apart. With transformers 5.23 an \
      override that replaces the dictionary without a base leaves null, passes validation and raises at the computation.
      """,
    example: #"{"model_type": "qwen2", "max_position_embeddings": 32768, "rope_theta": null}"#,
    remedy: """
      State the base of the original model: `yarn-patch patch MODEL --base B`, with `--factor F` for YaRN or `--method \
      none` for an unscaled model, or by hand.
      """,
    exceptions: """
      Where the targets all take the same base and the table of published models knows no other, as for Llama 2, a \
      missing one is a note in a scaled config.json and in a GGUF, and nothing to speak of elsewhere. The base is stated \
      by a fix when the file before the last patch had one, or the table knows the model; a number in quotes is only \
      unquoted.
      """,
    sources: [
      "transformers configuration_*.py", "mlx-lm models/*.py", "llama.cpp src/llama-model.cpp",
      "ollama/ollama issue 2379", "deepspeedai/DeepSpeed PR 8345", "lyogavin/airllm PR 369",
    ]
  ) { model in
    model.configs.flatMap { unusableBases($0, in: model) } + model.ggufs.compactMap { unusableBase($0, in: model) }
      + model.files.compactMap { missingBase($0, in: model) ?? unexpectedBase($0, in: model) }
  }

  private static func unusableBases(_ config: LintedConfig, in model: LintedModel) -> [Finding] {
    config.problems.filter { $0.code == .badBase }.compactMap { problem in
      guard let pointer = problem.location.key, let value = config.document[pointer]?.value else { return nil }
      // What is known is the base of the layers that see the whole window.
      let isPatched = config.config.patchedBases.contains(pointer)
      let right = isPatched ? model.rightBase(of: config) : nil
      let command = isPatched ? config.declaration?.patching(model.path, "--base \(right.map(plain) ?? "B")") : nil
      var fix: Fix?
      if let number = value.string.flatMap({ Double($0) }), number.isFinite, number > 1 {
        fix = .safe("write the number without quotes", [config.change(pointer, .number(number))])
      } else if let right {
        fix = .unsafe("set the base to \(plain(right))", [config.change(pointer, .number(right))])
      }
      return config.finding(
        .error, at: pointer,
        """
        The RoPE base is \(value.noun), which no runtime can compute with; some take a default instead. Write the base \
        that the weights were trained with\(right.map { ", \(plain($0))" } ?? "").\
        \(command.map { " \($0)." } ?? "")
        """,
        expected: problem.expected, fix: fix)
    }
  }

  /// What is no number at all is a wrong type, which YP610 judges.
  private static func unusableBase(_ gguf: LintedGGUF, in model: LintedModel) -> Finding? {
    guard gguf.problems.contains(where: { $0.code == .badBase }), let base = gguf.file[gguf.keys.base]?.doubleValue
    else { return nil }
    let right = model.rightBase(of: gguf)
    return gguf.finding(
      .error, at: gguf.keys.base,
      """
      The RoPE base is \(plain(base)), with which llama.cpp computes no usable frequencies. Write the base that the \
      weights were trained with.\
      \(gguf.declaration.map { " \($0.patching(model.path, "--base \(right.map(plain) ?? "B")"))." } ?? "")
      """,
      expected: "a finite number above 1",
      fix: right.map {
        .unsafe("set the base to \(plain($0))", [gguf.change(gguf.keys.base, .float32(Float($0)))])
      })
  }

  private static func missingBase(_ file: some LintedFile, in model: LintedModel) -> Finding? {
    guard let declaration = file.declarations.first(where: \.bases.isEmpty),
      !file.problems.contains(where: { $0.code == .badBase })
    else { return nil }
    let readings = file.readings(of: model.deployment.targets, layer: declaration.layerType)
    let taken = Set(readings.compactMap(\.base))
    let right = [nil, "full_attention"].contains(declaration.layerType) ? model.rightBase(of: file) : nil
    let possible = right.map { [$0] } ?? model.publishedBases(of: file)
    let isHarmless = taken.count <= 1 && (taken.isEmpty || possible.isEmpty || !taken.isDisjoint(with: possible))
    let isUnscaledConfig = file.input.format == .config && declaration.scalingKind == nil
    guard !isHarmless || !isUnscaledConfig else { return nil }
    let told = readings.telling(\.base)
    let base = (right ?? (isHarmless ? taken.first : nil)).map(plain) ?? "B"
    return Finding(
      isHarmless ? .note : .error, at: SourceLocation(path: file.path, key: file.baseKey(of: declaration)),
      """
      No RoPE base is stated\(told.isEmpty ? "" : "; \(told)")\
      \(isHarmless || possible.isEmpty ? "" : "; published with \(possible.sorted().map(plain).listed)"). \
      \(declaration.patching(model.path, "--base \(base)")).
      """,
      expected: "a stated base", actual: "none",
      fix: right.flatMap { right in
        file.stating(base: right, of: declaration).map { .unsafe("state the base \(plain(right))", [$0]) }
      })
  }

  /// One that no published model of the family has.
  private static func unexpectedBase(_ file: some LintedFile, in model: LintedModel) -> Finding? {
    guard let family = file.family, let base = file.declaration?.base else { return nil }
    let stated = model.publishedBases(of: file)
    guard !stated.isEmpty, !stated.contains(where: { abs($0 - base.value) <= $0 * 1e-6 }) else { return nil }
    return Finding(
      .note, at: base.place,
      """
      Base \(plain(base.value)): the published \(family) models have \(stated.sorted().map(plain).listed). Compare it \
      with the config.json of the model that this one was made from.
      """,
      expected: stated.sorted().map(plain).listed, actual: plain(base.value))
  }
}

extension LintedModel {
  /// The base before the last patch, else the published one.
  fileprivate func rightBase(of file: some LintedFile) -> Double? {
    let before = previous.flatMap { try? HuggingFaceConfig($0) }?.ropeDeclarations().declarations.first?.base?.value
    return before ?? published(like: file, window: file.declaration?.contextLength)?.base ?? known(file)?.base
  }

  /// The bases of a family's published models; none where the table does not name them all.
  fileprivate func publishedBases(of file: some LintedFile) -> Set<Double> {
    let bases = file.family.map { knownModels.models(of: $0).map(\.base) } ?? []
    return bases.contains(nil) ? [] : Set(bases.compactMap(\.self))
  }
}

extension LintedFile {
  /// Where a base would stand: in the only dictionary of the new layout, else beside it.
  fileprivate func baseKey(of declaration: RoPEDeclaration) -> String {
    guard case .config(let config, _) = input else { return GGUFKeys(family ?? "").base }
    let dictionary = config.dictionaries.first.map { pointer in
      declaration.layerType.map { "\(pointer)/\($0)" } ?? pointer
    }
    let isNew = dictionary?.hasPrefix("\(config.section)/\(ConfigKey.ropeParameters)") == true
    let owner = declaration.layerType != nil || isNew ? dictionary ?? config.section : config.section
    return "\(owner)/\(ConfigKey.ropeTheta)"
  }

  fileprivate func stating(base: Double, of declaration: RoPEDeclaration) -> SettingChange? {
    let key = baseKey(of: declaration)
    guard case .config(let config, _) = input else {
      return SettingChange(path, key, .gguf(.float32(Float(base))))
    }
    // A kind of layer whose dictionary is not there has nothing to hold it.
    guard config.document[String(key.dropLast(ConfigKey.ropeTheta.count + 1))]?.isObject == true else { return nil }
    return SettingChange(path, key, .json(.number(base)), after: [ConfigKey.maximum, ConfigKey.ropeType])
  }
}
